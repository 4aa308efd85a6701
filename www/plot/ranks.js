// The curve of barcodes ranked by their counts, as people know it from Cell Ranger: both axes logarithmic.

const WIDTH = 310;
const HEIGHT = 170;
const ROOM = { left: 38, right: 10, top: 8, bottom: 32 };
// Totals of zero have no logarithm; they lie below the axis.
const LOWEST = 0.5;

/** How many barcodes have at least so many counts: between two points of the curve, along the line that is drawn. */
export function barcodesWith(curve, counts) {
  const at = curve.findIndex(([, total]) => total < counts);
  if (at === -1) return curve.at(-1)?.[0] ?? 0;
  if (at === 0) return 0;
  const [rank, total] = curve[at - 1];
  const [nextRank, nextTotal] = curve[at];
  const [high, low] = [total, nextTotal].map((each) => Math.log(Math.max(LOWEST, each)));
  const share = high > low ? (high - Math.log(Math.max(LOWEST, counts))) / (high - low) : 0;
  return Math.round(Math.exp(Math.log(rank) + share * (Math.log(nextRank) - Math.log(rank))));
}

/** The plot, with the limit drawn in where there is one; `words` say what it shows. */
export function ranks(curve, limit, words) {
  const most = { rank: curve.at(-1)?.[0] ?? 1, total: curve[0]?.[1] ?? 1 };
  const x = scale(most.rank, ROOM.left, WIDTH - ROOM.right);
  const y = scale(most.total, HEIGHT - ROOM.bottom, ROOM.top);
  const svg = node('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words });
  for (const power of powers(most.rank)) svg.append(tick('rank', x(power), HEIGHT - ROOM.bottom, power));
  for (const power of powers(most.total)) svg.append(tick('total', ROOM.left, y(power), power));
  svg.append(text('rank-title', (ROOM.left + WIDTH - ROOM.right) / 2, HEIGHT - 3, 'barcodes, by rank'));
  const title = text('rank-title', 0, 0, 'counts');
  title.setAttribute('transform', `translate(8 ${(ROOM.top + HEIGHT - ROOM.bottom) / 2}) rotate(-90)`);
  svg.append(title);
  const base = HEIGHT - ROOM.bottom;
  const line = curve.map(([rank, total], at) => `${at === 0 ? 'M' : 'L'}${x(rank).toFixed(1)} ${Math.min(base, y(total)).toFixed(1)}`).join('');
  if (limit) {
    const [cut, level] = [clamp(x(Math.max(1, limit.cells)), ROOM.left, WIDTH - ROOM.right), clamp(y(limit.counts), ROOM.top, base)];
    svg.append(node('rect', { class: 'rank-cells', x: ROOM.left, y: ROOM.top, width: Math.max(0, cut - ROOM.left), height: base - ROOM.top }));
    svg.append(node('path', { class: 'rank-line', d: line }));
    svg.append(node('path', { class: 'rank-limit', d: `M${ROOM.left} ${level}H${cut}V${base}` }));
    svg.append(node('circle', { class: 'rank-knot', cx: cut, cy: level, r: 3 }));
  } else {
    svg.append(node('path', { class: 'rank-line', d: line }));
  }
  return svg;
}

/** From 1 to `most` on a logarithmic scale. */
function scale(most, from, to) {
  const top = Math.max(Math.log(most), 1e-9);
  return (value) => from + ((to - from) * Math.log(Math.max(LOWEST, value))) / top;
}

function powers(most) {
  const found = [];
  for (let power = 1; power <= most; power *= 10) found.push(power);
  return found;
}

function tick(axis, x, y, power) {
  const group = node('g', { class: 'rank-tick' });
  const grid = axis === 'rank' ? `M${x} ${ROOM.top}V${y}` : `M${x} ${y}H${WIDTH - ROOM.right}`;
  group.append(node('path', { d: grid }));
  const words = power >= 1e6 ? `${power / 1e6}M` : power >= 1e3 ? `${power / 1e3}k` : String(power);
  group.append(axis === 'rank' ? text('', x, y + 12, words) : text('at-end', x - 5, y + 3, words));
  return group;
}

function text(name, x, y, words) {
  const made = node('text', { class: name, x, y });
  made.textContent = words;
  return made;
}

function node(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
