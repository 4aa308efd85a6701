import { HIGH, quadrantsOf } from '../doubts.js';
import { paint, rgb } from '../plot/colors.js';
import { rasterise } from '../plot/raster.js';
import { capital, percent, whole } from '../words.js';
import { element, say } from './dom.js';
import { shownLevel } from './shown.js';

const MARGIN = { left: 44, right: 10, top: 10, bottom: 40 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];
// The four cases by their codes, in the order in which they are listed.
const CASES = [
  [3, 'high', 'high', 'The anchors agree on the label, and the cell’s neighbourhood survives the way through the reference.'],
  [1, 'low', 'high', 'Split between siblings: the reference has cells of this kind, but its anchors are of several classes, as where CD4 T cells stand between naive and memory. Look at a coarser level.'],
  [2, 'high', 'low', 'The type may be missing in the reference: all anchors are of the nearest type that it has, which is the label. Neutrophils, which a reference of mononuclear cells lacks, all become monocytes that way. Marker genes decide.'],
  [0, 'low', 'low', 'Neither label nor place is certain: cells of low quality, doublets, or a state that the reference does not have.'],
];

/** Each cell's label score against its mapping score, and what the four corners mean. */
export class ScorePlot {
  #root;
  #which = element('select', { id: 'score-plot-which' }, element('option', { value: 'score' }, 'prediction score'), element('option', { value: 'sure' }, 'confidence'));
  #choice = element('label', { class: 'field inline', for: 'score-plot-which' }, 'Mapping score against ', this.#which);
  #canvas = element('canvas', { role: 'img' });
  #cases = CASES.map(() => element('button', { type: 'button', class: 'quiet count', disabled: true }, '0 cells'));
  #names = CASES.map(() => element('span'));
  #missing = element('p', { class: 'hint', role: 'note' });
  #state = null;
  #shown = {};
  #quadrants = null;
  #dark = window.matchMedia('(prefers-color-scheme: dark)');

