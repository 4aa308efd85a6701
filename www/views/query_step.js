import { DropZone } from './drop_zone.js';
import { say } from './dom.js';
import { GeneNames } from './gene_names.js';
import { LikenessView } from './likeness.js';
import { Limits } from './limits.js';
import { MatrixChoice } from './matrix_choice.js';
import { Metadata } from './metadata.js';
import { isBusy } from './shown.js';
import { Summary } from './summary.js';

/** Step 2: the files or the demo, what was read of them, and the choices that a file leaves open. */
export class QueryStep {
  #root;
  #demo;
  #summary;
  #parts;

  constructor(root, veil) {
    this.#root = root;
    this.#demo = root.querySelector('#demo-button');
    this.#demo.addEventListener('click', () => say(root, 'demo'));
    this.#summary = root.querySelector('#query-summary');
    const at = (selector) => root.querySelector(selector);
    this.#parts = [
      new DropZone(root, veil),
      new Summary(at('#query-facts'), at('#query-warnings'), at('#query-figures')),
      new LikenessView(at('#query-likeness'), document.getElementById('advice')),
      new MatrixChoice(at('#query-matrix')),
      new GeneNames(at('#query-genes')),
      new Limits(at('#query-limits')),
      new Metadata(at('#query-metadata')),
    ];
  }

  update(state) {
    const { entry, look } = state;
    const busy = isBusy(state);
    this.#root.dataset.loaded = String(Boolean(look));
    this.#demo.disabled = busy || !entry?.demo;
    if (entry?.demo) this.#root.querySelector('#demo-about').textContent = demoWords(entry.demo);
    this.#summary.hidden = !look;
    for (const part of this.#parts) part.update({ ...state, busy });
  }
}

function demoWords({ title, name, bytes, license }) {
  return [title ?? name, bytes && `${(bytes / 1e6).toFixed(1)} MB`, license].filter(Boolean).join(' · ');
}
