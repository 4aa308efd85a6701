import { barcodesWith, ranks } from '../plot/ranks.js';
import { whole } from '../words.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';

// With fewer counts a barcode of an unfiltered file is not kept by the engine.
const LEAST = 100;

/** Of an unfiltered file: its barcodes ranked by their counts, and from how many counts on one is taken for a cell. */
export class Droplets {
  #root;
  #plot = element('div', { class: 'rank-plot' });
  #words = element('p', { class: 'hint' });
  #input = element('input', { type: 'number', id: 'min-counts', min: LEAST, step: 1, required: true, 'aria-describedby': 'min-counts-cells' });
  #count = element('output', { id: 'min-counts-cells', for: 'min-counts' });
  #apply = element('button', { type: 'submit', id: 'min-counts-button' }, 'Apply');
  #reset = element('button', { type: 'button', class: 'quiet', id: 'min-counts-suggested' }, 'Suggested limit');
  #droplets = null;
  #known = new Map(); // Numbers of cells that are known exactly, by their limit.
  #shown = {};

  constructor(root) {
    this.#root = root;
    const form = element('form', { class: 'limit' },
      element('label', { class: 'field inline', for: 'min-counts' }, 'Cells have at least ', this.#input, ' counts'), this.#apply, this.#count, this.#reset);
    root.append(this.#plot, element('div', { class: 'droplets-side' }, this.#words, form));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      say(root, 'options', { min_counts: Number(this.#input.value) });
    });
    this.#input.addEventListener('input', () => this.#tell());
    this.#reset.addEventListener('click', () => {
      this.#input.value = this.#droplets.suggested;
      this.#tell();
    });
  }

  update(state) {
    const { droplets, query, options, result } = state;
    const busy = isBusy(state);
    this.#root.hidden = !droplets;
    this.#root.dataset.mapped = String(Boolean(result));
    if (!droplets) {
      this.#droplets = null;
      return;
    }
    const next = { droplets, query, busy };
    if (Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    if (this.#droplets?.barcodes !== droplets.barcodes || this.#droplets.suggested !== droplets.suggested) this.#known.clear();
    this.#droplets = droplets;
    this.#known.set(droplets.suggested, droplets.cells);
    if (query?.droplets) this.#known.set(query.min_counts, query.cells - query.empty_cells);
    if (!busy) this.#input.value = query?.min_counts ?? options.min_counts ?? droplets.suggested;
    this.#input.disabled = busy;
    this.#words.textContent = `${whole(droplets.read)} of ${whole(droplets.barcodes)} barcodes have ${LEAST} counts or more; the others are taken for empty droplets. Those left of the limit are taken for cells. Cells end where the curve falls steeply; cells of little RNA, such as neutrophils or platelets, may lie lower.`;
    this.#reset.textContent = `Suggested: ${whole(droplets.suggested)}`;
    this.#tell();
  }

  /** Draws the limit that stands in the field, and says how many cells it gives. */
  #tell() {
    const limit = Number(this.#input.value);
    const valid = this.#input.validity.valid;
    const exact = this.#known.get(limit);
    const cells = exact ?? barcodesWith(this.#droplets.curve, limit);
    this.#count.textContent = valid ? `${exact === undefined ? 'about ' : ''}${whole(cells)} cells` : `at least ${LEAST}, in whole numbers`;
    this.#apply.disabled = this.#shown.busy || !valid || limit === this.#shown.query?.min_counts;
    this.#reset.disabled = this.#shown.busy;
    this.#reset.hidden = limit === this.#droplets.suggested;
    const words = `Barcodes by rank and counts, both on a logarithmic scale. ${valid ? `From ${whole(limit)} counts on, ${this.#count.textContent} of ${whole(this.#droplets.barcodes)} barcodes.` : ''}`;
    this.#plot.replaceChildren(ranks(this.#droplets.curve, valid ? { counts: limit, cells } : null, words));
  }
}
