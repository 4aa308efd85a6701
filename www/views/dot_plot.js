import { hex, plasma } from '../plot/colors.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';

const SIZE = 22; // of a place of the grid
const LARGEST = 9; // radius of a dot of all cells
const SVG = 'http://www.w3.org/2000/svg';

/** What the classes of the reference express: a dot for each gene in each class, as large as the share of cells that show it. */
export class DotPlot {
  #root;
  #input;
  #plot;
  #note;
  #shown = null;
  #dark = window.matchMedia('(prefers-color-scheme: dark)');

  constructor(root) {
    this.#root = root;
    this.#input = root.querySelector('#dot-genes');
    this.#plot = root.querySelector('.dot-plot');
    this.#note = root.querySelector('.dot-note');
    root.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      say(root, 'dots', { text: this.#input.value });
    });
    root.querySelector('#dot-markers').addEventListener('click', () => say(root, 'dots', { text: '' }));
    this.#dark.addEventListener('change', () => this.#shown && this.#draw(this.#shown));
  }

  update(state) {
    const { reference, dots } = state;
    this.#root.hidden = !reference || (!dots && reference.about.tells_expression);
    if (this.#root.hidden) return;
    const tells = reference.about.tells_expression;
    this.#root.querySelector('form').hidden = !tells;
    for (const control of this.#root.querySelectorAll('form button, form input')) control.disabled = isBusy(state);
    if (!tells) {
      this.#note.textContent = 'This reference does not tell what its classes express: it was made of an object that holds no counts.';
      this.#plot.replaceChildren();
      this.#shown = null;
    } else if (dots !== this.#shown) {
      this.#shown = dots;
      this.#note.textContent = dots.unknown.length > 0 ? `Not measured, or not found in any of its cells: ${dots.unknown.join(', ')}.` : '';
      if (document.activeElement !== this.#input) this.#input.value = dots.markers ? '' : dots.genes.map(({ symbol }) => symbol).join(' ');
      this.#draw(dots);
    }
  }

  #draw({ level, classes, genes, values }) {
    const left = Math.min(260, 16 + 7 * Math.max(...classes.map(({ name }) => Array.from(name).length)));
    const top = 14 + 7.2 * Math.max(4, ...genes.map(({ symbol }) => Array.from(symbol).length));
    const [width, height] = [left + SIZE * genes.length + 30, top + SIZE * classes.length + 8];
    const svg = shape('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': `Expression of ${genes.length} genes in the ${classes.length} classes of ${level}` });
    classes.forEach(({ name }, row) => {
      const y = top + SIZE * (row + 0.5);
      svg.append(shape('line', { x1: left, x2: width - 30, y1: y, y2: y, class: 'dot-line' }), text(left - 8, y, name, { 'text-anchor': 'end', class: 'dot-class' }));
    });
    genes.forEach(({ symbol }, column) => {
      const x = left + SIZE * (column + 0.5);
      const name = text(0, 0, symbol, { class: 'dot-gene', transform: `translate(${x + 2} ${top - 8}) rotate(-60)`, tabindex: 0, role: 'button' });
      const show = () => say(this.#root, 'gene', { symbol });
      name.addEventListener('click', show);
      name.addEventListener('keydown', (event) => event.key === 'Enter' && show());
      name.append(title(`Colour the map by ${symbol}`));
      svg.append(name);
      const { means, fractions } = values[column];
      const largest = Math.max(...means, 1e-6);
      means.forEach((mean, row) => {
        const dot = shape('circle', { cx: x, cy: top + SIZE * (row + 0.5), r: LARGEST * Math.sqrt(fractions[row]), fill: hex(plasma(mean / largest, this.#dark.matches)) });
        dot.append(title(`${symbol} in ${classes[row].name}: mean ${mean.toFixed(2)}, in ${(100 * fractions[row]).toFixed(0)} % of ${classes[row].cells.toLocaleString('en')} cells`));
        svg.append(dot);
      });
    });
    this.#plot.replaceChildren(svg, this.#key());
  }

  /** What size and colour mean. */
  #key() {
    const svg = shape('svg', { width: 330, height: 30, viewBox: '0 0 330 30', 'aria-hidden': 'true' });
    [0.1, 0.5, 1].forEach((share, at) => {
      svg.append(shape('circle', { cx: 14 + 66 * at, cy: 15, r: LARGEST * Math.sqrt(share), class: 'dot-key' }), text(27 + 66 * at, 15, `${100 * share} %`, { class: 'dot-class' }));
    });
    for (let step = 0; step < 24; step += 1) svg.append(shape('rect', { x: 214 + 2 * step, y: 9, width: 2.2, height: 12, fill: hex(plasma(step / 23, this.#dark.matches)) }));
    svg.append(text(210, 15, '0', { 'text-anchor': 'end', class: 'dot-class' }), text(266, 15, 'highest', { class: 'dot-class' }));
    return element('p', { class: 'dot-legend hint' }, 'Share of the cells with a count; mean of log1p(counts per 10,000), of each gene by itself ', svg);
  }
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function text(x, y, words, attributes) {
  const made = shape('text', { x, y, 'dominant-baseline': 'central', ...attributes });
  made.textContent = words;
  return made;
}

function title(words) {
  const made = shape('title', {});
  made.textContent = words;
  return made;
}
