import { score, whole } from '../words.js';
import { element } from './dom.js';

/** How each sample came out by itself, beside mapping all samples together. */
export class Samples {
  #root;
  #shown = null;

  constructor(root) {
    this.#root = root;
  }

  update({ result }) {
    if (result === this.#shown) return;
    this.#shown = result;
    this.#root.replaceChildren(...(result?.samples?.length ? [details(result.samples)] : []));
  }
}

function details(samples) {
  const head = ['Sample', 'Cells', 'Median mapping score', 'All together'].map((name) => element('th', { scope: 'col' }, name));
  return element('details', { id: 'samples-outcome', open: samples.length <= 8 },
    element('summary', {}, `Each of ${whole(samples.length)} samples mapped by itself`),
    element('table', { class: 'metadata-table' }, element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...samples.map(row))));
}

function row({ sample, cells, by_itself: byItself, median_mapping_score: own, median_mapping_score_together: together }) {
  return element('tr', {}, element('th', { scope: 'row' }, sample ?? 'no sample'), element('td', {}, whole(cells)),
    element('td', {}, byItself ? score(own) : 'too few cells or anchors'), element('td', {}, score(together)));
}
