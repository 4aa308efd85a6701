import { firstSides, sidesOf } from '../comparison.js';
import { cellsOf, compareTable, confusion, shareOf } from '../confusion.js';
import { percent, whole } from '../words.js';
import { save } from './downloads.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';

const MODES = [['counts', 'Counts'], ['rows', 'Per cent of the row'], ['columns', 'Per cent of the column']];
const ARROWS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
const HINTS = { counts: 'The deeper, the larger the share of its row.', rows: 'The deeper, the larger the share of its row.', columns: 'The deeper, the larger the share of its column.' };
// The deepest colour that words can still be read on, in per cent of the accent.
const DEEPEST = 45;

/** Two columns of cells beside each other: how many cells of each class of the one are of each of the other. */
export class CompareTable {
  #root;
  #choices;
  #mode;
  #swap;
  #download;
  #scroll = element('div', { class: 'table-scroll compare-scroll' });
  #state = null;
  #shown = {};
  #table = null;
  #sort = { by: 'cells', up: false };

  constructor(root) {
    this.#root = root;
    this.#choices = { rows: element('select', { id: 'compare-rows' }), columns: element('select', { id: 'compare-columns' }) };
    this.#mode = element('select', { id: 'compare-mode' }, ...MODES.map(([value, text]) => element('option', { value }, text)));
    this.#swap = element('button', { type: 'button', class: 'quiet', id: 'compare-swap', title: 'Rows become columns' }, 'Swap');
    this.#download = element('button', { type: 'button', class: 'quiet', id: 'download-compare' }, 'Download compare.tsv');
    const labelled = (text, control) => element('label', { class: 'field inline', for: control.id }, `${text} `, control);
    root.append(
      element('div', { class: 'cells-bar' }, labelled('Rows', this.#choices.rows), labelled('Columns', this.#choices.columns), this.#swap, labelled('Show', this.#mode), this.#download),
      this.#scroll);
    for (const choice of Object.values(this.#choices)) choice.addEventListener('change', () => this.#ask());
    this.#swap.addEventListener('click', () => say(root, 'compare', { rows: this.#choices.columns.value, columns: this.#choices.rows.value }));
    this.#mode.addEventListener('change', () => this.#show());
    this.#download.addEventListener('click', () => save(compareTable(this.#state.compare.rows.name, this.#table, this.#mode.value), 'compare.tsv'));
    this.#scroll.addEventListener('click', (event) => this.#choose(event.target.closest('button')));
    this.#scroll.addEventListener('keydown', (event) => this.#move(event));
    root.addEventListener('shown', () => this.#begin());
  }

  update(state) {
    this.#state = state;
    const { result, own, query, compare } = state;
    const before = this.#shown;
    this.#shown = { result, own, query, compare, busy: isBusy(state) };
    if (['result', 'own', 'query', 'compare'].some((key) => this.#shown[key] !== before[key])) this.#offer();
    for (const control of [...Object.values(this.#choices), this.#swap, this.#download]) control.disabled = isBusy(state) || !compare;
    if (compare !== before.compare) {
      this.#sort = { by: 'cells', up: false };
      this.#table = compare && confusion(compare.rows, compare.columns);
      this.#show();
    }
    if (!this.#root.hidden && (result !== before.result || own !== before.own || this.#shown.busy !== before.busy)) this.#begin();
  }

  /** Asks for what is not there yet, or is of clusters that are gone. */
  #begin() {
    const { result, own, compare } = this.#state;
    if (!result || isBusy(this.#state)) return;
    const sides = compare && [compare.rows, compare.columns];
    const old = sides?.filter(({ key }) => key === 'clusters').some(({ codes }) => codes !== own?.coloring.codes);
    if (compare && !old) return;
    if (!compare || !own) say(this.#root, 'compare', firstSides(this.#state));
    else say(this.#root, 'compare', { rows: compare.rows.key, columns: compare.columns.key });
  }

  #ask() {
    say(this.#root, 'compare', { rows: this.#choices.rows.value, columns: this.#choices.columns.value });
  }

  #offer() {
    const sides = sidesOf(this.#state);
    const groups = [...new Set(sides.map(({ group }) => group))];
    for (const [which, choice] of Object.entries(this.#choices)) {
      const chosen = this.#state.compare?.[which].key;
      choice.replaceChildren(...groups.map((group) => element('optgroup', { label: group },
        ...sides.filter((side) => side.group === group).map(({ key, name }) => element('option', { value: key, selected: key === chosen }, name)))));
    }
  }

  #show() {
    if (!this.#table) {
      this.#scroll.replaceChildren();
      return;
    }
    const { rows: side, columns: other } = this.#state.compare;
    const mode = this.#mode.value;
    const { columns, cells } = this.#table;
    const head = (by, text, name) => {
      const made = element('th', { scope: 'col', class: name, 'aria-sort': by !== this.#sort.by ? 'none' : this.#sort.up ? 'ascending' : 'descending' }, element('button', { type: 'button', 'data-sort': by, title: `Sort by ${text}` }, element('bdi', {}, text)));
      return made;
    };
    this.#scroll.replaceChildren(element('table', { class: 'compare-table', 'data-mode': mode },
      element('caption', {}, element('bdi', {}, side.name), ' in rows, ', element('bdi', {}, other.name), ` in columns, ${whole(cells)} cells. ${HINTS[mode]} A number selects its cells on the map; arrow keys move between numbers.`),
      element('thead', {}, element('tr', {}, head('name', side.name, ''), ...columns.map(({ name }, at) => head(String(at), name, 'number')), head('cells', 'Cells', 'number'), head('majority', 'Most often', ''))),
      element('tbody', {}, ...this.#sorted().map((row) => this.#row(row, mode))),
      element('tfoot', {}, element('tr', {}, element('th', { scope: 'row' }, 'All'),
        ...columns.map((column) => element('td', { class: 'number' }, mode === 'counts' ? whole(column.cells) : mode === 'rows' ? percent(column.cells, cells) : '100.0 %')),
        element('td', { class: 'number' }, whole(cells)), element('td', {})))));
    this.#scroll.querySelector('td button')?.setAttribute('tabindex', '0');
  }

  #sorted() {
    const { by, up } = this.#sort;
    const { rows, columns } = this.#table;
    const named = (a, b) => a.localeCompare(b, 'en', { numeric: true });
    const compare = {
      name: (a, b) => named(a.name, b.name),
      cells: (a, b) => a.cells - b.cells,
      majority: (a, b) => named(a.majority?.name ?? '', b.majority?.name ?? ''),
    }[by] ?? ((a, b) => shareOf(a.counts[by], a, columns[by], this.#mode.value) - shareOf(b.counts[by], b, columns[by], this.#mode.value));
    return [...rows].sort((a, b) => a.under - b.under || (up ? 1 : -1) * compare(a, b));
  }

  #row(row, mode) {
    const { columns } = this.#table;
    const words = (count, at) => (mode === 'counts' ? whole(count) : percent(count, (mode === 'rows' ? row : columns[at]).cells));
    const numbers = row.counts.map((count, at) => {
      const cell = element('td', { class: 'number heat' });
      if (count === 0) {
        cell.append(element('span', { class: 'none' }, words(0, at)));
        return cell;
      }
      cell.style.setProperty('--heat', `${(DEEPEST * count) / (mode === 'columns' ? columns[at] : row).cells}%`);
      cell.append(element('button', { type: 'button', tabindex: '-1', 'data-row': row.code, 'data-column': columns[at].code, 'aria-label': `${words(count, at)}: ${row.name} and ${columns[at].name}, ${whole(count)} cells`, title: `Select ${whole(count)} cells: ${row.name} and ${columns[at].name}` }, words(count, at)));
      return cell;
    });
    const { majority } = row;
    return element('tr', {},
      element('th', { scope: 'row' }, element('button', { type: 'button', 'data-row': row.code, title: `Select the ${whole(row.cells)} cells of ${row.name}` }, element('bdi', {}, row.name))),
      ...numbers, element('td', { class: 'number' }, whole(row.cells)),
      element('td', { class: 'majority' }, ...(majority ? [element('bdi', {}, majority.name), ` ${percent(majority.cells, row.cells)}`] : ['–'])));
  }

  /** A head sorts, a number or the name of a row selects its cells. */
  #choose(button) {
    if (!button) return;
    const { sort, row, column } = button.dataset;
    if (sort !== undefined) {
      this.#sort = { by: sort, up: this.#sort.by === sort ? !this.#sort.up : ['name', 'majority'].includes(sort) };
      this.#show();
      this.#scroll.querySelector(`[data-sort="${sort}"]`).focus();
      return;
    }
    const { rows: side, columns: other } = this.#state.compare;
    const cells = cellsOf(side, Number(row), other, column === undefined ? null : Number(column));
    const name = side.classes[row].name;
    say(this.#root, 'select', { name: column === undefined ? name : `${name} × ${other.classes[column].name}`, cells });
  }

  /** Arrows move to the next number that can be selected; one of them alone is a stop of the Tab key. */
  #move(event) {
    const step = ARROWS[event.key];
    const cell = event.target.closest('td');
    if (!step || !cell) return;
    event.preventDefault();
    const rows = [...this.#scroll.querySelectorAll('tbody tr')];
    let [at, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
    for (;;) {
      at += step[0];
      column += step[1];
      const next = rows[at]?.cells[column];
      if (!next || next.tagName !== 'TD') return;
      const button = next.querySelector('button');
      if (!button) continue;
      event.target.setAttribute('tabindex', '-1');
      button.setAttribute('tabindex', '0');
      button.focus();
      return;
    }
  }
}
