// What is on the screen: one level of the reference, and the same of the result.

/**
 * @returns {{ reference: { classes, codes }, query: null | { classes, codes, scores, sure } }} the level that the maps,
 *   the legend and the tables show; `sure` is how sure each label is, see the worker's `map`
 */
export function shownLevel({ reference, result, colorBy }) {
  const find = (levels) => Math.max(0, levels.findIndex(({ name }) => name === colorBy.level));
  const inReference = find(reference.about.levels);
  const shown = { reference: colorBy.kind === 'origin' ? colorBy.origin : { classes: reference.about.levels[inReference].classes, codes: reference.codes[inReference] }, query: null };
  if (result) {
    const at = find(result.levels);
    shown.query = { name: result.levels[at].name, classes: result.levels[at].classes, codes: result.codes[at], scores: result.scores[at], sure: result.sure.values[at] };
  }
  return shown;
}

/** The number that stands for the query's own clusters where a column of metadata has its own. */
export const OWN_CLUSTERS = -1;
/** And the one for the scores of doublets. */
export const DOUBLETS = -2;

/** The number that stands for a protein of the reference where a column of metadata has its own, and back; null for others. */
export const columnOfProtein = (protein) => DOUBLETS - 1 - protein;
export const proteinOfColumn = (column) => (column < DOUBLETS ? DOUBLETS - 1 - column : null);

/** Whether work is going on that another choice would disturb. */
export function isBusy({ phase, entry }) {
  return ['loading', 'reading', 'mapping'].includes(phase) || !entry;
}

/** The column of metadata that the query's cells are coloured by, or null; see `coloring`. */
export function shownMetadata({ result, colorBy }) {
  return result && colorBy.kind === 'metadata' ? colorBy.coloring : null;
}

/** What a class is told from others by: labels have their names. */
export const keyOf = ({ key, name }) => key ?? name;

/** The number of a class by its key, or null. */
export function codeOf(classes, wanted) {
  const code = wanted === null ? -1 : classes.findIndex((each) => keyOf(each) === wanted);
  return code >= 0 ? code : null;
}

const decoded = new WeakMap();

/** Names of the query's cells; decoded when first needed, since a million names take a moment. */
export function cellNames(result) {
  if (!decoded.has(result)) decoded.set(result, new TextDecoder().decode(result.names).replace(/\n$/, '').split('\n'));
  return decoded.get(result);
}

/** How far a cell can be named: its finest label that is certain enough, or `unresolved` or `unknown`. */
export function callOf({ levels, codes, calls }, cell) {
  const call = calls[cell];
  if (call >= levels.length) return call === levels.length ? 'unresolved' : 'unknown';
  return levels[call].classes[codes[call][cell]]?.name ?? '–';
}
