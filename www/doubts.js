// Which cells deserve doubt, counted and picked out of what was mapped.

/** From here on a score counts as high; a guide for the eye, no sharp bound. */
export const HIGH = 0.75;
const UNSURE = 0.5;
const BADLY_MAPPED = 0.4;
// As on a reference's card: how right the labels of smaller classes are was not measured.
const FEWEST_VALIDATED = 20;
const DOUBLET = 0.5;

/**
 * The four cases of a label's score against the mapping score.
 *
 * @returns {{ codes: Uint8Array, counts: number[] }} of each cell 2 where the label's score is high, plus 1 where the
 *   mapping score is; 4 where one of them is missing; and how many cells have each code
 */
export function quadrantsOf(scores, mappingScores) {
  const codes = new Uint8Array(scores.length);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < codes.length; i += 1) {
    codes[i] = Number.isNaN(scores[i] + mappingScores[i]) ? 4 : 2 * (scores[i] >= HIGH) + (mappingScores[i] >= HIGH);
    counts[codes[i]] += 1;
  }
  return { codes, counts };
}

/** The cells of which something holds, ascending. */
export function cellsWhere(cells, holds) {
  let count = 0;
  for (let i = 0; i < cells; i += 1) count += holds(i) ? 1 : 0;
  const found = new Uint32Array(count);
  for (let i = 0, at = 0; at < count; i += 1) if (holds(i)) found[at++] = i;
  return found;
}

/** What there is to doubt: `[{ name, words, holds, cells }]`, `holds(i)` of which cells and `cells` how many. */
export function doubtsOf({ result, reference, doublets }, level) {
  const { levels, calls, sure, mappingScores } = result;
  const values = sure.values[level];
  const few = smallClasses(result, reference);
  const listed = [
    calls && { name: 'Called unknown', holds: (i) => calls[i] === levels.length + 1,
      words: 'The unknown score is 0.5 or more: perhaps of a type that the reference does not have. The label is the nearest type that it has.' },
    calls && { name: 'Unresolved', holds: (i) => calls[i] === levels.length,
      words: 'Not even the coarsest label has a confidence of 2/3.' },
    { name: `${sure.name[0].toUpperCase()}${sure.name.slice(1)} of ${levels[level].name} below ${UNSURE}`, holds: (i) => values[i] < UNSURE,
      words: 'Another label of this level may be as likely. Where there is a coarser level, look at that.' },
    { name: `Mapping score below ${BADLY_MAPPED}`, holds: (i) => mappingScores[i] < BADLY_MAPPED,
      words: 'The cell’s neighbourhood does not survive the way through the reference: its state or type may not be there, or the cell is of low quality.' },
    { name: `Label of fewer than ${FEWEST_VALIDATED} reference cells`, holds: (i) => few.codes.some((of, at) => of[result.codes[at][i]]),
      words: few.names.length > 0 ? `How right these labels are was not measured: ${few.names.join(', ')}.` : 'Every class of the reference has more cells.' },
    doublets && { name: `Doublet score above ${DOUBLET}`, holds: (i) => doublets.scores[i] > DOUBLET,
      words: 'It looks like two cells in one droplet. No cell was removed.' },
  ];
  return listed.filter(Boolean).map((doubt) => ({ ...doubt, cells: countWhere(result.cells, doubt.holds) }));
}

function countWhere(cells, holds) {
  let count = 0;
  for (let i = 0; i < cells; i += 1) count += holds(i) ? 1 : 0;
  return count;
}

/** Of each level that was mapped, which codes stand for a class with few cells in the reference; and their names with cells. */
function smallClasses(result, { about }) {
  const names = new Set();
  const codes = result.levels.map(({ name, classes }) => {
    const known = new Map(about.levels.find((level) => level.name === name)?.classes.map((each) => [each.name, each.cells]));
    return classes.map((each) => {
      const small = known.get(each.name) < FEWEST_VALIDATED;
      if (small) names.add(`${each.name} (${known.get(each.name)})`);
      return small;
    });
  });
  return { codes, names: [...names] };
}
