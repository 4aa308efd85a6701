// What a hand draws around points: a lasso or a box, kept in units of the layout so that it stays where it is while the
// view moves.

// In CSS pixels: what is nearer to the last corner is no corner, and what is smaller is a click.
const STEP = 2;
const CLICK = 4;

export class Outline {
  #tool;
  #camera;
  #corners;
  #last;
  #reach = 0;

  /** `how` is what becomes of what was selected before: “set”, “add” or “remove”. */
  constructor(tool, how, camera, place) {
    this.#tool = tool;
    this.how = how;
    this.#camera = camera;
    this.#last = place;
    this.first = place;
    this.#corners = [camera.toLayout(...place)];
  }

  get tool() {
    return this.#tool;
  }

  /** Whether it was a click rather than a drag. */
  get isClick() {
    return this.#reach < CLICK;
  }

  /** `place`: x and y in CSS pixels, and the width and height of the plot. */
  add(place) {
    this.#reach = Math.max(this.#reach, Math.hypot(place[0] - this.first[0], place[1] - this.first[1]));
    if (this.#tool === 'lasso') {
      if (Math.hypot(place[0] - this.#last[0], place[1] - this.#last[1]) < STEP) return;
      this.#corners.push(this.#camera.toLayout(...place));
    } else {
      this.#corners[1] = this.#camera.toLayout(...place);
    }
    this.#last = place;
  }

  /** x and y of each corner, interleaved. */
  get corners() {
    if (this.#tool === 'lasso') return Float64Array.from(this.#corners.flat());
    const [[x, y], [toX, toY]] = [this.#corners[0], this.#corners[1] ?? this.#corners[0]];
    return Float64Array.of(x, y, toX, y, toX, toY, x, toY);
  }

  draw(context, style, width, height) {
    const corners = this.corners;
    context.beginPath();
    for (let i = 0; i < corners.length; i += 2) context.lineTo(...this.#camera.toScreen(corners[i], corners[i + 1], width, height));
    context.closePath();
    context.save();
    context.fillStyle = style.getPropertyValue('--accent');
    context.strokeStyle = context.fillStyle;
    context.globalAlpha = 0.1;
    context.fill('evenodd');
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.setLineDash([5, 3]);
    context.stroke();
    context.restore();
  }
}
