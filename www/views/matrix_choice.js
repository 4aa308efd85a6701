import { whole } from '../words.js';
import { element, say } from './dom.js';

/** Which matrix is used and why; where the file has several, what each of them holds, and a choice. */
export class MatrixChoice {
  #root;
  #shown = {};

  constructor(root) {
    this.#root = root;
  }

  update({ look, query, options, busy }) {
    const next = { look, query, asked: options.matrix, busy };
    if (!look || Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    this.#root.replaceChildren(...this.#content(next));
  }

  #content({ look: { matrices, matrix: best }, query, asked, busy }) {
    // Of several samples the engine names every matrix that was used; the list is of the first.
    const used = asked ?? best ?? query?.matrix ?? (matrices.length === 1 ? matrices[0].path : undefined);
    const verdict = matrices.find(({ path }) => path === used)?.verdict;
    // The engine words it to follow “values …”: “are whole numbers”, “look like log1p of …”.
    const why = verdict ? element('p', { class: 'hint', id: 'matrix-why' }, `Its values ${verdict}.`) : null;
    if (matrices.length < 2) return [element('p', {}, 'Matrix ', element('code', {}, used ?? 'none')), why ?? ''];
    const select = element('select', { id: 'matrix-select', disabled: busy, 'aria-describedby': why && 'matrix-why' },
      ...(used ? [] : [element('option', { value: '' }, 'choose one')]),
      ...matrices.map(({ path, shape }) => element('option', { value: path, selected: path === used }, `${path} (${whole(shape[0])} × ${whole(shape[1])})`)));
    select.addEventListener('change', () => {
      // Another matrix may have other genes and other totals.
      if (select.value) say(this.#root, 'options', { matrix: select.value, gene_column: undefined, min_counts: undefined });
    });
    return [
      element('label', { class: 'field', for: 'matrix-select' }, 'Matrix', select),
      why ?? '',
      element('details', { class: 'verdicts' },
        element('summary', { class: 'hint' }, `What the ${matrices.length} matrices hold`),
        element('dl', {}, ...matrices.flatMap(({ path, shape, encoding, verdict: found, is_counts: counts }) => [
          element('dt', {}, element('code', {}, path), ' ', element('span', { class: 'hint' }, `${whole(shape[0])} × ${whole(shape[1])}, ${encoding}`)),
          element('dd', { 'data-counts': String(counts) }, `Its values ${found}.`)]))),
    ];
  }
}