  constructor(root) {
    this.#root = root;
    const cases = CASES.flatMap(([, , , words], at) => [element('dt', {}, this.#names[at], this.#cases[at]), element('dd', {}, words)]);
    root.append(
      element('div', { class: 'findings-bar' }, element('h3', {}, 'How sure, and how well mapped'), this.#choice),
      element('div', { class: 'score-plot' }, element('div', { class: 'score-canvas' }, this.#canvas), element('dl', { class: 'cases' }, ...cases)), this.#missing);
    this.#which.addEventListener('change', () => this.update(this.#state));
    this.#cases.forEach((button, at) => button.addEventListener('click', () => this.#select(at)));
    // For the hand; the buttons do the same.
    this.#canvas.addEventListener('click', (event) => {
      const { x, y } = this.#places();
      const code = 2 * (event.offsetY <= y(HIGH)) + (event.offsetX >= x(HIGH));
      if (this.#quadrants.counts[code] > 0) this.#select(CASES.findIndex(([each]) => each === code));
    });
    this.#dark.addEventListener('change', () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.#canvas.parentElement);
  }

  update(state) {
    this.#state = state;
    const { result, colorBy, selection, focus } = state;
    const now = { result, level: colorBy.level, selection, focus, which: this.#which.value };
    const before = this.#shown;
    if (Object.keys(now).every((key) => now[key] === before[key])) return;
    this.#choice.hidden = result.sure.name !== 'confidence';
    this.#shown = now;
    if (['result', 'level', 'which'].some((key) => now[key] !== before[key])) this.#count();
    this.#cases.forEach((button, at) => button.setAttribute('aria-pressed', String(selection?.name === this.#nameOf(at))));
    this.#draw();
  }

  /** What stands on the upright axis, in words. */
  get #word() {
    const { result } = this.#state;
    return this.#which.value === 'sure' && result.sure.name === 'confidence' ? 'confidence' : 'prediction score';
  }

  get #values() {
    const { query } = shownLevel(this.#state);
    return this.#word === 'confidence' ? query.sure : query.scores;
  }

  #nameOf(at) {
    return `${capital(CASES[at][1])} ${this.#word} of ${shownLevel(this.#state).query.name}, ${CASES[at][2]} mapping score`;
  }

  #count() {
    const { result } = this.#state;
    this.#quadrants = quadrantsOf(this.#values, result.mappingScores);
    const { counts } = this.#quadrants;
    CASES.forEach(([code, label, mapping], at) => {
      this.#names[at].textContent = `${capital(label)} ${this.#word}, ${mapping} mapping score: `;
      this.#cases[at].textContent = `${whole(counts[code])} cells`;
      this.#cases[at].title = `${percent(counts[code], result.cells)} of all cells. Show these cells in the table`;
      this.#cases[at].dataset.cells = String(counts[code]);
      this.#cases[at].disabled = counts[code] === 0;
    });
    this.#missing.textContent = `High is ${HIGH} or more, which is a guide and no sharp bound.${counts[4] > 0 ? ` ${whole(counts[4])} cells lack one of the scores.` : ''}`;
    const told = CASES.map(([code], at) => `${this.#nameOf(at)}: ${whole(counts[code])}`).join('; ');
    this.#canvas.setAttribute('aria-label', `${capital(this.#word)} against mapping score, a point for each of ${whole(result.cells)} cells. ${told}.`);
  }

  #select(at) {
    const name = this.#nameOf(at);
    const [code] = CASES[at];
    const { codes, counts } = this.#quadrants;
    const cells = new Uint32Array(counts[code]);
    for (let i = 0, next = 0; next < cells.length; i += 1) if (codes[i] === code) cells[next++] = i;
    say(this.#root, 'doubt', { name, cells });
  }

  /** The plot's inside in pixels, and where a score lies on the canvas. */
  #places() {
    const { clientWidth: width, clientHeight: height } = this.#canvas.parentElement;
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    return { width, height, inner, x: (place) => MARGIN.left + place * inner.width, y: (place) => MARGIN.top + (1 - place) * inner.height };
  }

  #draw() {
    const places = this.#places();
    const { width, height, inner } = places;
    if (!this.#state?.result || width === 0) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    Object.assign(this.#canvas, { width: width * ratio, height: height * ratio });
    const context = this.#canvas.getContext('2d');
    context.scale(ratio, ratio);
    this.#axes(context, places);
    this.#points(context, inner, ratio);
    this.#figures(context, places);
  }

  /** How many cells each corner has, readable on the points too. */
  #figures(context, { x, y }) {
    const style = getComputedStyle(this.#root);
    Object.assign(context, { font: `600 12px ${style.fontFamily}`, fillStyle: style.color, strokeStyle: style.getPropertyValue('--panel').trim(), lineWidth: 4, lineJoin: 'round' });
    this.#quadrants.counts.slice(0, 4).forEach((cells, code) => {
      const [right, high] = [code % 2 === 1, code >= 2];
      context.textAlign = right ? 'right' : 'left';
      const at = [x(right ? 1 : 0) + (right ? -6 : 6), y(high ? HIGH : 0) - 7];
      context.strokeText(whole(cells), ...at);
      context.fillText(whole(cells), ...at);
    });
  }

  #axes(context, { inner, x, y }) {
    const style = getComputedStyle(this.#root);
    const [line, soft, brass] = ['--line', '--soft', '--brass'].map((name) => style.getPropertyValue(name).trim());
    Object.assign(context, { font: `11px ${style.fontFamily}`, fillStyle: soft, strokeStyle: line, textAlign: 'center' });
    context.strokeRect(x(0), y(1), inner.width, inner.height);
    for (const tick of TICKS) context.fillText(String(tick), x(tick), y(0) + 15);
    context.fillText('mapping score', x(0.5), y(0) + 33);
    context.textAlign = 'right';
    for (const tick of TICKS) context.fillText(String(tick), x(0) - 6, y(tick) + 4);
    context.save();
    context.translate(11, y(0.5));
    context.rotate(-Math.PI / 2);
    context.textAlign = 'center';
    context.fillText(this.#word, 0, 0);
    context.restore();
    context.strokeStyle = brass;
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x(HIGH), y(0));
    context.lineTo(x(HIGH), y(1));
    context.moveTo(x(0), y(HIGH));
    context.lineTo(x(1), y(HIGH));
    context.stroke();
    context.setLineDash([]);
  }

  #points(context, inner, ratio) {
    const { result, selection, focus } = this.#state;
    const { reference, query } = shownLevel(this.#state);
    const colorOf = new Map(reference.classes.map(({ name, color }) => [name, color]));
    const colors = query.classes.map(({ name, color }) => rgb(colorOf.get(name) ?? color));
    const pale = rgb(getComputedStyle(this.#root).getPropertyValue('--pale').trim());
    const highlight = query.classes.findIndex(({ name }) => name === focus.highlight);
    const painted = paint({ codes: query.codes, colors, focus: { highlight: highlight < 0 ? null : highlight, isolated: highlight >= 0 && focus.isolated }, pale, dark: this.#dark.matches });
    const { rgba, order } = selection ? apart(painted, selection.cells, pale) : painted;
    const [width, height] = [Math.round(inner.width * ratio), Math.round(inner.height * ratio)];
    const size = Math.round((result.cells > 200_000 ? 1 : result.cells > 20_000 ? 2 : 3) * ratio);
    const { picture, drawn } = rasterise({ xs: result.mappingScores, ys: this.#values, rgba, order, width, height, size });
    const layer = new OffscreenCanvas(width, height);
    layer.getContext('2d').putImageData(new ImageData(picture, width, height), 0, 0);
    context.drawImage(layer, MARGIN.left, MARGIN.top, inner.width, inner.height);
    this.#canvas.dataset.drawn = String(drawn);
  }
}

/** With a selection the other cells turn pale and come first. */
function apart({ rgba, order }, cells, pale) {
  const chosen = new Uint8Array(rgba.length / 4);
  for (const cell of cells) chosen[cell] = 1;
  for (let i = 0; i < chosen.length; i += 1) if (!chosen[i]) rgba.set([...pale, 90], 4 * i);
  const sorted = new Uint32Array(order.length);
  let at = 0;
  for (const wanted of [0, 1]) for (const i of order) if (chosen[i] === wanted) sorted[at++] = i;
  return { rgba, order: sorted };
}
