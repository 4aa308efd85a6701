import { chosen } from '../gather.js';
import { bytes as size, duration, whole } from '../words.js';
import { save } from './downloads.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';
import { warnings as warningList } from './warnings.js';

const MOST_EXAMPLES = 4;
// Columns whose values tell samples apart have few of them.
const MOST_PARTS = 200;
// Of more cells a reference hardly gets better, and a tab has to hold them.
const MANY_CELLS = 50_000;

/** A reference of one's own: from a labelled file over choices to a bundle. */
export class BuilderPanel {
  #root;
  #form;
  #input;
  #building = null;

  constructor(root, input) {
    this.#root = root;
    this.#form = root.querySelector('form');
    this.#input = input;
    input.addEventListener('change', () => {
      const files = chosen(input.files);
      input.value = ''; // So that the same file can be chosen again.
      if (files.length > 0) say(root, 'labelled', { files });
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      say(root, 'build', { wanted: this.#wanted() });
    });
    this.#form.addEventListener('input', () => this.#tell());
    root.querySelector('#builder-close').addEventListener('click', () => say(root, 'builder-close'));
    root.querySelector('#builder-save').addEventListener('click', () => {
      const { blob, name } = this.#building.built;
      save(blob, `${name}.sextant.zip`);
    });
  }

  update(state) {
    const { building } = state;
    this.#input.disabled = state.phase === 'loading' || isBusy(state);
    this.#root.hidden = !building;
    if (!building) {
      this.#building = null;
      return;
    }
    const fresh = building.about !== this.#building?.about;
    const changed = building !== this.#building;
    this.#building = building;
    if (fresh) this.#show(building);
    for (const control of this.#root.querySelectorAll('input, select, button')) control.disabled = isBusy(state);
    if (changed) this.#result(building.built);
    this.#tell();
    if (fresh) this.#root.scrollIntoView({ block: 'start' });
  }

  #show({ title, about }) {
    const { format, matrix, cells, genes, columns, like_labels: likeLabels, proteins, warnings } = about;
    this.#root.querySelector('.builder-facts').textContent = [title, format, `counts from ${matrix}`, `${whole(cells)} cells`, `${whole(genes)} genes`, proteins && `proteins from ${proteins}, which go along`].filter(Boolean).join(' · ');
    this.#root.querySelector('.builder-warnings').replaceChildren(...(warnings.length > 0 ? [warningList(warnings)] : []));
    const name = title.replace(/\.(h5ad|h5|h5mu|rds|rda|rdata|loom|h5seurat|zip|gz|csv|tsv|txt)\b.*$/i, '').replace(/[^\w.-]+/g, '_') || 'mine';
    this.#field('name').value = name;
    this.#field('title').value = '';
    for (const key of ['organ', 'max_cells', 'max_per_class', 'dimensions', 'features']) this.#field(key).value = '';
    if (cells > MANY_CELLS) this.#field('max_cells').value = MANY_CELLS;
    const classes = new Map(likeLabels);
    // What looks like labels comes first.
    const labels = columns.filter((column) => column.kind !== 'number' || classes.has(column.name)).filter(({ distinct }) => distinct > 1)
      .sort((a, b) => Number(classes.has(b.name)) - Number(classes.has(a.name)) || a.distinct - b.distinct);
    this.#root.querySelector('#builder-labels').replaceChildren(...labels.map((column) => this.#label(column, classes.has(column.name))));
    const parts = columns.filter(({ distinct, unique, kind }) => distinct > 1 && distinct <= MOST_PARTS && !unique && kind !== 'number').map((column) => column.name);
    this.#choices('batch', [['', 'none'], ...parts.map((part) => [part, part])]);
    this.#choices('samples', [['', 'by itself, where there is a usual column'], ...parts.map((part) => [part, part])]);
    this.#choices('held_out_by', [['', 'a usual column, else random cells'], ...parts.map((part) => [part, part]), ['none', 'nothing: no figures']]);
  }

  #label(column, likely) {
    const { name, distinct, missing, values } = column;
    const examples = (values ?? []).slice(0, MOST_EXAMPLES).map(({ value, cells }) => `${value} (${whole(cells)})`).join(', ');
    const facts = [`${whole(distinct)} different`, missing > 0 && `${whole(missing)} cells without one`].filter(Boolean).join(', ');
    return element('label', { class: 'builder-label' },
      element('input', { type: 'checkbox', name: 'labels', value: name, checked: likely }),
      element('span', {}, element('strong', {}, name), ` ${facts}`, element('small', {}, examples + (distinct > MOST_EXAMPLES ? ' …' : ''))));
  }

  #choices(name, options) {
    this.#field(name).replaceChildren(...options.map(([value, text]) => element('option', { value }, text)));
  }

  #field(name) {
    return this.#form.elements.namedItem(name);
  }

  /** The columns that are chosen, coarse before fine: those with fewer classes come first. */
  #chosenLabels() {
    const distinct = new Map(this.#building.about.columns.map((column) => [column.name, column.distinct]));
    const chosen = [...this.#form.querySelectorAll('[name=labels]:checked')].map(({ value }) => value);
    return chosen.sort((a, b) => distinct.get(a) - distinct.get(b));
  }

  /** What the command's options of the same names would be. */
  #wanted() {
    const text = (name) => this.#field(name).value.trim() || undefined;
    const number = (name) => (this.#field(name).value === '' ? undefined : this.#field(name).valueAsNumber);
    const name = text('name');
    const wanted = {
      name, title: text('title') ?? name, species: text('species'), organ: text('organ'), tissue: text('organ'),
      labels: this.#chosenLabels(), min_cells: number('min_cells'), max_cells: number('max_cells'), max_per_class: number('max_per_class'),
      filter: this.#field('filter').checked ? 'suggested' : undefined, doublets: this.#field('doublets').checked ? 0.5 : undefined,
      samples: text('samples'), batch: text('batch'), dimensions: number('dimensions'), features: number('features'), held_out_by: text('held_out_by'),
    };
    return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  }

  /** What the choices mean, and whether they will do. */
  #tell() {
    const labels = this.#chosenLabels();
    const { columns } = this.#building.about;
    const sizes = labels.map((name) => columns.find((column) => column.name === name)?.distinct ?? 0);
    const words = labels.length === 0
      ? 'Choose at least one column of labels.'
      : `Levels, coarse before fine: ${labels.map((name, at) => `${name} (${whole(sizes[at])})`).join(', ')}.`;
    this.#root.querySelector('#builder-levels').textContent = words;
    const button = this.#root.querySelector('#builder-build');
    button.disabled ||= labels.length === 0;
    if (labels.length > 0 && !this.#field('name').disabled) button.disabled = false;
  }

  #result(built) {
    const part = this.#root.querySelector('.builder-built');
    part.hidden = !built;
    if (!built) return;
    part.querySelector('.builder-done').textContent = `Built in ${duration(1000 * built.seconds)}, ${size(built.blob.size)}, and chosen as the reference: its card and its map say what it is. ${built.heldOut ?? ''}`;
    part.querySelector('.builder-said').replaceChildren(...(built.warnings.length > 0 ? [warningList(built.warnings)] : []));
  }
}
