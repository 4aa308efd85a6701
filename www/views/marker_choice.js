import { element, say } from './dom.js';
import { isBusy } from './shown.js';

/** The usual marker genes: of every type of every level, each against all other cells. */
export const EVERY_LEVEL = { by: 'levels', group: '', against: '', table: 'normalised' };

// A choice of more groups is none, and columns of names of cells are no groups.
const MOST_GROUPS = 1000;
const MOST_COLUMNS = 200;

/** What the engine is asked for; `by` is `levels`, `level NAME`, `clusters` or `column NUMBER`. */
export function wishesOf({ by, group, against, table }) {
  const [, kind, of] = by.match(/^(\w+) ?(.*)$/s);
  return {
    ...(kind === 'level' && { level: of }),
    ...(kind === 'clusters' && { clusters: true }),
    ...(kind === 'column' && { column: Number(of) }),
    ...(group !== '' && { group }),
    ...(group !== '' && against !== '' && { against }),
    method: table === 'azimuth' ? 'azimuth' : 'normalised',
    all: table === 'all',
  };
}

/** Which marker genes are saved: of which groups of cells, of all of them or of one against others, and in which table. */
export class MarkerChoice {
  #root;
  #controls;
  #shown = {};

  constructor(root) {
    this.#root = root;
    const at = (name) => root.querySelector(`#markers-${name}`);
    this.#controls = { by: at('by'), group: at('group'), against: at('against'), table: at('table') };
    for (const [name, control] of Object.entries(this.#controls)) {
      control.addEventListener('change', () => {
        const { markers } = this.#shown;
        // Groups are those of what they are of.
        const others = { by: { group: '', against: '' }, group: control.value === '' || control.value === markers.against ? { against: '' } : {} }[name];
        say(root, 'markers', { markers: { ...markers, [name]: control.value, ...others } });
      });
    }
  }

  update(state) {
    const { result, query, own, markers } = state;
    const next = { result, query, own: own?.clusters, markers };
    for (const control of Object.values(this.#controls)) control.disabled = isBusy(state);
    if (!result || Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    const groups = groupsOf(state);
    fill(this.#controls.by, waysOf(state), markers.by);
    fill(this.#controls.group, [['', 'each of them'], ...groups.map((name) => [name, name])], markers.group);
    fill(this.#controls.against, [['', 'all other cells'], ...groups.filter((name) => name !== markers.group).map((name) => [name, name])], markers.against);
    this.#controls.group.parentElement.hidden = groups.length < 2;
    this.#controls.against.parentElement.hidden = markers.group === '';
    this.#controls.table.value = markers.table;
  }
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => element('option', { value, selected: value === chosen }, text)));
}

/** What groups cells: the levels, the cells' own clusters, and columns of the file whose values are classes. */
function waysOf({ result, query, own }) {
  const columns = (query.metadata ?? []).map((column, at) => [column, at]).filter(([column]) => isGrouping(column)).slice(0, MOST_COLUMNS);
  return [
    ['levels', result.levels.length > 1 ? 'the types of every level' : 'the types'],
    ...result.levels.map(({ name }) => [`level ${name}`, `types: ${name}`]),
    ...(own ? [['clusters', 'own clusters']] : []),
    ...columns.map(([{ name }, at]) => [`column ${at}`, `column: ${name}`]),
  ];
}

function isGrouping({ kind, unique, distinct }) {
  return kind !== 'number' && !unique && distinct > 1 && distinct <= MOST_GROUPS;
}

/** The groups that one of can be chosen; of a column the most frequent values. */
function groupsOf({ result, query, own, markers }) {
  const [, kind, of] = markers.by.match(/^(\w+) ?(.*)$/s);
  if (kind === 'level') return result.levels.find(({ name }) => name === of).classes.filter(({ cells }) => cells > 0).map(({ name }) => name);
  if (kind === 'clusters') return own.clusters.map(({ name }) => name);
  if (kind === 'column') return query.metadata[Number(of)].values.map(({ value }) => value.trim());
  return [];
}
