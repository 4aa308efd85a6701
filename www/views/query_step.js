import { whole } from '../words.js';
import { element, say } from './dom.js';

const BUSY = ['loading', 'reading', 'mapping'];

/** Step 2: the file, from the button, from a drop anywhere on the page, or the demo; and what was read of it. */
export class QueryStep {
  #root;
  #input;
  #demo;
  #summary;
  #veil;
  #shown = {};

  constructor(root, veil) {
    this.#root = root;
    this.#veil = veil;
    this.#input = root.querySelector('#file-input');
    this.#demo = root.querySelector('#demo-button');
    this.#summary = root.querySelector('#query-summary');
    this.#input.addEventListener('change', () => {
      const [file] = this.#input.files;
      if (file) say(root, 'file', { file });
      this.#input.value = ''; // So that the same file can be chosen again.
    });
    this.#demo.addEventListener('click', () => say(root, 'demo'));
    this.#acceptDrops();
  }

  #acceptDrops() {
    const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
    document.addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = this.#input.disabled ? 'none' : 'copy';
      this.#veil.hidden = this.#input.disabled;
    });
    document.addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) this.#veil.hidden = true;
    });
    document.addEventListener('drop', (event) => {
      this.#veil.hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault(); // Whatever is dropped, the browser must not open it in place of the page.
      if (!this.#input.disabled) this.#take(event.dataTransfer);
    });
  }

  #take({ items, files }) {
    const isFolder = [...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (isFolder || files.length !== 1) {
      const found = isFolder ? 'A folder was dropped' : `${files.length} files were dropped`;
      say(this.#root, 'complaint', { message: `${found}, and one file was expected: a 10x HDF5 file (.h5) or an AnnData file (.h5ad).` });
      return;
    }
    say(this.#root, 'file', { file: files[0] });
  }

  update({ phase, entry, file, look, query, matrix }) {
    const busy = BUSY.includes(phase) || !entry;
    this.#input.disabled = busy;
    this.#root.dataset.loaded = String(Boolean(look));
    this.#demo.disabled = busy || !entry?.demo;
    if (entry?.demo) this.#root.querySelector('#demo-about').textContent = demoWords(entry.demo);
    const next = { file, look, query, matrix, busy };
    if (Object.keys(next).every((key) => next[key] === this.#shown[key])) return;
    this.#shown = next;
    this.#summary.hidden = !look;
    if (look) this.#summary.replaceChildren(...summary(next, this.#root));
  }
}

function demoWords({ title, name, bytes, license }) {
  return [title ?? name, bytes && `${(bytes / 1e6).toFixed(1)} MB`, license].filter(Boolean).join(' · ');
}

function summary({ file, look, query, matrix, busy }, root) {
  const facts = [['Format', look.format]];
  if (query) facts.push(...readFacts(query));
  else facts.push(['Cells', whole(look.cells)], ['Genes', whole(look.genes)], ['Non-zeros', whole(look.nonzeros)]);
  const list = element('dl', { class: 'facts' }, ...facts.flatMap(([name, value, tone]) => [
    element('dt', {}, name), element('dd', { 'data-tone': tone }, value)]));
  return [
    element('h3', { class: 'file-name' }, file.name),
    list,
    matrixChoice(look, query, matrix, busy, root),
    featureTypes((query ?? look).feature_types),
    warnings((query ?? look).warnings),
  ].filter(Boolean);
}

function readFacts(query) {
  const share = query.genes_in_common / query.reference_features;
  const facts = [
    ['Cells', whole(query.cells)],
    ['Genes', whole(query.genes)],
    ['Non-zeros', whole(query.nonzeros)],
    ['Genes in common', `${whole(query.genes_in_common)} of ${whole(query.reference_features)}`, share < 0.5 ? 'warn' : 'good'],
    ['Median counts', whole(query.median_counts)],
    ['Median genes', whole(query.median_features)],
    ['Median percent_mt', typeof query.median_percent_mt === 'number' ? `${query.median_percent_mt.toFixed(1)} %` : 'no MT- genes'],
  ];
  if (query.species) facts.push(['Species', query.species]);
  if (query.empty_cells > 0) facts.push(['Empty cells set aside', whole(query.empty_cells), 'warn']);
  return facts;
}

/** Which matrix is used and why; a choice where the file has several. */
function matrixChoice({ matrices, matrix: best }, query, asked, busy, root) {
  const used = query?.matrix ?? asked ?? best;
  const verdict = matrices.find(({ path }) => path === used)?.verdict;
  // The engine words it to follow “values …”: “are whole numbers”, “look like log1p of …”.
  const why = verdict ? element('p', { class: 'hint', id: 'matrix-why' }, `Its values ${verdict}.`) : null;
  if (matrices.length < 2) return element('div', { class: 'matrix' }, element('p', {}, 'Matrix ', element('code', {}, used ?? 'none')), why ?? '');
  const select = element('select', { id: 'matrix-select', disabled: busy, 'aria-describedby': why && 'matrix-why' },
    ...(used ? [] : [element('option', { value: '' }, 'choose one')]),
    ...matrices.map(({ path, shape, verdict: found }) => element('option', { value: path, selected: path === used, title: found }, `${path} (${whole(shape[0])} × ${whole(shape[1])})`)));
  select.addEventListener('change', () => say(root, 'matrix', { path: select.value || undefined }));
  return element('div', { class: 'matrix' }, element('label', { class: 'field', for: 'matrix-select' }, 'Matrix', select), why ?? '');
}

function featureTypes(types) {
  if (!types || types.length < 2) return null;
  return element('p', { class: 'hint' }, `Feature types: ${types.map(([name, count]) => `${name} ${whole(count)}`).join(', ')}.`);
}

export function warnings(list) {
  if (!list?.length) return null;
  return element('ul', { class: 'warnings' }, ...list.map(({ code, message }) => element('li', { 'data-code': code }, message)));
}
