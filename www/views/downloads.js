import { say } from './dom.js';
import { isBusy } from './shown.js';

// What needs counts or the scores of all classes, which are dropped where cells are mapped in batches.
const NOT_OF_BATCHES = ['doublets.tsv', 'scores.tsv', 'clusters.tsv', 'umap_own.tsv'];

/** The tables to take away. */
export class Downloads {
  #buttons;

  constructor(root) {
    this.#buttons = [...root.querySelectorAll('[data-table]')];
    for (const button of this.#buttons) button.addEventListener('click', () => say(button, 'download', { name: button.dataset.table }));
  }

  /** Some tables are there only once they were asked for. */
  update(state) {
    const { result, query, saving, own, doing, reference } = state;
    const there = { clusters: own, 'own-map': own?.layout, proteins: result?.proteins };
    for (const button of this.#buttons) {
      const dropped = query?.batches && NOT_OF_BATCHES.includes(button.dataset.table);
      const missing = dropped || (button.dataset.needs in there && !there[button.dataset.needs]);
      button.hidden = button.dataset.needs === 'proteins' && !reference?.about.proteins.length;
      button.disabled = !result || missing || saving !== null || isBusy(state);
      const making = { 'markers.tsv': 'Marker genes', 'doublets.tsv': 'Doublets' }[button.dataset.table];
      button.setAttribute('aria-busy', String(saving === button.dataset.table || (making !== undefined && making === doing)));
    }
  }
}

/** Hands bytes to the browser's own downloads. */
export function save(bytes, name) {
  const address = URL.createObjectURL(new Blob([bytes], { type: 'text/tab-separated-values' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
