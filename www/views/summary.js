import { BATCH, MANY_CELLS } from '../budget.js';
import { bytes, whole } from '../words.js';
import { element, say } from './dom.js';
import { warnings } from './warnings.js';

const SAMPLES_IN_SIGHT = 4;

/** What was read: the kind of file, its samples and its figures, and what the engine has to say about them. */
export class Summary {
  #facts;
  #warnings;
  #figures;
  #shown = {};

  constructor(facts, list, figures) {
    this.#facts = facts;
    this.#warnings = list;
    this.#figures = figures;
  }

  update({ title, look, query, busy }) {
    const next = { title, look, query, busy };
    if (!look || Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    const read = query ?? look;
    this.#facts.replaceChildren(...[element('h3', { class: 'file-name' }, title), table(facts(read)), samples(look.samples), keptGenes(query, busy, this.#facts), batches(query, busy, this.#facts)].filter(Boolean));
    this.#warnings.replaceChildren(...[warnings(read.warnings)].filter(Boolean));
    this.#figures.replaceChildren(...[table(figures(look, query)), featureTypes(read.feature_types)].filter(Boolean));
  }
}

/** Rows of name, value and the field that it shows; and a tone where it is more than a figure. */
function table(rows) {
  return element('dl', { class: 'facts' }, ...rows.flatMap(([name, value, field, tone]) => [
    element('dt', {}, name), element('dd', { 'data-field': field, 'data-tone': tone }, value)]));
}

function facts(read) {
  return [
    ['Format', read.format, 'format'],
    ['Cells', whole(read.cells), 'cells'],
    ['Genes', whole(read.genes), 'genes'],
    ...(read.species ? [['Species', read.species, 'species']] : []),
  ];
}

function figures(look, query) {
  const { nonzeros, bytes: memory } = query ?? look;
  const rows = [['Non-zeros', whole(nonzeros ?? undefined), 'nonzeros']];
  if (memory) rows.push([query?.batches ? 'Memory for cells' : 'Memory for counts', bytes(memory), 'bytes']);
  if (!query) return rows;
  rows.push(
    ['Total counts', whole(query.total_counts), 'total_counts'],
    ['Median counts', whole(query.median_counts ?? undefined), 'median_counts'],
    ['Median genes', whole(query.median_features ?? undefined), 'median_features'],
    ['Median percent_mt', typeof query.median_percent_mt === 'number' ? `${query.median_percent_mt.toFixed(1)} %` : 'no MT- genes', 'median_percent_mt'],
    ...percents(query),
  );
  if (query.cells_left_out > 0) rows.push(['Cells left out', whole(query.cells_left_out), 'cells_left_out', 'warn']);
  if (query.empty_cells > 0) rows.push(['Empty cells set aside', whole(query.empty_cells), 'empty_cells', 'warn']);
  return rows;
}

/** Other shares of counts, where the file has the genes. */
function percents(query) {
  return ['percent_ribo', 'percent_hb']
    .filter((name) => typeof query[`median_${name}`] === 'number')
    .map((name) => [`Median ${name}`, `${query[`median_${name}`].toFixed(1)} %`, `median_${name}`]);
}

function samples(names) {
  if (!names?.length) return null;
  const items = names.map((name) => element('li', {}, name));
  const list = element('ul', { class: 'samples', id: 'query-samples' }, ...items);
  if (names.length <= SAMPLES_IN_SIGHT) return element('div', {}, element('p', { class: 'hint' }, `${names.length} samples, one dataset:`), list);
  return element('details', {}, element('summary', { class: 'hint' }, `${whole(names.length)} samples, one dataset`), list);
}

/** Where only the reference's genes were read: what that means, and the way back. */
function keptGenes(query, busy, root) {
  if (!query || query.genes_kept >= query.genes) return null;
  const button = element('button', { type: 'button', class: 'quiet', id: 'all-genes-button', disabled: busy }, 'Read all genes');
  button.addEventListener('click', () => say(root, 'options', { reference_genes_only: undefined }));
  return element('div', { class: 'kept', id: 'genes-kept' },
    element('p', {}, `Of ${whole(query.genes)} genes, the ${whole(query.genes_kept)} of the reference are kept. Labels, scores, counts per cell and percent_mt are the same as with all genes; markers beyond those genes are not at hand.`), button);
}

/** A query that is mapped in batches: what that means, and the way back; of many cells, the offer. */
function batches(query, busy, root) {
  if (!query || (!query.batches && query.cells < MANY_CELLS)) return null;
  const [words, batch, name] = query.batches
    ? [`Mapped in ${whole(query.batches)} ${query.batches === 1 ? 'batch' : 'batches'} of at most ${whole(query.cells_in_batch)} cells, each a mixture of the whole file; the counts are dropped once they were read, and for marker genes the file is read again, once or several times. Labels are those of one run but for few cells.`, undefined, 'Read all counts']
    : [`${whole(query.cells)} cells take long in one run, where every cell is compared with every other. In batches of ${whole(BATCH)} cells, labels are the same but for few cells; for marker genes the file is read again.`, BATCH, 'Map in batches'];
  const button = element('button', { type: 'button', class: 'quiet', id: 'batch-button', disabled: busy }, name);
  button.addEventListener('click', () => say(root, 'options', { batch, reference_genes_only: undefined }));
  return element('div', { class: 'kept', id: 'query-batches' }, element('p', {}, words), button);
}

function featureTypes(types) {
  if (!types || types.length < 2) return null;
  return element('p', { class: 'hint' }, `Feature types: ${types.map(([name, count]) => `${name} ${whole(count)}`).join(', ')}.`);
}
