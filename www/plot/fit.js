// One map brought into the frame of another.

import { boundsOf } from './grid.js';

/** The places of `layout`, moved and scaled alike along both axes so that they fill the bounds of `frame`. */
export function fitted(layout, frame) {
  const [left, bottom, right, top] = boundsOf(layout);
  const to = boundsOf(frame);
  const scale = Math.min((to[2] - to[0]) / (right - left || 1), (to[3] - to[1]) / (top - bottom || 1));
  const places = new Float32Array(layout.length);
  for (let i = 0; i < layout.length; i += 2) {
    places[i] = (to[0] + to[2]) / 2 + (layout[i] - (left + right) / 2) * scale;
    places[i + 1] = (to[1] + to[3]) / 2 + (layout[i + 1] - (bottom + top) / 2) * scale;
  }
  return places;
}
