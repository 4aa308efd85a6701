// What the page asks of a reference by itself, and of single genes: where its cells come from, what its classes express.

import { ofGene } from './views/coloring.js';

const MARKERS_OF_CLASS = 2;
const MOST_GENES = 60; // More columns than these nobody reads.

/** The genes of the reference and of the file, each symbol once, in the order of the alphabet. */
export function symbolsOf({ referenceGenes, queryGenes }) {
  return [...new Set([...referenceGenes, ...queryGenes])].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

export class Explorer {
  #page; // { state, set, failed }: the controller
  #session = null;
  #asked = 0; // how often a gene was asked for: of several, the last counts

  constructor(page) {
    this.#page = page;
  }

  begin(session) {
    this.#session = session;
  }

  /** What is shown of a reference by itself. */
  async explore() {
    const { state, set } = this.#page;
    const referenceGenes = await this.#session.referenceGenes();
    set({ referenceGenes, symbols: symbolsOf({ referenceGenes, queryGenes: state.queryGenes }) });
    await this.showDots('');
  }

  /** The dot plot of these genes, or of the best markers of each class. */
  async showDots(text) {
    const { state, set, failed } = this.#page;
    const { reference, colorBy } = state;
    if (!reference.about.tells_expression) return;
    try {
      const dots = await dotsOf(this.#session, state, text);
      if (state.reference === reference && state.colorBy.level === colorBy.level) set({ dots });
    } catch (error) {
      failed(error, 'exporting');
    }
  }

  /** Colours both maps by a gene, or by labels again. */
  async colorBy(symbol) {
    const { state, set, failed } = this.#page;
    const before = { asked: (this.#asked += 1), result: state.result, colors: state.colorBy };
    const { level } = state.colorBy;
    if (symbol === null) {
      set({ colorBy: { kind: 'label', level } });
      return;
    }
    try {
      const gene = await geneColoring(this.#session, state, symbol);
      if (before.asked === this.#asked && before.result === state.result && before.colors === state.colorBy) set({ colorBy: { kind: 'gene', level, gene } });
    } catch (error) {
      failed(error, 'exporting');
    }
  }
}

/** The dot plot of the genes that were written, or of the best markers of each class where none were. */
async function dotsOf(session, { reference, referenceGenes, colorBy }, text) {
  const level = Math.max(0, reference.about.levels.findIndex(({ name }) => name === colorBy.level));
  const { name, classes } = reference.about.levels[level];
  const words = [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
  const { genes, unknown } = words.length > 0 ? found(words, referenceGenes) : { genes: await markers(session, level), unknown: [] };
  const values = await session.referenceExpression(level, genes.map(({ gene }) => gene));
  return { level: name, classes, genes, values, unknown, text, markers: words.length === 0 };
}

function found(words, symbols) {
  const places = new Map();
  symbols.forEach((symbol, at) => {
    for (const key of [symbol, symbol.toLowerCase()]) if (!places.has(key)) places.set(key, at);
  });
  const genes = [];
  const unknown = [];
  for (const word of words) {
    const gene = places.get(word) ?? places.get(word.toLowerCase());
    if (gene === undefined) unknown.push(word);
    else if (genes.length < MOST_GENES && !genes.some((each) => each.gene === gene)) genes.push({ gene, symbol: symbols[gene] });
  }
  return { genes, unknown };
}

/** The best markers of each class, each gene once. */
async function markers(session, level) {
  const of = await session.referenceMarkers(level, MARKERS_OF_CLASS);
  const genes = new Map(of.flat().map(({ gene, symbol }) => [gene, { gene, symbol }]));
  return [...genes.values()].slice(0, MOST_GENES);
}

/** A gene as colours of both maps: of each cell of the reference, and of the query where the file has it. */
async function geneColoring(session, { reference, referenceGenes, colorBy, result }, symbol) {
  const level = Math.max(0, reference.about.levels.findIndex(({ name }) => name === colorBy.level));
  const values = await session.gene(symbol, level, referenceGenes.indexOf(symbol), Boolean(result));
  return { symbol, ...values, reference: values.reference && ofGene(values.reference), query: values.query && ofGene(values.query) };
}
