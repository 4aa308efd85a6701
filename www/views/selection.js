import { percent, whole } from '../words.js';
import { element, say } from './dom.js';
import { codeOf, shownLevel, shownMetadata } from './shown.js';

const KEYS = { v: 'pan', l: 'lasso', b: 'box' };
const TOOL_NAMES = { lasso: 'Lasso', box: 'Box' };
const WORDS = { query: ['Your cells', 'of your cells'], reference: ['Reference', 'of the reference’s cells'] };
// As many classes are named beside the count; more would push the maps down.
const CLASSES = 5;
const LONGEST_NAME = 60;

/**
 * What is selected on the maps: the tools, and a line for each map with the count, by class too. Cells of the query are
 * the page's selection; those of the reference are only counted, here.
 */
export class Selection {
  #root;
  #maps;
  #tools;
  #box;
  #lines = {};
  #state = null;
  #shown = {};
  #ofReference = null; // as the state's selection
  #masks = { query: null, reference: null };
  #repaint;

  /** `maps`: { query, reference }; `repaint` is called when the reference's mask has changed. */
  constructor(root, maps, repaint) {
    this.#root = root;
    this.#maps = maps;
    this.#repaint = repaint;
    this.#tools = [...root.querySelectorAll('[data-tool-choice]')];
    for (const button of this.#tools) button.addEventListener('click', () => this.#take(button.dataset.toolChoice));
    this.#box = root.querySelector('#selection');
    for (const which of ['query', 'reference']) this.#begin(which);
    root.addEventListener('keydown', (event) => this.#key(event));
    root.addEventListener('sextant:select-class', ({ detail }) => this.#selectClass(detail));
    this.#take('pan');
  }

  #begin(which) {
    const button = (text, title, act) => {
      const made = element('button', { type: 'button', class: 'quiet', title, hidden: true, 'data-act': text.toLowerCase() }, text);
      made.addEventListener('click', act);
      return made;
    };
    const line = {
      count: element('span', { class: 'selection-count', role: 'status' }),
      classes: element('span', { class: 'selection-classes' }),
      clear: button('Clear', `Select none ${WORDS[which][1]}`, () => this.#keep(which, null)),
      invert: button('Invert', `Select all others ${WORDS[which][1]} instead`, () => this.#invert(which)),
    };
    this.#lines[which] = line;
    this.#box.append(element('div', { class: 'selection-line', 'data-map': which }, line.count, line.classes, line.clear, line.invert));
    this.#maps[which].addEventListener('outline', ({ detail }) => this.#drawing(which, detail));
    this.#maps[which].addEventListener('select', ({ detail: { points, how, tool } }) => this.#change(which, points, how, TOOL_NAMES[tool]));
  }

  /** Which points are selected, 1 for each, or null where nothing is. */
  maskOf(which) {
    return this.#masks[which];
  }

  update(state) {
    this.#state = state;
    const { reference, result, selection, colorBy } = state;
    const before = this.#shown;
    this.#shown = { reference, result, selection, colorBy };
    if (reference !== before.reference) this.#ofReference = null;
    if (reference !== before.reference) this.#masks.reference = null;
    if (selection !== before.selection) this.#masks.query = selection ? maskOf(selection.cells, result.cells) : null;
    if (Object.keys(this.#shown).some((key) => this.#shown[key] !== before[key])) this.#say();
  }

  #take(tool) {
    for (const button of this.#tools) button.setAttribute('aria-pressed', String(button.dataset.toolChoice === tool));
    for (const map of Object.values(this.#maps)) map.tool = tool;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea')) return;
    if (event.key === 'Escape') {
      // The first press ends what is being drawn, the next one drawing itself.
      if (!Object.values(this.#maps).map((map) => map.dropOutline()).includes(true)) this.#take('pan');
      return;
    }
    const tool = KEYS[event.key.toLowerCase()];
    if (tool) this.#take(tool);
  }

  #count(which) {
    return which === 'query' ? this.#state.result.cells : this.#state.reference.layout.length / 2;
  }

  #selected(which) {
    return which === 'query' ? this.#state.selection : this.#ofReference;
  }

  /** Classes and their codes as they are shown on the map. */
  #classes(which) {
    const shown = shownLevel(this.#state);
    return which === 'query' ? (shownMetadata(this.#state) ?? shown.query) : shown.reference;
  }

  /** A class of the legend, which is that of the query where there is one. */
  #selectClass({ key, how }) {
    const which = this.#state.result ? 'query' : 'reference';
    const { classes, codes } = this.#classes(which);
    const code = codeOf(classes, key);
    const cells = [];
    codes.forEach((each, cell) => { if (each === code && code !== null) cells.push(cell); });
    this.#change(which, Uint32Array.from(cells), how, classes[code]?.name ?? key);
  }

  #change(which, points, how, name) {
    const before = this.#selected(which);
    if (how === 'set' || (!before && how === 'add')) {
      this.#keep(which, points.length > 0 ? { name, cells: points } : null);
      return;
    }
    if (!before) return;
    const mask = maskOf(before.cells, this.#count(which));
    for (const point of points) mask[point] = how === 'add' ? 1 : 0;
    const cells = listed(mask);
    this.#keep(which, cells.length > 0 ? { name: cut(`${before.name} ${how === 'add' ? '+' : '−'} ${name}`), cells } : null);
  }

  #invert(which) {
    const before = this.#selected(which);
    const cells = listed(maskOf(before.cells, this.#count(which)).map((each) => 1 - each));
    this.#keep(which, cells.length > 0 ? { name: cut(`all but ${before.name}`), cells } : null);
  }

  #keep(which, selection) {
    if (which === 'query') {
      say(this.#root, 'select', selection ?? { cells: null });
      return;
    }
    this.#ofReference = selection;
    this.#masks.reference = selection ? maskOf(selection.cells, this.#count(which)) : null;
    this.#say();
    this.#repaint();
  }

  /** What an outline holds while it is drawn; read aloud is only what it held in the end. */
  #drawing(which, inside) {
    const { count } = this.#lines[which];
    count.setAttribute('aria-live', inside ? 'off' : 'polite');
    if (inside) count.textContent = `${WORDS[which][0]}: ${whole(inside.count)} inside`;
    else if (this.#state) this.#say();
    if (inside) this.#box.dataset.any = 'true';
  }

  #say() {
    for (const [which, { count, classes, clear, invert }] of Object.entries(this.#lines)) {
      const selection = this.#selected(which);
      const cells = selection?.cells.length ?? 0;
      for (const control of [clear, invert]) control.hidden = !selection;
      const words = selection ? `${WORDS[which][0]}: ${whole(cells)} of ${whole(this.#count(which))} selected (${percent(cells, this.#count(which))})` : '';
      if (count.textContent !== words) count.textContent = words;
      classes.replaceChildren(...(selection ? this.#byClass(which, selection.cells) : []));
    }
    this.#box.dataset.any = String(Boolean(this.#selected('query') ?? this.#selected('reference')));
  }

  #byClass(which, cells) {
    const { classes, codes } = this.#classes(which);
    const counts = new Float64Array(classes.length);
    for (const cell of cells) if (codes[cell] < counts.length) counts[codes[cell]] += 1;
    const found = [...counts.keys()].filter((code) => counts[code] > 0).sort((a, b) => counts[b] - counts[a] || a - b);
    const named = found.slice(0, CLASSES).map((code) => element('span', { class: 'selection-class' }, element('bdi', {}, classes[code].name), ` ${whole(counts[code])}`));
    const more = found.length - named.length;
    return more > 0 ? [...named, element('span', { class: 'selection-class' }, `and ${whole(more)} more class${more === 1 ? '' : 'es'}`)] : named;
  }
}

function maskOf(cells, count) {
  const mask = new Uint8Array(count);
  for (const cell of cells) mask[cell] = 1;
  return mask;
}

function listed(mask) {
  const cells = new Uint32Array(mask.length);
  let count = 0;
  for (let i = 0; i < mask.length; i += 1) if (mask[i] === 1) cells[count++] = i;
  return cells.slice(0, count);
}

function cut(name) {
  const letters = Array.from(name);
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join('')}…` : name;
}
