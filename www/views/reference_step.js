import { whole } from '../words.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';

/** Step 1: which reference, how far it can be trusted, and on whose terms. */
export class ReferenceStep {
  #root;
  #choices;
  #list;
  #card;
  #file;
  #ways = null;
  #elsewhere = null;
  #reference = null;
  #look = null;

  constructor(root) {
    this.#root = root;
    this.#choices = root.querySelector('#reference-choices');
    this.#list = root.querySelector('#reference-list');
    this.#card = root.querySelector('#reference-card');
    this.#file = root.querySelector('#reference-file');
    this.#file.addEventListener('change', () => {
      if (this.#file.files[0]) say(root, 'reference-file', { file: this.#file.files[0] });
      this.#file.value = '';
    });
  }

  update(state) {
    const { catalogue, ways, elsewhere, note, entry, reference, look, phase } = state;
    if (ways !== this.#ways) {
      this.#ways = ways;
      this.#list.replaceChildren(...catalogue.map((each) => element('li', {}, this.#choice(each, ways.get(each.name)), each.own ? this.#ownBar(each) : null)));
      this.#choices.querySelector('.reference-others').textContent = catalogue.length > 1 ? `Choose among ${catalogue.length}` : '';
    }
    if (elsewhere !== this.#elsewhere) {
      this.#elsewhere = elsewhere;
      this.#showElsewhere(elsewhere);
    }
    for (const button of this.#list.querySelectorAll('button')) {
      if (button.dataset.name) button.setAttribute('aria-pressed', String(button.dataset.name === entry?.name));
      button.disabled = phase === 'loading' || isBusy(state);
    }
    const said = this.#root.querySelector('#reference-note');
    if (said.textContent !== note) said.textContent = note;
    said.hidden = note === '';
    this.#choices.querySelector('.reference-title').textContent = entry?.title ?? '';
    this.#file.disabled = phase === 'loading' || isBusy(state);
    // Once a file is opened, the room goes to what was found in it.
    if (look && !this.#look) this.#card.querySelector('#reference-about').open = false;
    this.#look = look;
    if (reference !== this.#reference) {
      this.#reference = reference;
      this.#show(reference.about, entry);
      // For tests and benchmarks: how long the engine took, and how large its memory is since.
      this.#root.dataset.loadedMs = String(Math.round(reference.took.ms));
      this.#root.dataset.memory = String(reference.took.memory);
    }
  }

  /** A reference that can be chosen; where that is a request, its button says of whom. */
  #choice(entry, way) {
    const levels = entry.levels.map(({ name, classes }) => `${name} ${classes}`).join(', ');
    const facts = [entry.cells && `${whole(entry.cells)} cells`, levels && `classes: ${levels}`, entry.bytes && `${(entry.bytes / 1e6).toFixed(1)} MB`];
    const button = element('button', { type: 'button', class: 'reference-choice', 'data-name': entry.name, 'aria-pressed': 'false' },
      element('strong', {}, entry.title),
      element('span', {}, [entry.species, entry.tissue].filter(Boolean).join(' · ')),
      element('span', {}, facts.filter(Boolean).join(' · ')),
      way.words ? element('span', { class: 'reference-way', 'data-by': way.by }, way.words) : null);
    button.addEventListener('click', ({ isTrusted }) => {
      this.#choices.open = false;
      this.#choices.querySelector('summary').focus(); // What was focused is not shown any more.
      if (button.getAttribute('aria-pressed') === 'false') say(this.#root, 'reference', { name: entry.name, trusted: isTrusted });
    });
    return button;
  }

  /** Below an address that a person has added: the address, and a way to forget it. */
  #ownBar({ address }) {
    const forget = element('button', { type: 'button', class: 'quiet', title: 'Takes it off this list, and deletes what is kept of it' }, 'Forget');
    forget.addEventListener('click', () => say(this.#root, 'forget', { address }));
    return element('div', { class: 'own-address' }, element('span', {}, 'Your own address: ', element('bdi', { class: 'mono' }, address)), forget);
  }

  #showElsewhere(elsewhere) {
    const part = this.#choices.querySelector('#reference-elsewhere');
    part.hidden = elsewhere.length === 0;
    part.querySelector('summary').textContent = `Published by Azimuth, not beside this page: ${elsewhere.length}`;
    part.querySelector('ul').replaceChildren(...elsewhere.map(({ title, address }) => element('li', {}, element('span', {}, title.replace(/ \(Azimuth\)$/, '')),
      element('a', { href: address, target: '_blank', rel: 'noreferrer', title: address }, `ref.Rds at ${new URL(address).host}`))));
  }

  #show(about, entry) {
    const classes = about.levels.map(({ name, classes }) => `${name} (${classes.length})`).join(', ');
    const facts = [`${whole(about.cells)} cells`, `${whole(about.features)} genes`, about.proteins.length > 0 && `${about.proteins.length} proteins`, `levels ${classes}`, [about.species, about.tissue].filter(Boolean).join(', '), about.studies && `studies: ${about.studies}`, about.technology, about.version && `version ${about.version}`];
    this.#card.hidden = false;
    this.#text('.reference-facts', facts.filter(Boolean).join(' · '));
    this.#text('.reference-description', about.description || entry.description);
    this.#text('.reference-summary', about.card.summary);
    const limits = [about.held_out_sentence, about.card.parts, about.card.undivided, about.card.not_validated, about.card.healthy, ...(about.caveats ?? [])].filter(Boolean);
    this.#card.querySelector('.reference-limits ul').replaceChildren(...limits.map((said) => element('li', {}, said)));
    this.#card.querySelector('.reference-limits').hidden = limits.length === 0;
    for (const field of ['license', 'citation', 'source', 'checksum']) {
      this.#card.querySelector(`[data-field=${field}]`).textContent = about[field] || entry[field] || 'not stated';
    }
    const provenance = (about.provenance ?? []).map((line) => element('li', {}, line));
    this.#card.querySelector('[data-field=provenance]').replaceChildren(...provenance);
  }

  #text(selector, text) {
    const part = this.#card.querySelector(selector);
    part.hidden = !text;
    part.textContent = text ?? '';
  }
}
