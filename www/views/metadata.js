import { figure, whole } from '../words.js';
import { element, say, uncover } from './dom.js';

// A table of cells may have thousands of columns, and a column thousands of values.
const COLUMNS = 60;
const VALUES = 4;
const KINDS = { boolean: 'true or false', categorical: 'categories', number: 'numbers', text: 'text' };

/** The file's own table of cells: what its columns hold, and the table to take away. */
export class Metadata {
  #root;
  #shown = {};

  constructor(root) {
    this.#root = root;
  }

  update({ query, busy }) {
    if (query === this.#shown.query && busy === this.#shown.busy) return;
    const again = query === this.#shown.query;
    this.#shown = { query, busy };
    if (again) {
      const button = this.#root.querySelector('#download-metadata');
      if (button) button.disabled = busy;
    } else {
      this.#root.replaceChildren(...(query?.metadata?.length ? [this.#details(query.metadata, query.cells, busy)] : []));
    }
  }

  #details(columns, cells, busy) {
    const button = element('button', { type: 'button', class: 'quiet', id: 'download-metadata', disabled: busy }, 'Download metadata.tsv');
    button.addEventListener('click', () => say(this.#root, 'download', { name: 'metadata.tsv' }));
    const more = columns.length - COLUMNS;
    const made = element('details', { id: 'metadata' },
      element('summary', {}, columns.length === 1 ? '1 column of metadata' : `${whole(columns.length)} columns of metadata`),
      element('table', { class: 'metadata-table' },
        element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Column'), element('th', { scope: 'col' }, 'What it holds'))),
        element('tbody', {}, ...columns.slice(0, COLUMNS).map((column, at) => row(column, at, cells)))),
      more > 0 ? element('p', { class: 'hint', id: 'metadata-more' }, `And ${whole(more)} more column${more === 1 ? '' : 's'}; all are in metadata.tsv.`) : null,
      button);
    made.addEventListener('toggle', () => made.open && uncover(made));
    return made;
  }
}

function row(column, at, cells) {
  return element('tr', { 'data-column': at },
    element('th', { scope: 'row' }, name(column.name), element('span', { class: 'kind' }, KINDS[column.kind] ?? column.kind)),
    element('td', {}, ...description(column, cells)));
}

/** A word of the file: whatever its letters are, they do not turn the words around it. */
function name(text) {
  return element('bdi', { title: text }, text.trim() === '' ? '(no name)' : text);
}

function description(column, cells) {
  const { kind, missing, distinct, infinite, min, median, max } = column;
  const parts = [];
  if (distinct === 0) parts.push(element('p', {}, 'nothing'));
  else if (kind === 'number') parts.push(element('p', {}, typeof min !== 'number' ? 'no finite number' : min === max ? figure(min) : `${figure(min)} to ${figure(max)}`));
  else if (column.unique) parts.push(element('p', {}, 'another value for each cell'));
  else parts.push(...values(column, cells));
  if (min < max) parts.push(element('p', { class: 'hint' }, `median ${figure(median)}`));
  const notes = [];
  if (kind === 'number' && column.constant) notes.push('the same for all cells');
  if (infinite > 0) notes.push(`${whole(infinite)} infinite`);
  if (missing > 0) notes.push(`${whole(missing)} missing`);
  if (notes.length > 0) parts.push(element('p', { class: 'hint' }, notes.join(', ')));
  return parts;
}

function values({ values: listed, distinct }, cells) {
  const shown = listed.slice(0, VALUES);
  const items = shown.map(({ value, cells: count }) => {
    const bar = element('span', { class: 'share-fill' });
    bar.style.transform = `scaleX(${cells > 0 ? count / cells : 0})`;
    return element('li', {}, name(value), element('span', { class: 'number' }, whole(count)), element('span', { class: 'share-track', 'aria-hidden': 'true' }, bar));
  });
  const more = distinct - shown.length;
  return [element('ol', { class: 'values' }, ...items), ...(more > 0 ? [element('p', { class: 'hint' }, `and ${whole(more)} more value${more === 1 ? '' : 's'}`)] : [])];
}
