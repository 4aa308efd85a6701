import { BATCH } from '../budget.js';
import { whole } from '../words.js';
import { say } from './dom.js';

/** An error, as the engine words it, what to do next, and a way on where there is one. */
export class Failure {
  #root;
  #fewer;
  #batches;
  #shown = null;

  constructor(root) {
    this.#root = root;
    this.#fewer = root.querySelector('#reference-genes-button');
    this.#fewer.addEventListener('click', () => say(root, 'options', { reference_genes_only: true }));
    this.#batches = root.querySelector('#batches-button');
    this.#batches.textContent = `Map in batches of ${whole(BATCH)} cells`;
    this.#batches.addEventListener('click', () => say(root, 'options', { batch: BATCH, reference_genes_only: undefined }));
  }

  update({ error, options }) {
    if (error === this.#shown) return;
    this.#shown = error;
    this.#root.hidden = error === null;
    if (error === null) return;
    this.#root.querySelector('h2').textContent = error.kind === 'trap' ? 'The engine stopped' : 'That did not work';
    this.#root.querySelector('.failure-message').textContent = error.message;
    this.#root.querySelector('.failure-next').textContent = error.next;
    this.#fewer.hidden = error.kind !== 'memory' || options.reference_genes_only === true || options.batch !== undefined;
    this.#batches.hidden = error.kind !== 'memory' || options.batch !== undefined;
  }
}
