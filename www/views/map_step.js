import { element, say } from './dom.js';

const HINTS = {
  loading: 'Sextant is getting ready.',
  idle: 'First choose a file or load the demo.',
  reading: 'The file is being read.',
  mapping: 'Escape cancels.',
  error: 'First choose a file or load the demo.',
};

/** Step 3: which levels, and the button. */
export class MapStep {
  #root;
  #levels;
  #button;
  #perSample;
  #method;
  #reference = null;

  constructor(root) {
    this.#root = root;
    this.#levels = root.querySelector('#levels');
    this.#button = root.querySelector('#map-button');
    this.#button.addEventListener('click', () => say(root, 'map'));
    this.#perSample = root.querySelector('#per-sample');
    this.#perSample.addEventListener('change', () => say(root, 'per-sample', { perSample: this.#perSample.checked }));
    this.#method = root.querySelector('#method');
    this.#method.addEventListener('change', () => say(root, 'method', { method: this.#method.value }));
    this.#levels.addEventListener('change', () => {
      const levels = [...this.#levels.querySelectorAll('input:checked')].map((box) => box.value);
      say(root, 'levels', { levels });
    });
  }

  update({ reference, levels, query, perSample, method, phase }) {
    if (reference && reference !== this.#reference) {
      this.#reference = reference;
      this.#show(reference.about.levels);
    }
    const canMap = Boolean(query) && !query.mismatch && ['ready', 'done', 'error'].includes(phase);
    this.#root.querySelector('#per-sample-row').hidden = !(query?.limits?.samples.length > 1);
    this.#perSample.checked = perSample;
    this.#method.value = method;
    for (const control of [this.#perSample, this.#method, this.#levels]) control.disabled = ['loading', 'reading', 'mapping'].includes(phase);
    this.#button.disabled = !canMap || !levels?.length;
    this.#button.textContent = phase === 'done' ? 'Map again' : 'Map cells onto the reference';
    let hint = canMap ? '' : (HINTS[phase] ?? '');
    if (query?.mismatch && phase === 'error') hint = 'These genes cannot be mapped onto this reference.';
    if (canMap && !levels.length) hint = 'Choose at least one level.';
    this.#root.querySelector('#map-hint').textContent = hint;
  }

  #show(levels) {
    const rows = levels.map(({ name, classes }) => element('label', { class: 'check' },
      element('input', { type: 'checkbox', value: name, checked: true }), ` ${name} `, element('span', { class: 'hint' }, `${classes.length} classes`)));
    this.#levels.replaceChildren(this.#levels.querySelector('legend'), ...rows);
    this.#levels.hidden = levels.length < 2;
  }
}
