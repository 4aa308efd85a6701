// Finding points by place: a uniform grid over the layout.

/** [left, bottom, right, top] of interleaved positions; points that are not finite are passed over. */
export function boundsOf(...layouts) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const layout of layouts) {
    for (let i = 0; i < layout.length; i += 2) {
      const x = layout[i];
      const y = layout[i + 1];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      if (x < bounds[0]) bounds[0] = x;
      if (y < bounds[1]) bounds[1] = y;
      if (x > bounds[2]) bounds[2] = x;
      if (y > bounds[3]) bounds[3] = y;
    }
  }
  return bounds[0] <= bounds[2] ? bounds : [-1, -1, 1, 1];
}

export class Grid {
  #layout;
  #bounds;
  #side;
  #cell;
  #starts;
  #points;

  /** @param {Float32Array} layout x and y of each point, interleaved */
  constructor(layout) {
    const count = layout.length / 2;
    this.#layout = layout;
    this.#bounds = boundsOf(layout);
    this.#side = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(count / 4))));
    const [left, bottom, right, top] = this.#bounds;
    this.#cell = Math.max(right - left, top - bottom, 1e-6) / this.#side;
    const bins = this.#side * this.#side;
    const place = new Uint32Array(count).fill(bins);
    this.#starts = new Uint32Array(bins + 2);
    for (let i = 0; i < count; i += 1) {
      const x = layout[2 * i];
      const y = layout[2 * i + 1];
      if (Number.isFinite(x) && Number.isFinite(y)) place[i] = this.#clamp((y - bottom) / this.#cell) * this.#side + this.#clamp((x - left) / this.#cell);
      this.#starts[place[i] + 1] += 1;
    }
    for (let b = 0; b <= bins; b += 1) this.#starts[b + 1] += this.#starts[b];
    const next = this.#starts.slice();
    this.#points = new Uint32Array(count);
    for (let i = 0; i < count; i += 1) this.#points[next[place[i]]++] = i;
  }

  #clamp(position) {
    return Math.min(this.#side - 1, Math.max(0, Math.floor(position)));
  }

  /** The nearest point within `radius` for which `accept` holds, or -1. */
  nearest(x, y, radius, accept = () => true) {
    const [left, bottom] = this.#bounds;
    const columns = [x - radius, x + radius].map((at) => this.#clamp((at - left) / this.#cell));
    const rows = [y - radius, y + radius].map((at) => this.#clamp((at - bottom) / this.#cell));
    let best = -1;
    let closest = radius * radius;
    for (let row = rows[0]; row <= rows[1]; row += 1) {
      for (let column = columns[0]; column <= columns[1]; column += 1) {
        const bin = row * this.#side + column;
        for (let at = this.#starts[bin]; at < this.#starts[bin + 1]; at += 1) {
          const point = this.#points[at];
          const distance = (this.#layout[2 * point] - x) ** 2 + (this.#layout[2 * point + 1] - y) ** 2;
          if (distance <= closest && accept(point)) {
            closest = distance;
            best = point;
          }
        }
      }
    }
    return best;
  }
}

/**
 * Where the name of each class is written: in its densest place, since the mean of a class in two
 * islands lies in the sea between them.
 *
 * @returns {Array<[number, number] | null>} null for a class without points
 */
export function densestPlaces(layout, codes, classCount, bins = 40) {
  const [left, bottom, right, top] = boundsOf(layout);
  const cell = Math.max(right - left, top - bottom, 1e-6) / bins;
  const at = (value, low) => Math.min(bins - 1, Math.max(0, Math.floor((value - low) / cell)));
  const size = bins * bins;
  const count = new Float64Array(size * classCount);
  const each = (visit) => {
    for (let i = 0; i < codes.length; i += 1) {
      const x = layout[2 * i];
      const y = layout[2 * i + 1];
      if (codes[i] < classCount && Number.isFinite(x) && Number.isFinite(y)) visit(codes[i], at(x, left), at(y, bottom), x, y);
    }
  };
  each((code, column, row) => { count[code * size + row * bins + column] += 1; });
  const peaks = Array.from({ length: classCount }, (_, code) => peak(count.subarray(code * size, (code + 1) * size), bins));
  const sums = peaks.map(() => [0, 0, 0]);
  each((code, column, row, x, y) => {
    const [peakColumn, peakRow] = peaks[code];
    if (Math.abs(column - peakColumn) > 1 || Math.abs(row - peakRow) > 1) return;
    sums[code][0] += x;
    sums[code][1] += y;
    sums[code][2] += 1;
  });
  return sums.map(([x, y, n]) => (n > 0 ? [x / n, y / n] : null));
}

/** The bin whose neighbourhood of nine holds the most. */
function peak(count, bins) {
  let best = [0, 0];
  let most = -1;
  for (let row = 0; row < bins; row += 1) {
    for (let column = 0; column < bins; column += 1) {
      if (count[row * bins + column] === 0) continue;
      let sum = 0;
      for (let r = Math.max(0, row - 1); r <= Math.min(bins - 1, row + 1); r += 1) {
        for (let c = Math.max(0, column - 1); c <= Math.min(bins - 1, column + 1); c += 1) sum += count[r * bins + c];
      }
      if (sum > most) {
        most = sum;
        best = [column, row];
      }
    }
  }
  return best;
}
