import { median, percent, score, whole } from '../words.js';
import { element, say, swatch } from './dom.js';
import { shownLevel } from './shown.js';

const COLUMNS = [['name', 'Label'], ['cells', 'Cells'], ['share', 'Share'], ['median', 'Median confidence']];

/** How many cells got each label of the level that is shown, and how sure the labels are. */
export class LabelsTable {
  #root;
  #rows = [];
  #sort = { by: 'cells', up: false };
  #shown = {};
  #body = element('tbody');
  #heads;
  #level = element('caption');

  constructor(root) {
    this.#root = root;
    this.#heads = COLUMNS.map(([key, title]) => {
      const head = element('th', { scope: 'col', class: key === 'name' ? '' : 'number' }, element('button', { type: 'button' }, title));
      head.firstChild.addEventListener('click', () => this.#sortBy(key));
      return head;
    });
    const table = element('table', { class: 'labels-table' }, this.#level, element('thead', {}, element('tr', {}, ...this.#heads)), this.#body);
    root.append(element('div', { class: 'table-scroll' }, table));
    this.#body.addEventListener('click', (event) => {
      const name = event.target.closest('button')?.dataset.class;
      if (name) say(root, 'focus', { highlight: name, isolated: false });
    });
  }

  update(state) {
    const { result, colorBy } = state;
    if (!result || (result === this.#shown.result && colorBy === this.#shown.colorBy)) return;
    this.#shown = { result, colorBy };
    const { query, reference } = shownLevel(state);
    this.#level.textContent = `Labels of level ${query.name}`;
    const colorOf = new Map(reference.classes.map(({ name, color }) => [name, color]));
    const sure = query.classes.map(() => []);
    query.codes.forEach((code, cell) => sure[code]?.push(query.sure[cell]));
    this.#heads.at(-1).firstChild.textContent = `Median ${result.sure.name}`;
    this.#rows = query.classes.map(({ name, color }, code) => ({
      name, color: colorOf.get(name) ?? color, cells: sure[code].length, share: sure[code].length / result.cells, median: median(sure[code]) }))
      .filter(({ cells }) => cells > 0);
    this.#show();
  }

  #sortBy(key) {
    this.#sort = { by: key, up: this.#sort.by === key ? !this.#sort.up : key === 'name' };
    this.#show();
  }

  #show() {
    const { by, up } = this.#sort;
    const compare = by === 'name' ? (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }) : (a, b) => a[by] - b[by];
    const rows = [...this.#rows].sort((a, b) => (up ? 1 : -1) * compare(a, b));
    COLUMNS.forEach(([key], column) => this.#heads[column].setAttribute('aria-sort', key !== by ? 'none' : up ? 'ascending' : 'descending'));
    const most = Math.max(...rows.map(({ share }) => share));
    this.#body.replaceChildren(...rows.map((row) => {
      const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
      bar.style.transform = `scaleX(${row.share / most})`;
      bar.style.backgroundColor = row.color;
      return element('tr', {},
        element('th', { scope: 'row' }, element('button', { type: 'button', 'data-class': row.name, title: 'Highlight on the maps' }, swatch(row.color), row.name)),
        element('td', { class: 'number' }, whole(row.cells)),
        element('td', { class: 'number share' }, bar, element('span', {}, percent(row.cells, this.#shown.result.cells))),
        element('td', { class: 'number' }, score(row.median)));
    }));
  }
}
