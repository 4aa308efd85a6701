import { plasma, scoreColor } from '../plot/colors.js';
import { figure, whole } from '../words.js';
import { element, say, swatch } from './dom.js';
import { keyOf, shownLevel, shownMetadata } from './shown.js';

/** Classes with their counts; a click highlights one, a double click leaves the others out, the key S selects its cells. */
export class Legend {
  #root;
  #state = null;
  #shown = {};
  #buttons = [];

  constructor(root) {
    this.#root = root;
    root.addEventListener('click', (event) => this.#choose(event, false));
    root.addEventListener('dblclick', (event) => this.#choose(event, true));
    root.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && event.shiftKey) {
        event.preventDefault(); // Else the button is also clicked.
        this.#choose(event, true);
      }
      const name = event.target.closest('button[data-class]')?.dataset.class;
      // With Alt a keyboard may write another letter on that key.
      if (name !== undefined && (event.key.toLowerCase() === 's' || (event.altKey && event.code === 'KeyS')) && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        say(root, 'select-class', { key: name, how: event.altKey ? 'remove' : event.shiftKey ? 'add' : 'set' });
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const at = this.#buttons.indexOf(document.activeElement);
      if (step && at >= 0) {
        event.preventDefault();
        this.#buttons[Math.min(this.#buttons.length - 1, Math.max(0, at + step))].focus();
      }
    });
  }

  #choose(event, isolated) {
    const name = event.target.closest('button[data-class]')?.dataset.class;
    if (name === undefined) {
      if (event.target.closest('button[data-all]')) say(this.#root, 'focus', { highlight: null, isolated: false });
      return;
    }
    const { focus } = this.#state;
    // A double click arrives after two clicks, which have turned the highlight on and off again.
    const again = focus.highlight === name && (!isolated || focus.isolated);
    say(this.#root, 'focus', again ? { highlight: null, isolated: false } : { highlight: name, isolated });
  }

  update(state) {
    this.#state = state;
    const { reference, result, colorBy, focus } = state;
    if (!reference) return;
    const before = this.#shown;
    this.#shown = { reference, result, colorBy };
    if (Object.keys(this.#shown).some((key) => this.#shown[key] !== before[key])) this.#build(state);
    for (const button of this.#buttons) {
      const chosen = button.dataset.class === focus.highlight;
      button.setAttribute('aria-pressed', String(chosen));
      button.dataset.isolated = String(chosen && focus.isolated);
    }
    this.#root.dataset.focused = String(focus.highlight !== null);
  }

  #build(state) {
    const { result, colorBy } = state;
    const { reference, query } = shownLevel(state);
    const metadata = shownMetadata(state);
    const rows = metadata ? metadataRows(metadata) : levelRows(reference, query);
    this.#buttons = rows.map((row) => element('button', {
      type: 'button', 'data-class': keyOf(row), 'data-empty': row.cells === 0, 'aria-pressed': 'false', 'aria-keyshortcuts': 'S', title: row.name },
    swatch(row.color), element('bdi', { class: 'legend-name' }, row.name), element('span', { class: 'legend-count' }, whole(row.cells))));
    const scale = colorBy.kind === 'gene' ? geneScales(colorBy.gene) : result ? scaleOf(colorBy) : null;
    this.#root.replaceChildren(
      ...(scale ? [scale] : []),
      element('div', { class: 'legend-head' },
        element('span', { class: 'legend-title' }, element('bdi', {}, metadata?.name ?? colorBy.origin?.name ?? colorBy.level), ` · ${query ? 'your cells' : 'reference cells'}`),
        element('button', { type: 'button', class: 'quiet', 'data-all': true }, 'Show all')),
      element('div', { class: 'legend-list' }, ...this.#buttons));
  }
}

function levelRows(reference, query) {
  const counted = new Map((query ?? reference).classes.map(({ name, cells }) => [name, cells]));
  const rows = reference.classes.map(({ name, color, cells }) => ({ name, color, cells: query ? (counted.get(name) ?? 0) : cells }));
  return rows.sort((a, b) => b.cells - a.cells || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** In the engine's order: the most frequent first, what is put together and what is missing last. */
function metadataRows({ classes, scores }) {
  const rows = classes.filter(({ cells }) => cells > 0);
  return scores && rows.length === 1 && rows[0].key === 'metadata present' ? [] : rows;
}

/** The scale of a colouring by numbers. */
function scaleOf({ kind, level, coloring }) {
  const words = { mapping: 'Mapping score', unknown: 'Unknown score', confidence: `Confidence, ${level}`, score: `Prediction score, ${level}`, metadata: coloring?.name }[kind];
  if (kind === 'metadata') return coloring.ends ? scoreScale(words, coloring.ends.map(figure)) : null;
  return words ? scoreScale(words, ['0', '0.5', '1']) : null;
}

const OF_REFERENCE = {
  components: 'what the components keep of its residuals',
  class: 'mean of the cell’s class',
};

/** A gene on both maps: what its colours are of each. */
function geneScales({ symbol, by, reference, query }) {
  const made = [];
  if (reference) made.push(scoreScale(`${symbol} in the reference: ${OF_REFERENCE[by]}`, reference.ends.map(figure), plasma));
  else made.push(element('p', { class: 'hint' }, `${symbol} is not known of the reference.`));
  if (query) made.push(scoreScale(`${symbol} in your cells: log1p(counts per 10,000)`, query.ends.map(figure)));
  return element('div', {}, ...made);
}

function scoreScale(words, ends, scale = scoreColor) {
  const canvas = element('canvas', { width: 128, height: 1, class: 'scale', 'aria-hidden': 'true' });
  const context = canvas.getContext('2d');
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  for (let x = 0; x < 128; x += 1) {
    context.fillStyle = `rgb(${scale(x / 127, dark).join(' ')})`;
    context.fillRect(x, 0, 1, 1);
  }
  return element('div', { class: 'score-scale' },
    element('bdi', {}, words), canvas,
    element('div', { class: 'scale-ends' }, ...ends.map((end) => element('span', {}, end))));
}
