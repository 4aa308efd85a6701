import { capital, duration } from '../words.js';
import { element } from './dom.js';

/** The stages of the work, in the order in which they came, each with its time. */
export class Progress {
  #root;
  #list;
  #title;
  #rows = [];

  constructor(root) {
    this.#root = root;
    this.#list = root.querySelector('.stages');
    this.#title = root.querySelector('h2');
  }

  update({ stages, phase, doing }) {
    const begins = this.#root.hidden && stages.length > 0 && phase === 'mapping';
    this.#root.hidden = stages.length === 0;
    // On a narrow screen the stages are far below the button that started them; on a scrolled page, above.
    const { top } = this.#root.getBoundingClientRect();
    if (begins && (top < 0 || top > window.innerHeight - 100)) this.#root.scrollIntoView({ block: 'start' });
    this.#root.dataset.done = String(phase === 'done');
    this.#title.textContent = { mapping: doing ?? 'Mapping', reading: 'Reading', done: 'Time of each stage' }[phase] ?? 'Progress';
    while (this.#rows.length > stages.length) this.#rows.pop().row.remove();
    stages.forEach((stage, index) => this.#show(this.#rows[index] ?? this.#add(), stage));
  }

  #add() {
    const name = element('span', { class: 'stage-name' });
    const time = element('span', { class: 'stage-time' });
    const fill = element('span', { class: 'stage-fill' });
    const row = element('li', {}, name, element('span', { class: 'stage-track', 'aria-hidden': 'true' }, fill), time);
    this.#list.append(row);
    const made = { row, name, time, fill };
    this.#rows.push(made);
    return made;
  }

  #show({ row, name, time, fill }, { stage, fraction, ms, done }) {
    row.dataset.done = String(done);
    name.textContent = capital(stage);
    time.textContent = ms >= 1 ? duration(ms) : '';
    fill.style.transform = `scaleX(${done ? 1 : (fraction ?? 0)})`;
  }
}
