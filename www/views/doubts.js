import { cellsWhere, doubtsOf } from '../doubts.js';
import { percent, whole } from '../words.js';
import { element, say } from './dom.js';

/** The cells that deserve a second look, kind by kind, each with a button that shows them. */
export class Doubts {
  #root;
  #list = element('ul', { class: 'doubts' });
  #shown = {};
  #doubts = [];
  #buttons = [];

  constructor(root) {
    this.#root = root;
    root.append(element('h3', {}, 'What deserves doubt'), this.#list);
    this.#list.addEventListener('click', (event) => {
      const at = this.#buttons.indexOf(event.target.closest('button'));
      if (at < 0) return;
      const { name, holds } = this.#doubts[at];
      say(root, 'doubt', { name, cells: cellsWhere(this.#shown.result.cells, holds) });
    });
  }

  update(state) {
    const { result, doublets, colorBy, selection } = state;
    const now = { result, doublets, level: colorBy.level };
    if (Object.keys(now).some((key) => now[key] !== this.#shown[key])) {
      const again = this.#buttons.indexOf(document.activeElement);
      this.#shown = now;
      this.#doubts = doubtsOf(state, Math.max(0, result.levels.findIndex(({ name }) => name === colorBy.level)));
      this.#buttons = this.#doubts.map(({ name, cells }) => element('button', { type: 'button', class: 'quiet', 'aria-label': `Show these cells: ${name}`, disabled: cells === 0 }, 'Show these cells'));
      this.#list.replaceChildren(...this.#doubts.map(({ name, words, cells }, at) => element('li', { 'data-cells': String(cells) },
        element('span', { class: 'doubt-name' }, name),
        element('span', { class: 'doubt-count number' }, `${whole(cells)} cells, ${percent(cells, result.cells)}`),
        this.#buttons[at],
        element('span', { class: 'doubt-words hint' }, words))));
      this.#buttons[again]?.focus();
    }
    this.#doubts.forEach(({ name }, at) => this.#buttons[at].setAttribute('aria-pressed', String(selection?.name === name)));
  }
}
