// Colours and the order of drawing.

// viridis in nine steps: even in lightness, and readable without red and green.
const VIRIDIS = ['#440154', '#472d7b', '#3b528b', '#2c728e', '#21918c', '#28ae80', '#5ec962', '#addc30', '#fde725'].map(rgb);
// plasma, as Azimuth colours the expression of a reference.
const PLASMA = ['#0d0887', '#4c02a1', '#7e03a8', '#aa2395', '#cc4778', '#e66c5c', '#f89540', '#fdc527', '#f0f921'].map(rgb);
// The lightest end is hard to see on white and the darkest on black: each theme leaves out its own.
const SPAN = { light: [0, 0.93], dark: [0.14, 1] };

export function rgb(hex) {
  const value = Number.parseInt(/^#([0-9a-f]{6})$/i.exec(hex)?.[1] ?? '888888', 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The colour of a score from 0 to 1. */
export const scoreColor = (score, dark) => between(VIRIDIS, score, dark);

/** The colour of an expression from 0 to 1. */
export const plasma = (value, dark) => between(PLASMA, value, dark);

export const hex = (color) => `#${color.map((value) => value.toString(16).padStart(2, '0')).join('')}`;

function between(steps, score, dark) {
  const [low, high] = SPAN[dark ? 'dark' : 'light'];
  const at = (low + Math.min(1, Math.max(0, score || 0)) * (high - low)) * (steps.length - 1);
  const below = Math.min(steps.length - 2, Math.floor(at));
  return steps[below].map((value, channel) => Math.round(value + (steps[below + 1][channel] - value) * (at - below)));
}

/** A table of 256 colours, for many points. */
export function scoreTable(dark, scale = scoreColor) {
  return Array.from({ length: 256 }, (_, step) => scale(step / 255, dark));
}

/**
 * Paint for each point, and the order in which they are drawn.
 *
 * Larger classes are drawn first, so that a rare type lies on top of a common one and not under it.
 * A point whose score is NaN has the colour of its class. Classes that are `under` the others come before all.
 * With a focus on one class the others turn pale and come before it, or are left out. With a selection, as a mask over
 * the points, so do those that are not `selected`.
 *
 * Scores are coloured by `scale`.
 *
 * @param {{ codes: Uint16Array, colors: number[][], scores?: Float32Array, scale?: Function, under?: boolean[], selected?: Uint8Array | null, focus: { highlight: number | null, isolated: boolean }, pale: number[], dark: boolean }} what
 * @returns {{ rgba: Uint8Array, order: Uint32Array }}
 */
export function paint({ codes, colors, scores, scale = scoreColor, under = [], selected = null, focus, pale, dark }) {
  const n = codes.length;
  const rgba = new Uint8Array(4 * n);
  const table = scores ? scoreTable(dark, scale) : null;
  const { highlight, isolated } = focus;
  for (let i = 0; i < n; i += 1) {
    const outside = (highlight !== null && codes[i] !== highlight) || (selected !== null && selected[i] === 0);
    const scored = table && !Number.isNaN(scores[i]);
    const color = outside ? pale : scored ? table[Math.round(255 * Math.min(1, Math.max(0, scores[i])))] : (colors[codes[i]] ?? pale);
    rgba[4 * i] = color[0];
    rgba[4 * i + 1] = color[1];
    rgba[4 * i + 2] = color[2];
    rgba[4 * i + 3] = outside ? 90 : 235;
  }
  const ranks = drawRanks(codes, colors.length, highlight, under, Boolean(scores));
  return { rgba, order: ordered(codes, ranks, isolated ? highlight : null, selected) };
}

/** Which class is drawn when: rank 0 first. Scores are drawn in the order of the file, which hides none of them. */
function drawRanks(codes, classCount, highlight, under, byScore) {
  const size = new Float64Array(classCount + 1);
  for (const code of codes) size[Math.min(code, classCount)] += 1;
  const classes = Array.from(size.keys());
  if (!byScore) classes.sort((a, b) => Boolean(under[b]) - Boolean(under[a]) || size[b] - size[a] || a - b);
  const ranks = new Uint32Array(classCount + 1);
  classes.forEach((code, rank) => { ranks[code] = byScore ? Number(!under[code]) : rank; });
  if (highlight !== null) ranks[highlight] = classCount + 1;
  return ranks;
}

/** Point numbers by the rank of their class (a counting sort), those that are `selected` after all others; `only` keeps
 *  one class. */
function ordered(codes, ranks, only, selected) {
  const last = ranks.length - 1;
  const above = ranks.length + 1; // the ranks of classes are below it
  const starts = new Uint32Array(2 * above + 1);
  const rankOf = (i) => ranks[Math.min(codes[i], last)] + (selected !== null && selected[i] === 1 ? above : 0);
  const kept = (i) => only === null || codes[i] === only;
  for (let i = 0; i < codes.length; i += 1) if (kept(i)) starts[rankOf(i) + 1] += 1;
  for (let rank = 0; rank + 1 < starts.length; rank += 1) starts[rank + 1] += starts[rank];
  const order = new Uint32Array(starts.at(-1));
  for (let i = 0; i < codes.length; i += 1) if (kept(i)) order[starts[rankOf(i)]++] = i;
  return order;
}
