// The view that both maps share: which point of the layout is in the middle, and how large a unit is.

const CLOSEST = 200; // times the scale that shows everything
const FARTHEST = 0.5;
const MARGIN = 0.06;
const GLIDE_MS = 220;

export class Camera extends EventTarget {
  center = [0, 0];
  /** CSS pixels per unit of the layout. */
  scale = 1;
  #home = { center: [0, 0], scale: 1 };
  #bounds = null;
  #frame = 0;

  /** Where everything is in sight. `bounds`: [left, bottom, right, top] of all points; sizes in CSS pixels. */
  setHome(bounds, width, height) {
    const wasHome = this.isHome;
    this.#bounds = bounds;
    const [left, bottom, right, top] = bounds;
    const scale = Math.min(width / Math.max(right - left, 1e-6), height / Math.max(top - bottom, 1e-6)) * (1 - 2 * MARGIN);
    this.#home = { center: [(left + right) / 2, (bottom + top) / 2], scale };
    if (wasHome) this.#set(this.#home.center, scale);
    else this.#tell();
  }

  get isHome() {
    const { center, scale } = this.#home;
    return this.#bounds === null || (this.scale === scale && this.center[0] === center[0] && this.center[1] === center[1]);
  }

  /** How much closer than the view of everything. */
  get zoom() {
    return this.scale / this.#home.scale;
  }

  pan(dx, dy) {
    this.#stop();
    this.#set([this.center[0] - dx / this.scale, this.center[1] + dy / this.scale], this.scale);
  }

  /** Zooms so that the point under (x, y), in CSS pixels from the middle of the plot, stays where it is. */
  zoomAt(factor, x = 0, y = 0) {
    this.#stop();
    const scale = Math.min(Math.max(this.scale * factor, this.#home.scale * FARTHEST), this.#home.scale * CLOSEST);
    const held = 1 / this.scale - 1 / scale;
    this.#set([this.center[0] + x * held, this.center[1] - y * held], scale);
  }

  reset() {
    this.glideTo(this.#home.center, this.#home.scale);
  }

  /** Moves there in a moment, or at once for people who asked for less motion. */
  glideTo(center, scale = this.scale) {
    this.#stop();
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#set([...center], scale);
      return;
    }
    const from = { center: [...this.center], scale: this.scale };
    const start = performance.now();
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / GLIDE_MS));
      const eased = 1 - (1 - t) ** 3;
      if (t === 1) {
        this.#set([...center], scale);
        return;
      }
      const mix = (a, b) => a + (b - a) * eased;
      this.#set([mix(from.center[0], center[0]), mix(from.center[1], center[1])], from.scale * (scale / from.scale) ** eased);
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  toScreen(x, y, width, height) {
    return [width / 2 + (x - this.center[0]) * this.scale, height / 2 - (y - this.center[1]) * this.scale];
  }

  toLayout(x, y, width, height) {
    return [this.center[0] + (x - width / 2) / this.scale, this.center[1] - (y - height / 2) / this.scale];
  }

  #set(center, scale) {
    this.center = center;
    this.scale = scale;
    this.#tell();
  }

  #stop() {
    cancelAnimationFrame(this.#frame);
  }

  #tell() {
    this.dispatchEvent(new Event('change'));
  }
}
