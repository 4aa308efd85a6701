import { element } from './dom.js';

// In a line for the pointer that rests on a figure, and in full for who asks.
const HELP = {
  'Cells mapped': ['Cells that were read, less those left out',
    'The cells that have a label and a place on the map: all that were read but those that your limits on quality leave out and those without counts. Azimuth asks for 100 or more before and after filtering (green; red below), since a small query has few mutual nearest neighbours.'],
  'Cells with anchors': ['Share of your cells that are mutual nearest neighbours of reference cells',
    'An anchor is a pair of a cell of yours and one of the reference that are among each other’s nearest neighbours. Azimuth’s bounds: below 5 % red, from 5 to 15 % yellow, from 15 % green. Few anchors mean that query and reference differ, in tissue, species, technology or state. Seurat’s labels rest on the anchors alone; Sextant’s own look at all reference cells near by, and suffer less where anchors are few.'],
  'Cluster preservation': ['How far your cells’ own clusters stay apart in the reference’s space, 0 to 5',
    'Your cells are clustered by themselves, and it is measured how mixed these clusters are among neighbours before and after the mapping. Azimuth’s bounds: below 2 red, from 2 to 3.75 yellow, from 3.75 green. A low score says that something that tells your cells apart is lost, as when a type is missing in the reference; it is of little meaning where your cells are all alike, or where their clusters are batches, which the mapping takes away rightly.'],
  'Median confidence': ['Probability that the label is right, if the reference has the cell’s type at all',
    'Half of the cells have a higher confidence in their label of this level. It is calibrated on cells of other datasets: of labels with a confidence of 0.8, about four of five are right, if the reference has the cell’s type at all. Finer levels have lower values.'],
  'Median prediction score': ['Share of the anchors’ weight that agrees with the label',
    'Half of the cells have a higher prediction score at this level: the share of the weight of the anchors around a cell that votes for its label. It says how far the anchors agree, not whether the reference has the type: where all anchors are of the nearest type that it has, it is high. See the mapping score for that.'],
  Called: ['Cells with a label at some level that is certain enough',
    'A cell is called by its finest label with a confidence of 2/3 or more: siblings that cannot be told apart are called by their parent. Unresolved is a cell where not even the coarsest label is that certain. Unknown is one whose unknown score is 0.5 or more: perhaps of a type that the reference does not have. The summary below shows which cells these are.'],
  'Median mapping score': ['How well the cells’ neighbourhoods survive the way through the reference, 0 to 1',
    'Azimuth’s mapping score: how near a cell’s neighbours stay when its data are replaced by what the reference can express of them. Half of the cells have a higher one. It is low where the reference lacks a cell’s type or state. It depends on the number of cells: compare it within one run only.'],
  Time: ['From the press of the button to the labels', 'How long the mapping took on this computer, without reading the file and without the cluster preservation score.'],
};

/** The figures of a result in boxes; a button in each explains it below all of them. */
export class Figures {
  #list;
  #help;
  #boxes = new Map(); // By name, so that a figure that comes later takes no focus away.
  #open = null;

  constructor(list, help) {
    this.#list = list;
    this.#help = help;
    list.addEventListener('click', (event) => {
      const name = event.target.closest('button')?.dataset.figure;
      if (name !== undefined) this.#explain(this.#open === name ? null : name);
    });
  }

  /** Each is `[name, value, words, tone]`. */
  update(figures) {
    const boxes = figures.map(([name, value, words, tone]) => {
      if (!this.#boxes.has(name)) this.#boxes.set(name, box(name));
      const { root, dd, said } = this.#boxes.get(name);
      root.dataset.tone = tone ?? '';
      dd.textContent = value;
      said.textContent = words;
      said.hidden = !words;
      return root;
    });
    if (boxes.length !== this.#list.children.length || boxes.some((each, at) => each !== this.#list.children[at])) this.#list.replaceChildren(...boxes);
    if (this.#open !== null && !figures.some(([name]) => name === this.#open)) this.#explain(null);
  }

  #explain(open) {
    this.#open = open;
    for (const [name, { button }] of this.#boxes) button.setAttribute('aria-expanded', String(name === open));
    this.#help.hidden = open === null;
    this.#help.replaceChildren(...(open === null ? [] : [element('strong', {}, open), element('p', {}, HELP[open][1])]));
  }
}

function box(name) {
  const dd = element('dd');
  const said = element('dd', { class: 'figure-words' });
  const button = element('button', { type: 'button', 'data-figure': name, 'aria-expanded': 'false', 'aria-controls': 'figure-help', 'aria-label': `What is this? ${name}` }, 'What is this?');
  const root = element('div', { title: HELP[name][0] }, element('dt', {}, name), dd, said, element('dd', { class: 'figure-ask' }, button));
  return { root, dd, said, button };
}
