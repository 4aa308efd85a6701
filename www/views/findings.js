import { CompositionView } from './composition.js';
import { element, say } from './dom.js';
import { Doubts } from './doubts.js';
import { ScorePlot } from './score_plot.js';

/** The result summed up: how sure and how well mapped the cells are, what they consist of, and which deserve doubt. */
export class Findings {
  #root;
  #level = element('select', { id: 'findings-level' });
  #shown = {};
  #parts;

  constructor(root) {
    this.#root = root;
    root.querySelector('.findings-head').append(element('label', { class: 'field inline', for: 'findings-level' }, 'Level ', this.#level));
    this.#level.addEventListener('change', () => say(root, 'color-by', { kind: 'label', level: this.#level.value }));
    const part = (name, View) => new View(root.appendChild(element('section', { class: `findings-${name}` })));
    this.#parts = [part('plot', ScorePlot), part('doubts', Doubts), part('composition', CompositionView)];
  }

  update(state) {
    const { result, colorBy } = state;
    this.#root.hidden = !result;
    if (!result) return;
    if (result !== this.#shown.result || colorBy.level !== this.#shown.level) {
      this.#shown = { result, level: colorBy.level };
      this.#level.replaceChildren(...result.levels.map(({ name }) => element('option', { value: name, selected: name === colorBy.level }, name)));
    }
    for (const part of this.#parts) part.update(state);
  }
}
