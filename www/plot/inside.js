// Which points lie inside of an outline.

import { boundsOf } from './grid.js';

// An outline drawn by hand has hundreds of edges. Cut into stripes, a point meets only the few of its own stripe.
const STRIPES = 512;
const NUMBERS = 4; // of an edge: the heights of its ends, where it begins, and how far to the right it goes for each unit upwards

/**
 * The points inside of an outline by the even-odd rule, in ascending order. One on the edge is inside on the left and
 * below, and outside on the right and above; points that are not finite are outside.
 *
 * @param {Float32Array} layout x and y of each point, interleaved
 * @param {Float64Array} outline x and y of each corner, interleaved; the last one is joined to the first
 * @param {(point: number) => boolean} accept which points count at all
 * @returns {Uint32Array}
 */
export function pointsInside(layout, outline, accept = () => true) {
  if (outline.length < 6) return new Uint32Array();
  const [left, bottom, right, top] = boundsOf(outline);
  const { starts, edges, perUnit } = striped(outline, bottom, top);
  const found = new Uint32Array(layout.length / 2);
  let count = 0;
  for (let i = 0; i < found.length; i += 1) {
    const x = layout[2 * i];
    const y = layout[2 * i + 1];
    if (!(x >= left && x <= right && y >= bottom && y <= top)) continue;
    const stripe = stripeOf(y, bottom, perUnit);
    let inside = false;
    for (let at = starts[stripe] * NUMBERS; at < starts[stripe + 1] * NUMBERS; at += NUMBERS) {
      const from = edges[at];
      if ((from > y) !== (edges[at + 1] > y) && x < edges[at + 2] + (y - from) * edges[at + 3]) inside = !inside;
    }
    if (inside && accept(i)) found[count++] = i;
  }
  return found.slice(0, count);
}

function stripeOf(y, bottom, perUnit) {
  return Math.min(STRIPES - 1, Math.floor((y - bottom) * perUnit));
}

/** The edges of each stripe, one stripe after the other. */
function striped(outline, bottom, top) {
  const corners = outline.length / 2;
  const perUnit = top > bottom ? STRIPES / (top - bottom) : 0;
  const each = (visit) => {
    for (let i = 0, j = corners - 1; i < corners; j = i, i += 1) {
      const [x, y, toX, toY] = [outline[2 * i], outline[2 * i + 1], outline[2 * j], outline[2 * j + 1]];
      if (y === toY) continue; // No point is beside a level edge.
      const last = stripeOf(Math.max(y, toY), bottom, perUnit);
      for (let stripe = stripeOf(Math.min(y, toY), bottom, perUnit); stripe <= last; stripe += 1) visit(stripe, x, y, toX, toY);
    }
  };
  const starts = new Uint32Array(STRIPES + 1);
  each((stripe) => { starts[stripe + 1] += 1; });
  for (let stripe = 0; stripe < STRIPES; stripe += 1) starts[stripe + 1] += starts[stripe];
  const next = starts.slice();
  const edges = new Float64Array(NUMBERS * starts[STRIPES]);
  each((stripe, x, y, toX, toY) => { edges.set([y, toY, x, (toX - x) / (toY - y)], NUMBERS * next[stripe]++); });
  return { starts, edges, perUnit };
}
