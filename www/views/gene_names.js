import { percent, whole } from '../words.js';
import { element, say } from './dom.js';

// How a gene came to its feature, the surest first, as the engine calls it and as people do.
const ROUTES = {
  id: 'by Ensembl id',
  symbol: 'by symbol',
  genome: 'with the genome taken off the name',
  spelling: 'but for spelling',
  table: 'from id to symbol or back',
  previous: 'by a previous symbol',
  alias: 'by an alias',
  orthologue: 'by an orthologue',
};

/** From which column the names of the genes come, and how many of the reference's genes were found by them. */
export class GeneNames {
  #root;
  #shown = {};

  constructor(root) {
    this.#root = root;
  }

  update({ look, query, options, busy, geneTable }) {
    const next = { look, query, asked: options.gene_column, busy, geneTable };
    if (!look || Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    this.#root.replaceChildren(...[this.#columns(next), ...this.#match(query, busy), about(geneTable)].filter(Boolean));
  }

  #columns({ look, query, asked, busy }) {
    const columns = query?.gene_columns ?? look.gene_columns;
    if (!columns?.length) return null;
    const used = asked ?? columns[0];
    if (columns.length < 2) return element('p', {}, 'Gene names from ', element('code', {}, used));
    const select = element('select', { id: 'gene-column-select', disabled: busy }, ...columns.map((name) => element('option', { value: name, selected: name === used }, name)));
    select.addEventListener('change', () => say(this.#root, 'options', { gene_column: select.value }));
    return element('label', { class: 'field', for: 'gene-column-select' }, 'Gene names from', select);
  }

  #match(query, busy) {
    if (!query) return [];
    const { genes_in_common: found, reference_features: all, mismatch } = query;
    if (mismatch) return [element('p', { id: 'gene-match', class: 'gene-match', 'data-tone': 'warn' }, 'Too few of the reference’s genes were found for a mapping.')];
    const lost = all - found;
    const bar = element('span', { class: 'share-fill' });
    bar.style.transform = `scaleX(${all > 0 ? found / all : 0})`;
    return [
      element('p', { id: 'gene-match', class: 'gene-match', 'data-tone': found < all / 2 ? 'warn' : 'good' },
        element('span', {}, 'Genes in common '), element('strong', {}, `${whole(found)} of ${whole(all)}`), ` (${percent(found, all)})`),
      element('span', { class: 'share-track', 'aria-hidden': 'true' }, bar),
      element('p', { class: 'hint', id: 'gene-routes' }, `${routeWords(query)}${lost > 0 ? `; ${whole(lost)} not in the file` : ''}.`),
      this.#download(query, busy),
    ];
  }

  #download(query, busy) {
    if (!query.genes_matched) return null;
    const button = element('button', { type: 'button', class: 'quiet', id: 'download-genes', disabled: busy }, 'Download genes.tsv');
    button.addEventListener('click', () => say(this.#root, 'download', { name: 'genes.tsv' }));
    return button;
  }
}

/** Where the table of gene names comes from, and in which versions. */
function about(table) {
  if (!table) return null;
  const source = ({ name, what, version, license, citation }) => element('li', {}, element('strong', {}, name), `, ${version}: ${what}. License: ${license}. ${citation}`);
  return element('details', { id: 'gene-table' }, element('summary', {}, 'Where the other names come from'), element('ul', { class: 'hint' }, ...table.sources.map(source)));
}

/** By which routes, those that found something; routes that this page does not know are named as they are. */
function routeWords({ genes_matched: matched, genes_by_id: id, genes_by_symbol: symbol }) {
  const routes = matched?.routes ?? { id, symbol };
  const names = [...Object.keys(ROUTES).filter((name) => name in routes), ...Object.keys(routes).filter((name) => !(name in ROUTES))];
  const words = names.filter((name) => routes[name] > 0).map((name) => `${whole(routes[name])} ${ROUTES[name] ?? `by ${name}`}`);
  const again = matched?.duplicates ?? 0;
  const repeats = again === 1 ? '1 more gene of the file stands for one that was found already' : `${whole(again)} more genes of the file stand for some that were found already`;
  return [words.join(', '), ...(again > 0 ? [repeats] : [])].join('; ');
}
