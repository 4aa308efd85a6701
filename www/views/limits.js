import { figure, whole } from '../words.js';
import { element, say } from './dom.js';

const WORDS = {
  min_counts: 'Counts at least',
  min_features: 'Genes at least',
  max_percent_mt: 'percent_mt at most',
  max_percent_ribo: 'percent_ribo at most',
  max_percent_hb: 'percent_hb at most',
};

// A column with more values hardly tells samples apart.
const MOST_SAMPLES = 200;

/** Limits on the quality of cells that are suggested, and what they would leave out: applied only when asked for. */
export class Limits {
  #root;
  #shown = {};

  constructor(root) {
    this.#root = root;
  }

  update({ query, options, busy }) {
    const next = { query, filter: options.filter, busy };
    if (Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    this.#root.replaceChildren(...(query?.limits?.samples.length ? [this.#details(next)] : []));
  }

  #details({ query, filter, busy }) {
    const { limits, cells_left_out: leftOut } = query;
    const { samples, cells_beyond: beyond } = limits;
    const open = this.#root.querySelector('details')?.open ?? false;
    const said = filter ? `Quality: ${whole(leftOut)} cells left out` : `Quality: ${whole(beyond)} cells beyond suggested limits`;
    const button = element('button', { type: 'button', class: 'quiet', id: 'filter-button', disabled: busy || (!filter && beyond === 0) },
      filter ? 'Keep all cells' : `Leave these ${whole(beyond)} cells out`);
    button.addEventListener('click', () => say(this.#root, 'options', { filter: filter ? undefined : 'suggested' }));
    return element('details', { id: 'limits', open },
      element('summary', {}, said),
      this.#samples(query, busy),
      element('dl', { class: 'facts' }, ...rows(samples)),
      element('p', { class: 'hint' }, `${samples.length > 1 ? `For each of ${whole(samples.length)} samples by itself: three` : 'Three'} median absolute deviations from the median. Whole types of cells may lie beyond them; nothing is left out unless you say so.`),
      button);
  }

  #samples(query, busy) {
    const columns = sampleColumns(query);
    if (columns.length === 0) return null;
    const option = (value, words) => element('option', { value, selected: value === (query.sample_column ?? '') }, words);
    const select = element('select', { id: 'sample-column-select', disabled: busy },
      ...(query.sample_column ? [] : [option('', 'not told apart')]), ...columns.map((name) => option(name, name)));
    select.addEventListener('change', () => say(this.#root, 'options', { samples: select.value || undefined }));
    return element('label', { class: 'field', for: 'sample-column-select' }, 'Samples by', select);
  }
}

/** The columns of the table of cells that may tell samples apart. */
function sampleColumns({ metadata, sample_column: used }) {
  const fits = ({ name, kind, unique, distinct }) => name === used || (kind !== 'number' && !unique && distinct > 1 && distinct <= MOST_SAMPLES);
  return (metadata ?? []).filter(fits).map(({ name }) => name);
}

/** Of one sample the limits themselves; of several how many cells lie beyond, since each has its own. */
function rows(samples) {
  return Object.entries(WORDS).flatMap(([name, words]) => {
    const found = samples.flatMap(({ limits }) => limits.filter((limit) => limit.name === name));
    if (found.length === 0) return [];
    const cells = found.reduce((sum, limit) => sum + limit.cells_beyond, 0);
    const value = samples.length === 1 ? ` ${figure(Number(found[0].value.toPrecision(3)))}` : ' its limit';
    return [element('dt', {}, `${words}${value}`), element('dd', { 'data-field': name }, `${whole(cells)} beyond`)];
  });
}
