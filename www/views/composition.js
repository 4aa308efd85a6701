import { composed } from '../composition.js';
import { percent, whole } from '../words.js';
import { element, say, swatch } from './dom.js';
import { sampleColumns } from './limits.js';

/** Of how many cells of each class all cells, or each sample's, consist. */
export class CompositionView {
  #root;
  #select = element('select', { id: 'composition-by' });
  #choice = element('label', { class: 'field inline', for: 'composition-by' }, 'Samples by ', this.#select);
  #body = element('div', { class: 'composition' });
  #shown = {};

  constructor(root) {
    this.#root = root;
    const button = element('button', { type: 'button', class: 'quiet', id: 'download-composition', title: 'Cells and share of each class of every level, sample by sample' }, 'Download composition.tsv');
    root.append(element('div', { class: 'findings-bar' }, element('h3', {}, 'Composition'), this.#choice, button), this.#body);
    button.addEventListener('click', () => say(root, 'composition-save'));
    this.#select.addEventListener('change', () => say(root, 'composition-by', { column: this.#select.value === '' ? null : this.#select.selectedOptions[0].textContent }));
    this.#body.addEventListener('click', (event) => {
      const name = event.target.closest('button')?.dataset.class;
      if (name !== undefined) say(root, 'focus', { highlight: name, isolated: false });
    });
  }

  update({ result, query, reference, grouping, colorBy }) {
    const now = { result, grouping, level: colorBy.level };
    if (Object.keys(now).every((key) => now[key] === this.#shown[key])) return;
    this.#shown = now;
    this.#choices(query, grouping);
    const level = Math.max(0, result.levels.findIndex(({ name }) => name === colorBy.level));
    const { samples, classes, counts } = composed(result, grouping, level);
    const known = new Map(reference.about.levels.find(({ name }) => name === result.levels[level].name)?.classes.map(({ name, color }) => [name, color]));
    const colored = classes.map((each) => ({ ...each, color: known.get(each.name) ?? each.color }));
    const made = { samples, classes: colored, counts, cells: result.cells };
    const name = `Cells of each class of level ${result.levels[level].name}${grouping ? ` by ${grouping.name}` : ''}`;
    this.#body.replaceChildren(...(grouping ? [stacked(made), table(made, name)] : [bars(made, name)]));
  }

  #choices(query, grouping) {
    const columns = sampleColumns(query);
    this.#choice.hidden = columns.length === 0;
    const option = (name, value) => element('option', { value, selected: name === (grouping?.name ?? null) }, name ?? 'all together');
    this.#select.replaceChildren(option(null, ''), ...columns.map((name, at) => option(name, String(at + 1))));
  }
}

/** A class that can be highlighted on the maps. */
function classHead({ name, color }) {
  return element('th', { scope: 'row' }, element('button', { type: 'button', 'data-class': name, title: 'Highlight on the maps' }, swatch(color), element('bdi', {}, name)));
}

function filled(name, color, share) {
  const bar = element('span', { class: 'composition-fill' });
  bar.style.backgroundColor = color;
  bar.style.width = `${100 * share}%`;
  return element(name, { class: 'composition-bar', 'aria-hidden': 'true' }, element('span', { class: 'composition-track' }, bar));
}

function head(...names) {
  return element('thead', {}, element('tr', {}, ...names.map((name, at) => element('th', { scope: 'col', class: at === 0 ? '' : 'number' }, element('bdi', {}, name)))));
}

/** All cells together: a bar for each class. */
function bars({ classes, counts, cells }, name) {
  const most = Math.max(...counts);
  const rows = classes.map((each, at) => element('tr', { 'data-cells': String(counts[at]) }, classHead(each), filled('td', each.color, counts[at] / most),
    element('td', { class: 'number' }, whole(counts[at])), element('td', { class: 'number' }, percent(counts[at], cells))));
  return element('div', { class: 'table-scroll' }, element('table', {}, element('caption', {}, name), head('Class', '', 'Cells', 'Share'), element('tbody', {}, ...rows)));
}

/** A bar for each sample, of one length, divided by its classes. The table beside it says the same in figures. */
function stacked({ samples, classes, counts }) {
  return element('ul', { class: 'stacked', 'aria-label': 'Shares of the classes in each sample' }, ...samples.map((sample, row) => {
    const own = classes.map((each, column) => ({ ...each, cells: counts[row * classes.length + column] })).filter(({ cells }) => cells > 0);
    const told = own.map(({ name, cells }) => `${name} ${percent(cells, sample.cells)}`).join(', ');
    const parts = own.map(({ name, color, cells }) => {
      const part = element('span', { title: `${name}: ${whole(cells)} cells, ${percent(cells, sample.cells)}` });
      part.style.backgroundColor = color;
      part.style.flexGrow = String(cells);
      return part;
    });
    return element('li', {}, element('bdi', { class: 'stacked-name', title: sample.name }, sample.name), element('span', { class: 'hint number' }, `${whole(sample.cells)} cells`),
      element('span', { class: 'stacked-bar', role: 'img', 'aria-label': told }, ...parts));
  }));
}

function table({ samples, classes, counts }, name) {
  const rows = classes.map((each, column) => element('tr', {}, classHead(each), ...samples.map((sample, row) => {
    const cells = counts[row * classes.length + column];
    return element('td', { class: 'number', 'data-cells': String(cells) }, whole(cells), element('span', { class: 'hint' }, ` ${percent(cells, sample.cells)}`));
  })));
  return element('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': name }, element('table', { class: 'by-sample' }, element('caption', {}, name), head('Class', ...samples.map((sample) => sample.name)), element('tbody', {}, ...rows)));
}
