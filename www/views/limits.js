import { figure, whole } from '../words.js';
import { element, say, uncover } from './dom.js';

const WORDS = {
  min_counts: 'Counts at least',
  min_features: 'Genes at least',
  max_percent_mt: 'percent_mt at most',
  max_percent_ribo: 'percent_ribo at most',
  max_percent_hb: 'percent_hb at most',
};

// A column with more values hardly tells samples apart.
const MOST_SAMPLES = 200;

// What own limits can be set on, by the names of the engine's quality.
const METRICS = { counts: 'Counts', features: 'Genes', percent_mt: 'percent_mt' };

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
    // What was typed stays while something else goes on.
    const typed = query === this.#shown.query ? Object.fromEntries([...this.#root.querySelectorAll('#own-limits input')].map(({ name, value }) => [name, value])) : null;
    this.#shown = next;
    this.#root.replaceChildren(...(query?.limits?.samples.length ? [this.#details(next, typed)] : []));
  }

  #details({ query, filter, busy }, typed) {
    const { limits, cells_left_out: leftOut } = query;
    const { samples, cells_beyond: beyond } = limits;
    const open = this.#root.querySelector('details')?.open ?? false;
    const said = filter ? `Quality: ${whole(leftOut)} cells left out` : `Quality: ${whole(beyond)} cells beyond suggested limits`;
    const own = new OwnLimits(query, typed ?? limitsOf(filter), busy, (wanted) => say(this.#root, 'options', { filter: wanted }));
    const button = element('button', { type: 'button', class: 'quiet', id: 'filter-button', disabled: busy || (!filter && beyond === 0) },
      filter ? 'Keep all cells' : `Leave these ${whole(beyond)} cells out`);
    button.addEventListener('click', () => say(this.#root, 'options', { filter: filter ? undefined : 'suggested' }));
    const summary = element('summary', {}, said);
    // Not on every toggle: an open one is made anew whenever something changes.
    summary.addEventListener('click', () => requestAnimationFrame(() => summary.parentElement.open && uncover(summary.parentElement)));
    return element('details', { id: 'limits', open },
      summary,
      this.#samples(query, busy),
      element('dl', { class: 'facts' }, ...rows(samples)),
      element('p', { class: 'hint' }, `${samples.length > 1 ? `For each of ${whole(samples.length)} samples by itself: three` : 'Three'} median absolute deviations from the median. Whole types of cells may lie beyond them; nothing is left out unless you say so.`),
      button, ...own.elements);
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

/** Limits of the person's own, with the cells that would remain. */
class OwnLimits {
  #quality;
  #inputs;
  #remain = element('output', { class: 'hint', id: 'own-remain', 'aria-live': 'polite' });
  #apply = element('button', { type: 'button', class: 'quiet', id: 'own-filter-button' }, 'Use these limits');

  constructor({ quality, limits }, set, busy, use) {
    this.#quality = quality;
    const [sample, ...others] = limits.samples;
    const suggested = Object.fromEntries(others.length === 0 ? sample.limits.map(({ name, value }) => [name, value]) : []);
    const metrics = Object.entries(METRICS).filter(([metric]) => quality[metric]);
    this.#inputs = metrics.flatMap(([metric, words]) => ['min', 'max'].map((end) => element('input', {
      type: 'number', min: 0, max: metric === 'percent_mt' ? 100 : null, step: 'any', disabled: busy, name: `${end}_${metric}`, value: set[`${end}_${metric}`],
      placeholder: suggested[`${end}_${metric}`] === undefined ? '' : String(Number(suggested[`${end}_${metric}`].toPrecision(3))),
      'aria-label': `${words} at ${end === 'min' ? 'least' : 'most'}` })));
    const grid = metrics.flatMap(([, words], at) => [element('span', {}, words), ...this.#inputs.slice(2 * at, 2 * at + 2)]);
    this.elements = [
      element('div', { class: 'own-limits', id: 'own-limits', role: 'group', 'aria-label': 'Own limits' },
        element('span', {}, 'Own limits'), element('span', {}, 'at least'), element('span', {}, 'at most'), ...grid),
      this.#remain, this.#apply];
    for (const input of this.#inputs) input.addEventListener('input', () => this.#count(busy));
    this.#apply.addEventListener('click', () => this.#inputs.every((input) => input.reportValidity()) && use(this.#words()));
    this.#count(busy);
  }

  /** As the command's `--filter` takes them. */
  #words() {
    return this.#inputs.filter(({ value }) => value !== '').map(({ name, value }) => `${name}=${value}`).join(',');
  }

  #count(busy) {
    const bounds = this.#inputs.filter(({ value }) => value !== '').map(({ name, valueAsNumber }) => ({ upper: name.startsWith('max_'), values: this.#quality[name.slice(4)], limit: valueAsNumber }));
    const cells = this.#quality.counts.length;
    let remain = 0;
    for (let cell = 0; cell < cells; cell += 1) {
      // A figure that is not known lies beyond no limit.
      if (!bounds.some(({ upper, values, limit }) => (upper ? values[cell] > limit : values[cell] < limit))) remain += 1;
    }
    this.#remain.textContent = bounds.length === 0 ? 'Type a limit to see how many cells would remain.' : `${whole(remain)} of ${whole(cells)} cells remain`;
    this.#apply.disabled = busy || bounds.length === 0 || remain === 0;
  }
}

/** The limits of a filter by their names. */
function limitsOf(filter = '') {
  return Object.fromEntries(filter.split(',').map((part) => part.split('=')));
}

/** The columns of the table of cells that may tell samples apart. */
export function sampleColumns({ metadata, sample_column: used }) {
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
