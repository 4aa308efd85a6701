import { CanvasPoints } from './canvas2d.js';
import { listen } from './gestures.js';
import { Grid } from './grid.js';
import { pointsInside } from './inside.js';
import { Outline } from './outline.js';
import { WebGlPoints } from './webgl.js';

const HOVER_RADIUS = 10; // CSS pixels, as in Azimuth
const MOST_RATIO = 2; // More device pixels than this only cost time.

/**
 * One map: points, names on top, a ring around the cell that was asked for, and a hover box.
 *
 * With the tool “lasso” or “box” a drag draws an outline. While it is drawn the event `outline` tells how many points
 * in sight lie inside, `{ count }`, or null once it is dropped; at its end `select` tells which, `{ points, how, tool }`.
 */
export class Scatter extends EventTarget {
  #surface;
  #canvas;
  #overlay;
  #box;
  #camera;
  #points;
  #grid = null;
  #layout = new Float32Array();
  #labels = [];
  #ring = -1;
  #accept = () => true;
  #describe = () => null;
  #frame = 0;
  #size = [0, 0];
  #tool = 'pan';
  #outline = null;

  /** `describe(point)` gives the lines of the hover box. */
  constructor(figure, camera, describe) {
    super();
    this.#camera = camera;
    this.#describe = describe;
    this.#surface = document.createElement('div');
    this.#surface.className = 'surface';
    this.#surface.tabIndex = 0;
    this.#surface.setAttribute('role', 'img');
    this.#surface.setAttribute('aria-label', 'Map without cells yet');
    this.#surface.setAttribute('aria-describedby', 'maps-hint');
    this.#box = document.createElement('div');
    this.#box.className = 'hover-box';
    this.#box.hidden = true;
    this.#overlay = document.createElement('canvas');
    this.#overlay.className = 'overlay';
    this.#makePoints();
    this.#surface.append(this.#canvas, this.#overlay, this.#box);
    figure.append(this.#surface);
    listen(this.#surface, camera, {
      onHover: (x, y) => this.#hover(x, y),
      onLeave: () => { this.#box.hidden = true; },
      draws: () => this.#tool !== 'pan',
      onDraw: {
        begin: (place, how) => { this.#outline = new Outline(this.#tool, how, camera, place); },
        add: (place) => this.#outline && (this.#outline.add(place), this.redraw()),
        end: () => this.#select(),
        drop: () => this.dropOutline(),
      },
    });
    camera.addEventListener('change', () => this.redraw());
    new ResizeObserver(() => this.#resize()).observe(this.#surface);
  }

  #makePoints() {
    this.#canvas = document.createElement('canvas');
    const plain = new URL(window.location.href).searchParams.get('renderer') === '2d';
    let why = '';
    try {
      if (plain) throw new Error('asked for in the address');
      this.#points = new WebGlPoints(this.#canvas, () => this.redraw());
    } catch (error) {
      why = error.message;
      this.#canvas = document.createElement('canvas'); // A canvas that has refused one context may refuse another.
      this.#points = new CanvasPoints(this.#canvas);
    }
    this.#canvas.dataset.why = why;
    this.#canvas.dataset.renderer = this.#points instanceof WebGlPoints ? 'webgl2' : '2d';
  }

  get size() {
    return this.#size;
  }

  set name(text) {
    this.#surface.setAttribute('aria-label', text);
  }

  /** “pan”, “lasso” or “box”: what a drag does. */
  set tool(tool) {
    this.#tool = tool;
    this.#surface.dataset.tool = tool;
    this.dropOutline();
  }

  /** Forgets what is being drawn. Says whether there was something. */
  dropOutline() {
    if (!this.#outline) return false;
    this.#outline = null;
    this.dispatchEvent(new CustomEvent('outline', { detail: null }));
    this.redraw();
    return true;
  }

  setPoints(layout) {
    this.dropOutline(); // It was drawn around others.
    this.#layout = layout;
    this.#grid = null; // Built when first asked for.
    this.#points.setPoints(layout);
    this.redraw();
  }

  /** `accept` says which points are in sight, for hovering. */
  setPaint(painted, accept = () => true) {
    this.#accept = accept;
    this.#points.setPaint(painted);
    this.redraw();
  }

  setBehind(layout, color) {
    this.#points.setBehind(layout, color);
    this.redraw();
  }

  /** `labels`: [{ text, x, y, beside }], the more important first; `beside` sets the name above its place. */
  setLabels(labels) {
    this.#labels = labels;
    this.redraw();
  }

  setRing(point) {
    this.#ring = point;
    this.redraw();
  }

  redraw() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#surface;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#size = [clientWidth, clientHeight];
    const ratio = Math.min(window.devicePixelRatio || 1, MOST_RATIO);
    for (const canvas of [this.#canvas, this.#overlay]) {
      canvas.width = Math.round(clientWidth * ratio);
      canvas.height = Math.round(clientHeight * ratio);
    }
    this.dispatchEvent(new Event('resize'));
    this.#draw(); // At once: a canvas that has been resized is empty.
  }

  #draw() {
    const [width, height] = this.#size;
    if (width === 0) return;
    const { center, scale, zoom } = this.#camera;
    const ratio = this.#canvas.width / width;
    const size = pointSize(this.#layout.length / 2, Math.min(width, height), zoom);
    this.#points.draw({ center, scale, width: this.#canvas.width, height: this.#canvas.height, ratio, size });
    this.#drawOverlay(width, height, ratio);
  }

  #drawOverlay(width, height, ratio) {
    const context = this.#overlay.getContext('2d');
    const style = getComputedStyle(this.#surface);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.#ring >= 0) this.#drawRing(context, style, width, height);
    if (this.#outline) this.#drawOutline(context, style, width, height);
    context.font = `600 12px ${style.fontFamily}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 3.5;
    context.strokeStyle = style.getPropertyValue('--panel');
    context.fillStyle = style.getPropertyValue('--ink');
    const taken = [];
    for (const { text, x, y, beside } of this.#labels) {
      const [left, at] = this.#camera.toScreen(x, y, width, height);
      const top = beside ? at - 14 : at;
      if (left < 0 || left > width || top < 0 || top > height) continue;
      const half = context.measureText(text).width / 2 + 4;
      const middle = Math.max(half, Math.min(width - half, left)); // A name at the edge moves in rather than being cut.
      const box = [middle - half, top - 8, middle + half, top + 8];
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      context.strokeText(text, middle, top);
      context.fillText(text, middle, top);
    }
  }

  #drawRing(context, style, width, height) {
    const [x, y] = this.#camera.toScreen(this.#layout[2 * this.#ring], this.#layout[2 * this.#ring + 1], width, height);
    for (const [lineWidth, color] of [[5, '--panel'], [2.2, '--ink']]) {
      context.beginPath();
      context.arc(x, y, 9, 0, 2 * Math.PI);
      context.lineWidth = lineWidth;
      context.strokeStyle = style.getPropertyValue(color);
      context.stroke();
    }
  }

  #drawOutline(context, style, width, height) {
    this.#outline.draw(context, style, width, height);
    if (!this.#outline.isClick) this.dispatchEvent(new CustomEvent('outline', { detail: { count: this.#inside().length } }));
  }

  #inside() {
    return pointsInside(this.#layout, this.#outline.corners, this.#accept);
  }

  #select() {
    if (!this.#outline) return; // Escape has dropped it.
    const { how, tool, isClick } = this.#outline;
    const points = isClick ? null : this.#inside();
    this.dropOutline();
    if (points) this.dispatchEvent(new CustomEvent('select', { detail: { points, how, tool } }));
  }

  #hover(x, y) {
    const [width, height] = this.#size;
    if (width === 0 || this.#layout.length === 0) return;
    this.#grid ??= new Grid(this.#layout);
    const point = this.#grid.nearest(...this.#camera.toLayout(x, y, width, height), HOVER_RADIUS / this.#camera.scale, this.#accept);
    const lines = point >= 0 ? this.#describe(point) : null;
    this.#box.hidden = !lines;
    if (!lines) return;
    this.#box.replaceChildren(...lines.map((line) => Object.assign(document.createElement('span'), { textContent: line })));
    const [left, top] = this.#camera.toScreen(this.#layout[2 * point], this.#layout[2 * point + 1], width, height);
    const { offsetWidth, offsetHeight } = this.#box;
    const boxLeft = left + 14 + offsetWidth > width ? left - 14 - offsetWidth : left + 14;
    const boxTop = Math.max(4, Math.min(height - offsetHeight - 4, top - offsetHeight / 2));
    this.#box.style.transform = `translate(${Math.round(Math.max(4, boxLeft))}px, ${Math.round(boxTop)}px)`;
  }
}

/** Diameter in CSS pixels: smaller for more points and smaller plots, growing slowly as one comes closer. */
function pointSize(count, side, zoom) {
  const base = (26 / Math.max(1, count) ** 0.25) * Math.sqrt(side / 480);
  return Math.min(14, Math.max(1.2, base) * Math.max(1, zoom) ** 0.4);
}

function overlap(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
