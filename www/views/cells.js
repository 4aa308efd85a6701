import { score, whole } from '../words.js';
import { element, say } from './dom.js';
import { callOf, cellNames, codeOf, shownMetadata } from './shown.js';

const ROW = 30; // pixels; style.css sets the same height
const SPARE = 8; // rows above and below what is in sight
const TYPING_MS = 120;
// Browsers stop placing elements somewhere above 16 million pixels.
const TALLEST = 15_000_000;

/** Every cell in a row. Only the rows in sight exist, so that a million cells scroll like a hundred. */
export class CellsTable {
  #root;
  #filter;
  #below;
  #sureName = element('span', {}, 'Confidence');
  #count;
  #chip = element('button', { type: 'button', id: 'selection-chip', class: 'quiet', title: 'Show all cells again', hidden: true }, 'All cells');
  #head;
  #scroll;
  #room;
  #window;
  #result = null;
  #doublets = null;
  #metadata = null; // the column that the maps are coloured by stands in the table too
  #columns = [];
  #rows = new Uint32Array();
  #sort = { column: -1, up: true };
  #marked = null;
  #focus = null;
  #selection = null; // the cells that were picked out, or null
  #timer = 0;

  constructor(root) {
    this.#root = root;
    this.#filter = element('input', { type: 'search', id: 'cell-filter', placeholder: 'name or label', autocomplete: 'off', spellcheck: 'false' });
    this.#below = element('input', { type: 'number', id: 'score-filter', min: 0, max: 1, step: 0.05, placeholder: '1' });
    this.#count = element('span', { class: 'hint', id: 'cell-count', 'aria-live': 'polite' });
    this.#head = element('div', { role: 'row', class: 'cells-row cells-head' });
    this.#window = element('div', { class: 'cells-window', role: 'rowgroup' });
    this.#room = element('div', { class: 'cells-room', role: 'presentation' }, this.#window);
    this.#scroll = element('div', { class: 'cells-scroll', tabindex: '0', role: 'table', 'aria-label': 'Cells' }, element('div', { role: 'rowgroup', class: 'cells-headgroup' }, this.#head), this.#room);
    root.append(
      element('div', { class: 'cells-bar' },
        element('label', { class: 'field inline', for: 'cell-filter' }, 'Filter ', this.#filter),
        element('label', { class: 'field inline', for: 'score-filter' }, this.#sureName, ' at most ', this.#below), this.#chip, this.#count),
      this.#scroll);
    for (const input of [this.#filter, this.#below]) {
      input.addEventListener('input', () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#choose(), TYPING_MS);
      });
    }
    this.#chip.addEventListener('click', () => {
      this.#filter.focus(); // The chip goes.
      say(root, 'select', { cells: null });
    });
    this.#scroll.addEventListener('scroll', () => this.#show());
    this.#window.addEventListener('click', (event) => {
      const row = event.target.closest('[data-cell]');
      if (row) say(root, 'cell', { cell: Number(row.dataset.cell) });
    });
    root.addEventListener('shown', () => this.#show());
    new ResizeObserver(() => this.#show()).observe(this.#scroll);
  }

  update(state) {
    const { result, doublets, cell, focus, selection } = state;
    const metadata = shownMetadata(state);
    if (result !== this.#result || metadata !== this.#metadata || doublets !== this.#doublets) {
      // The column of metadata is the last one, and goes or becomes another.
      const gone = this.#sort.column >= this.#columns.length - 1 - Boolean(this.#doublets) && (this.#metadata || this.#doublets);
      if (result !== this.#result || gone) this.#sort = { column: -1, up: true };
      this.#result = result;
      this.#metadata = metadata;
      this.#doublets = doublets;
      this.#focus = focus;
      this.#take(selection);
      if (result) this.#begin();
    }
    if ((focus !== this.#focus || selection !== this.#selection) && result) {
      this.#focus = focus;
      this.#take(selection);
      this.#choose();
    }
    if (cell !== this.#marked) {
      this.#marked = cell;
      if (result) this.#show();
    }
  }

  #take(selection) {
    this.#selection = selection;
    this.#chip.hidden = !selection;
    if (selection) this.#chip.replaceChildren(element('bdi', {}, selection.name), `: ${whole(selection.cells.length)} cells `, element('span', { 'aria-hidden': 'true' }, '×'), element('span', { class: 'visually-hidden' }, ', show all cells again'));
  }

  #begin() {
    const { levels, codes, sure, mappingScores, unknown, calls } = this.#result;
    this.#sureName.textContent = sure.name[0].toUpperCase() + sure.name.slice(1);
    const names = cellNames(this.#result);
    this.#columns = [{ title: 'Cell', text: (i) => names[i], value: null }];
    if (calls) this.#columns.push({ title: 'Call', text: (i) => callOf(this.#result, i), value: null, label: true });
    levels.forEach(({ name, classes }, level) => {
      this.#columns.push({ title: name, text: (i) => classes[codes[level][i]]?.name ?? '–', value: null, label: true });
      this.#columns.push({ title: sure.name === 'confidence' ? 'Confidence' : 'Score', of: `${name}, ${sure.name}`, text: (i) => score(sure.values[level][i]), value: (i) => sure.values[level][i] });
    });
    this.#columns.push({ title: 'Mapping', of: 'Mapping score', text: (i) => score(mappingScores[i]), value: (i) => mappingScores[i] });
    if (calls) this.#columns.push({ title: 'Unknown', of: 'Unknown score', text: (i) => score(unknown[i]), value: (i) => unknown[i] });
    // Where cells are coloured by it, it is the last column.
    if (this.#doublets && this.#doublets.coloring !== this.#metadata) this.#columns.push({ title: 'Doublet score', text: this.#doublets.coloring.word, value: (i) => this.#doublets.scores[i] });
    if (this.#metadata) this.#columns.push({ title: this.#metadata.name, text: this.#metadata.word, value: this.#metadata.value ?? null });
    this.#scroll.style.setProperty('--columns', this.#columns.map(({ value }, at) => (at === 0 ? 'minmax(11rem, 1.6fr)' : value ? 'minmax(5.5rem, .7fr)' : 'minmax(7rem, 1fr)')).join(' '));
    this.#head.replaceChildren(...this.#columns.map(({ title, of, value }, at) => {
      const head = element('span', { role: 'columnheader', class: value ? 'number' : '' }, element('button', { type: 'button', title: of ?? title }, title));
      head.firstChild.addEventListener('click', () => {
        this.#sort = { column: at, up: this.#sort.column === at ? !this.#sort.up : true };
        this.#choose();
      });
      return head;
    }));
    this.#choose();
  }

  /** Picks the rows that pass the filters and sorts them. */
  #choose() {
    const { cells, levels, codes, sure } = this.#result;
    const words = this.#filter.value.trim().toLowerCase();
    const names = cellNames(this.#result);
    const most = this.#below.value === '' ? Infinity : Number(this.#below.value);
    const hits = levels.map(({ classes }) => classes.map(({ name }) => name.toLowerCase().includes(words)));
    const focused = levels.map(({ classes }) => classes.findIndex(({ name }) => name === this.#focus.highlight));
    const value = this.#metadata && codeOf(this.#metadata.classes, this.#focus.highlight);
    const labelled = (i) => focused.some((code, level) => code >= 0 && codes[level][i] === code);
    const inFocus = (i) => this.#focus.highlight === null || (this.#metadata ? this.#metadata.codes[i] === value : labelled(i));
    const named = (i) => words === '' || hits.some((each, level) => each[codes[level][i]]) || names[i].toLowerCase().includes(words);
    const kept = [];
    const among = this.#selection?.cells;
    for (let at = 0; at < (among?.length ?? cells); at += 1) {
      const i = among ? among[at] : at;
      if (inFocus(i) && named(i) && (most === Infinity || sure.values.some((each) => each[i] <= most))) kept.push(i);
    }
    this.#rows = this.#sorted(Uint32Array.from(kept));
    const only = this.#metadata?.classes[value]?.name ?? this.#focus.highlight;
    const focusWords = this.#focus.highlight === null ? '' : `, only ${only}`;
    this.#count.textContent = `${whole(kept.length)} of ${whole(cells)} cells${focusWords}`;
    this.#scroll.setAttribute('aria-rowcount', String(kept.length + 1));
    this.#room.style.height = `${Math.min(kept.length * ROW, TALLEST)}px`;
    this.#scroll.scrollTop = 0;
    this.#show();
  }

  #sorted(rows) {
    const { column, up } = this.#sort;
    [...this.#head.children].forEach((head, at) => head.setAttribute('aria-sort', at !== column ? 'none' : up ? 'ascending' : 'descending'));
    if (column < 0) return rows;
    const { value, text } = this.#columns[column];
    const collator = new Intl.Collator('en', { numeric: true });
    const compare = value ? (a, b) => value(a) - value(b) : (a, b) => collator.compare(text(a), text(b));
    return rows.sort((a, b) => (up ? compare(a, b) : compare(b, a)) || a - b);
  }

  #show() {
    if (this.#root.hidden || !this.#result) return;
    const { scrollTop, clientHeight } = this.#scroll;
    const most = Math.max(1, this.#rows.length * ROW - clientHeight);
    const room = Math.max(1, this.#room.offsetHeight - clientHeight);
    // The room is as tall as the rows, unless the browser forbids it: then the scroll is stretched over them.
    const top = this.#rows.length * ROW > TALLEST ? Math.min(1, scrollTop / room) * most : scrollTop;
    const first = Math.max(0, Math.floor(top / ROW) - SPARE);
    const last = Math.min(this.#rows.length, Math.ceil((top + clientHeight) / ROW) + SPARE);
    this.#window.style.transform = `translateY(${Math.round(scrollTop - (top - first * ROW))}px)`;
    const rows = [];
    for (let at = first; at < last; at += 1) rows.push(this.#row(at));
    this.#window.replaceChildren(...rows);
  }

  #row(at) {
    const cell = this.#rows[at];
    const cells = this.#columns.map(({ text, value }, column) => {
      const content = column === 0 ? element('button', { type: 'button', title: 'Show on the map' }, text(cell)) : text(cell);
      return element('span', { role: 'cell', class: value ? 'number' : '' }, content);
    });
    return element('div', { role: 'row', class: 'cells-row', 'data-cell': String(cell), 'aria-rowindex': String(at + 2), 'data-marked': String(cell === this.#marked) }, ...cells);
  }
}
