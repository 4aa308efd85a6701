// Points on a plain canvas, where WebGL 2 is missing: slower, the same picture.

export class CanvasPoints {
  #context;
  #layout = new Float32Array();
  #rgba = new Uint8Array();
  #order = new Uint32Array();
  #behind = null;
  #behindColor = [0, 0, 0, 0];

  constructor(canvas) {
    this.#context = canvas.getContext('2d');
  }

  setPoints(layout) {
    this.#layout = layout;
  }

  setPaint({ rgba, order }) {
    this.#rgba = rgba;
    this.#order = order;
  }

  setBehind(layout, color) {
    this.#behind = layout;
    this.#behindColor = color;
  }

  draw({ center, scale, width, height, ratio, size }) {
    const context = this.#context;
    const side = Math.max(1, size * ratio * 0.89); // A square of the same area as the disc.
    const unit = scale * ratio;
    const dot = (layout, i) => {
      const x = width / 2 + (layout[2 * i] - center[0]) * unit;
      const y = height / 2 - (layout[2 * i + 1] - center[1]) * unit;
      if (x > -side && y > -side && x < width + side && y < height + side) context.fillRect(x - side / 2, y - side / 2, side, side);
    };
    context.clearRect(0, 0, width, height);
    if (this.#behind) {
      context.fillStyle = css(this.#behindColor);
      for (let i = 0; i < this.#behind.length / 2; i += 1) dot(this.#behind, i);
    }
    let last = -1;
    for (const i of this.#order) {
      const at = 4 * i;
      const key = (this.#rgba[at] << 24) | (this.#rgba[at + 1] << 16) | (this.#rgba[at + 2] << 8) | this.#rgba[at + 3];
      if (key !== last) context.fillStyle = css(this.#rgba.subarray(at, at + 4)); // Classes come one after the other, so this is rare.
      last = key;
      dot(this.#layout, i);
    }
  }
}

function css([r, g, b, a]) {
  return `rgba(${r}, ${g}, ${b}, ${a / 255})`;
}
