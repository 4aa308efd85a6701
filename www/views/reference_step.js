import { whole } from '../words.js';
import { element, say } from './dom.js';

/** Step 1: which reference, and on whose terms. */
export class ReferenceStep {
  #select;
  #card;
  #file;
  #catalogue = null;
  #reference = null;
  #look = null;

  constructor(root) {
    this.#select = root.querySelector('#reference-select');
    this.#card = root.querySelector('#reference-card');
    this.#select.addEventListener('change', () => say(root, 'reference', { name: this.#select.value }));
    this.#file = root.querySelector('#reference-file');
    this.#file.addEventListener('change', () => {
      if (this.#file.files[0]) say(root, 'reference-file', { file: this.#file.files[0] });
      this.#file.value = '';
    });
  }

  update({ catalogue, entry, reference, look, phase }) {
    if (catalogue !== this.#catalogue) {
      this.#catalogue = catalogue;
      this.#select.replaceChildren(...catalogue.map(({ name, title }) => element('option', { value: name }, title)));
    }
    if (entry) this.#select.value = entry.name;
    this.#file.disabled = this.#select.disabled = ['loading', 'reading', 'mapping'].includes(phase);
    // Once a file is opened, the room goes to what was found in it.
    if (look && !this.#look) this.#card.querySelector('#reference-about').open = false;
    this.#look = look;
    if (reference !== this.#reference) {
      this.#reference = reference;
      this.#show(reference.about, entry);
    }
  }

  #show(about, entry) {
    const classes = about.levels.map(({ name, classes }) => `${name} (${classes.length})`).join(', ');
    const facts = [`${whole(about.cells)} cells`, `${whole(about.features)} genes`, about.proteins.length > 0 && `${about.proteins.length} proteins`, `levels ${classes}`, [about.species, about.tissue].filter(Boolean).join(', '), about.version && `version ${about.version}`];
    this.#card.hidden = false;
    this.#card.querySelector('.reference-facts').textContent = facts.filter(Boolean).join(' · ');
    this.#card.querySelector('.reference-description').textContent = about.description || entry.description || '';
    const heldOut = this.#card.querySelector('.reference-held-out');
    heldOut.hidden = !about.held_out_sentence;
    heldOut.textContent = about.held_out_sentence ?? '';
    for (const field of ['license', 'citation', 'source', 'checksum']) {
      this.#card.querySelector(`[data-field=${field}]`).textContent = about[field] || entry[field] || 'not stated';
    }
    const provenance = (about.provenance ?? []).map((line) => element('li', {}, line));
    this.#card.querySelector('[data-field=provenance]').replaceChildren(...provenance);
  }
}
