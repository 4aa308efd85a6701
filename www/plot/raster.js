// Points blended into one picture, however many they are: a million take a loop, not a million elements.

/**
 * Blends points into a picture of `width` × `height`, four bytes a pixel.
 *
 * @param {{ xs: Float32Array, ys: Float32Array, rgba: Uint8Array, order: Uint32Array, width: number, height: number, size: number }} what
 *   places from 0 to 1 with 0 0 at the lower left, those outside are clamped and points with a missing place are left out;
 *   colours as `paint` gives them; the length of a point's side in pixels
 * @returns {{ picture: Uint8ClampedArray, drawn: number }} and how many points were drawn
 */
export function rasterise({ xs, ys, rgba, order, width, height, size }) {
  const picture = new Uint8ClampedArray(4 * width * height);
  // Many points lie on one another: the more there are, the less each covers, so that dense places differ from thin ones.
  const cover = Math.min(0.85, Math.max(0.12, (0.5 * width * height) / Math.max(1, order.length * size * size)));
  let drawn = 0;
  for (const i of order) {
    if (Number.isNaN(xs[i] + ys[i])) continue;
    drawn += 1;
    const left = corner(xs[i], width, size);
    const top = corner(1 - ys[i], height, size);
    const alpha = (cover * rgba[4 * i + 3]) / 235;
    for (let y = top; y < top + size; y += 1) {
      for (let x = left; x < left + size; x += 1) blend(picture, 4 * (y * width + x), rgba, 4 * i, alpha);
    }
  }
  return { picture, drawn };
}

function corner(place, length, size) {
  const at = Math.round(place * (length - 1) - (size - 1) / 2);
  return Math.max(0, Math.min(length - size, at));
}

/** One colour over another that may be transparent. */
function blend(picture, to, rgba, from, alpha) {
  const before = picture[to + 3] / 255;
  const after = alpha + before * (1 - alpha);
  for (let channel = 0; channel < 3; channel += 1) {
    picture[to + channel] = (rgba[from + channel] * alpha + picture[to + channel] * before * (1 - alpha)) / after;
  }
  picture[to + 3] = 255 * after;
}
