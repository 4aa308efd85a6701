import { capital } from '../words.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';
import { warnings } from './warnings.js';

/** Which of the references that are at hand the cells are like and, where everybody sees it, which would fit better than the chosen one. */
export class LikenessView {
  #root;
  #advice;
  #shown = null;

  constructor(root, advice) {
    this.#root = root;
    this.#advice = advice;
  }

  update(state) {
    const { likeness, query } = state;
    this.#root.hidden = !query || !likeness || likeness.all.length < 2;
    this.#advice.hidden = this.#root.hidden || !likeness.warning;
    if (this.#root.hidden) return;
    if (likeness !== this.#shown) this.#show(likeness);
    this.#shown = likeness;
    for (const button of this.#advice.querySelectorAll('button')) button.disabled = isBusy(state);
  }

  #show({ all, warning, better }) {
    const use = better === null ? null : element('button', { type: 'button', id: 'better-reference' }, `Use “${better.title}” instead`);
    // The page's own references and those that are kept need no request, so any click will do.
    use?.addEventListener('click', ({ isTrusted }) => say(this.#root, 'reference', { name: better.name, trusted: isTrusted }));
    const rows = all.map(({ title, organ, species, fit, chosen }) => element('tr', { 'data-chosen': chosen },
      element('th', { scope: 'row' }, title), element('td', {}, [capital(organ), species].filter(Boolean).join(', ')), element('td', { class: 'number' }, fit.toFixed(2))));
    const open = this.#root.querySelector('details')?.open ?? false;
    this.#advice.replaceChildren(...(warning ? [warnings([warning])] : []), ...(use ? [use] : []));
    this.#root.replaceChildren(
      element('details', { open },
        element('summary', {}, `Looks most like ${all[0].organ || all[0].title}`),
        element('p', { class: 'hint' }, 'How well the mean of your cells is explained by what the classes of each reference express (rank correlation, 1 at best).'),
        element('table', { class: 'likeness' }, element('tbody', {}, ...rows))));
  }
}
