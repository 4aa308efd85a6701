// The controller's part for the comparison of two columns of cells: which there are, and their values.

import { callOf, isBusy } from './views/shown.js';
import { coloring } from './views/coloring.js';

/** More values of a number are measurements rather than classes. The engine keeps as many of words, and puts the rest together. */
const CLASSES = 50;
// A choice of thousands of columns is none.
const COLUMNS = 200;

/** What can be compared: `[{ key, name, group }]`, the finest level last of the levels. */
export function sidesOf({ result, own, query }) {
  if (!result) return [];
  const metadata = (query?.metadata ?? []).map((column, at) => ({ key: `metadata ${at}`, name: column.name, group: 'Metadata', column }));
  return [
    ...result.levels.map(({ name }) => ({ key: `level ${name}`, name, group: 'Label' })),
    ...(result.calls ? [{ key: 'call', name: 'call', group: 'Label' }] : []),
    ...(own ? [{ key: 'clusters', name: 'Own clusters', group: 'Your cells by themselves' }] : []),
    ...metadata.filter(({ column }) => isOfClasses(column)).slice(0, COLUMNS),
  ];
}

function isOfClasses({ kind, distinct, unique }) {
  return distinct > 0 && (kind === 'number' ? distinct <= CLASSES : !unique);
}

/** What is compared before anyone has chosen: what cells were called elsewhere, beside their finest label. */
export function firstSides(state) {
  const sides = sidesOf(state);
  const labels = state.result.levels.map(({ name }) => `level ${name}`);
  const metadata = sides.find(({ key, column }) => key.startsWith('metadata') && column.distinct > 1);
  const rows = (state.own ? 'clusters' : null) ?? metadata?.key ?? (state.result.calls ? 'call' : labels[0]);
  return { rows, columns: labels.at(-1) };
}

export class Comparison {
  #page; // { state, set, failed }: the controller
  #session = null;
  #asked = 0;

  constructor(page) {
    this.#page = page;
  }

  begin(session) {
    this.#session = session;
  }

  /** Puts two columns beside each other, by their keys; values of metadata are first asked of the engine. */
  async choose({ rows, columns }) {
    const { state, set, failed } = this.#page;
    if (!state.result || isBusy(state)) return;
    this.#asked += 1;
    const before = { asked: this.#asked, result: state.result, own: state.own };
    try {
      const made = [await this.#side(rows), await this.#side(columns)];
      if (before.asked !== this.#asked || before.result !== state.result || before.own !== state.own) return;
      set({ compare: { rows: made[0], columns: made[1] } });
    } catch (error) {
      if (before.asked === this.#asked) failed(error, 'exporting');
    }
  }

  /** `{ key, name, classes: [{ name, under }], codes }`; classes that are `under` are no values: others, and missing ones. */
  async #side(key) {
    const { result, own, query } = this.#page.state;
    if (key === 'call') return { key, ...calls(result) };
    if (key === 'clusters') return { key, name: 'Own clusters', classes: own.coloring.classes, codes: own.coloring.codes };
    if (key.startsWith('level ')) {
      const at = result.levels.findIndex(({ name }) => `level ${name}` === key);
      return { key, name: `predicted.${result.levels[at].name}`, classes: result.levels[at].classes, codes: result.codes[at] };
    }
    const column = Number(key.slice('metadata '.length));
    const { name, kind } = query.metadata[column];
    const values = await this.#session.metadataColumn(column);
    return { key, ...(kind === 'number' ? ofFew(name, values.numbers) : coloring(name, values)) };
  }
}

/** How far each cell can be named. A call of one name is one class, whatever level it is of. */
function calls(result) {
  const numbers = new Map();
  const codes = new Uint16Array(result.cells);
  for (let cell = 0; cell < codes.length; cell += 1) {
    const name = callOf(result, cell);
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    codes[cell] = numbers.get(name);
  }
  return { name: 'call', classes: [...numbers.keys()].map((name) => ({ name })), codes };
}

/** A column of few numbers, such as those of clusters, in ascending order. */
function ofFew(name, numbers) {
  const values = [...new Set(numbers)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const places = new Map(values.map((value, at) => [value, at]));
  const classes = [...values.map((value) => ({ name: String(value) })), { name: 'missing', under: true }];
  return { name, classes, codes: Uint16Array.from(numbers, (value) => places.get(value) ?? values.length) };
}
