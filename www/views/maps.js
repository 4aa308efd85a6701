import { Camera } from '../plot/camera.js';
import { paint, plasma, rgb, scoreColor } from '../plot/colors.js';
import { fitted } from '../plot/fit.js';
import { boundsOf, densestPlaces } from '../plot/grid.js';
import { Scatter } from '../plot/scatter.js';
import { figure, score, whole } from '../words.js';
import { element, say } from './dom.js';
import { GeneSearch } from './gene_search.js';
import { Selection } from './selection.js';
import { callOf, cellNames, codeOf, columnOfProtein, DOUBLETS, isBusy, keyOf, OWN_CLUSTERS, shownLevel, shownMetadata } from './shown.js';

// Below this share of all cells a class is so small that its name would cover it.
const SMALL = 0.01;
// Names of values are whatever the file says: longer ones are cut on the map.
const LONGEST_NAME = 28;
// A choice of thousands of columns is none.
const MOST_COLUMNS = 200;
const EVERYTHING = { highlight: null, isolated: false };

/** The reference's map and the query's beside it, on the same axes and under one camera. */
export class Maps {
  #root;
  #camera = new Camera();
  #reference;
  #query;
  #state = null;
  #drawn = {};
  #dark = window.matchMedia('(prefers-color-scheme: dark)');
  #labels;
  #behind;
  #colorBy;
  #cluster;
  #resolution;
  #clusterMethod;
  #doublets;
  #ownMap;
  #ownPlaces = null;
  #genes;
  #selection;

  constructor(root) {
    this.#root = root;
    this.#labels = root.querySelector('#show-labels');
    this.#behind = root.querySelector('#show-behind');
    this.#colorBy = root.querySelector('#color-by');
    this.#cluster = root.querySelector('#cluster-button');
    this.#resolution = root.querySelector('#resolution');
    this.#clusterMethod = root.querySelector('#cluster-method');
    this.#doublets = root.querySelector('#doublets-button');
    this.#ownMap = root.querySelector('#own-map');
    this.#genes = new GeneSearch(root.querySelector('.gene-search'));
    this.#reference = new Scatter(root.querySelector('#reference-plot'), this.#camera, (point) => this.#describeReference(point));
    this.#query = new Scatter(root.querySelector('#query-plot'), this.#camera, (point) => this.#describeQuery(point));
    this.#selection = new Selection(root, { reference: this.#reference, query: this.#query }, () => this.#paint());
    this.#reference.addEventListener('resize', () => this.#home());
    root.querySelector('#zoom-in').addEventListener('click', () => this.#camera.zoomAt(1.5));
    root.querySelector('#zoom-out').addEventListener('click', () => this.#camera.zoomAt(1 / 1.5));
    root.querySelector('#zoom-reset').addEventListener('click', () => this.#camera.reset());
    const again = () => this.#state?.reference && this.#paint();
    for (const control of [this.#labels, this.#behind]) control.addEventListener('change', again);
    this.#dark.addEventListener('change', again);
    this.#resolution.addEventListener('change', () => this.#resolution.reportValidity());
    this.#cluster.addEventListener('click', () => {
      // Empty, it is the usual one.
      if (this.#resolution.reportValidity()) say(root, 'cluster', { resolution: this.#resolution.value === '' ? null : this.#resolution.valueAsNumber, method: this.#clusterMethod.value });
    });
    this.#doublets.addEventListener('click', () => say(root, 'doublets'));
    this.#ownMap.addEventListener('change', () => {
      if (this.#ownMap.checked && !this.#state.own.layout) say(root, 'own-map');
      else this.#showPlaces();
    });
    this.#colorBy.addEventListener('change', () => {
      const { kind, level, column } = this.#colorBy.selectedOptions[0].dataset;
      say(root, 'color-by', { kind, level, column: Number(column) });
    });
  }

  update(state) {
    this.#state = state;
    const { reference, query, result, own, doublets, colorBy, focus, cell, selection } = state;
    this.#root.hidden = !reference;
    // Of a query that is mapped in batches no counts are kept.
    this.#root.querySelector('#alone').hidden = !result || Boolean(query?.batches);
    this.#cluster.textContent = own ? 'Cluster again' : 'Cluster';
    this.#root.querySelector('#own-map-row').hidden = !own;
    this.#doublets.hidden = Boolean(doublets);
    for (const control of [this.#cluster, this.#resolution, this.#clusterMethod, this.#ownMap, this.#doublets]) control.disabled = isBusy(state);
    this.#genes.update({ symbols: state.symbols, value: colorBy?.gene?.symbol, disabled: isBusy(state) });
    if (!reference) return;
    const before = this.#drawn;
    this.#drawn = { reference, result, own, doublets, colorBy, focus, cell, selection };
    this.#selection.update(state);
    if (own !== before.own) this.#takeOwn(own);
    if (reference !== before.reference || result !== before.result) this.#setPoints(reference, result);
    else if (colorBy !== before.colorBy || own !== before.own || doublets !== before.doublets) this.#choices(state);
    if (['reference', 'result', 'own', 'colorBy', 'focus', 'selection'].some((key) => this.#drawn[key] !== before[key])) this.#paint();
    if (cell !== before.cell) this.#query.setRing(result && cell !== null ? cell : -1);
  }

  #setPoints(reference, result) {
    this.#root.querySelector('#query-plot').hidden = !result;
    this.#root.querySelector('#show-behind-row').hidden = !result;
    this.#root.dataset.mapped = String(Boolean(result));
    this.#reference.setPoints(reference.layout);
    this.#reference.name = `Map of the reference, ${whole(reference.layout.length / 2)} cells`;
    if (result) {
      this.#query.setPoints(this.#places());
      this.#query.name = `Map of your ${whole(result.cells)} cells, on the axes of the reference`;
    }
    this.#choices(this.#state);
    this.#home();
  }

  /** The query's places: on the reference's map, or on its own map in the frame of that one. */
  #places() {
    return this.#ownMap.checked && this.#ownPlaces ? this.#ownPlaces : this.#state.result.layout;
  }

  #takeOwn(own) {
    this.#ownPlaces = own?.layout ? fitted(own.layout, this.#state.reference.layout) : null;
    if (!own?.layout) this.#ownMap.checked = false;
    if (this.#state.result) this.#query.setPoints(this.#places());
  }

  #showPlaces() {
    const { result } = this.#state;
    const own = this.#places() !== result.layout;
    this.#query.setPoints(this.#places());
    this.#query.name = own ? `Own map of your ${whole(result.cells)} cells` : `Map of your ${whole(result.cells)} cells, on the axes of the reference`;
    this.#paint();
  }

  #home() {
    const [width, height] = this.#reference.size;
    if (width === 0 || !this.#state?.reference) return;
    this.#camera.setHome(boundsOf(this.#state.reference.layout, this.#state.result?.layout ?? []), width, height);
  }

  #choices({ reference, result, query, own, doublets, colorBy }) {
    const levels = result ? result.levels : reference.about.levels;
    const option = (kind, level, text) => element('option', {
      'data-kind': kind, 'data-level': level, value: `${kind} ${level}`, selected: colorBy.kind === kind && (['mapping', 'unknown'].includes(kind) || colorBy.level === level) }, text);
    const groups = [element('optgroup', { label: 'Label' }, ...levels.map(({ name }) => option('label', name, `Label: ${name}`)))];
    if (colorBy.kind === 'gene') groups.unshift(element('option', { 'data-kind': 'gene', 'data-level': colorBy.level, value: 'gene', selected: true }, `Gene: ${colorBy.gene.symbol}`));
    const origins = reference.about.columns.map(({ name }, at) => element('option', { 'data-kind': 'origin', 'data-level': colorBy.level, 'data-column': at, value: `origin ${at}`, selected: colorBy.kind === 'origin' && colorBy.column === at }, cut(name)));
    if (!result && origins.length > 0) groups.push(element('optgroup', { label: 'Where its cells are from' }, ...origins));
    if (result) {
      groups.push(element('optgroup', { label: 'Score' },
        ...(result.calls ? levels.map(({ name }) => option('confidence', name, `Confidence: ${name}`)) : []),
        ...levels.map(({ name }) => option('score', name, `Prediction score: ${name}`)),
        ...(result.calls ? [option('unknown', colorBy.level, 'Unknown score')] : []),
        option('mapping', colorBy.level, 'Mapping score')));
      const ofColumn = (column, value, text) => element('option', {
        'data-kind': 'metadata', 'data-level': colorBy.level, 'data-column': column, value, selected: colorBy.kind === 'metadata' && colorBy.column === column }, text);
      if (result.proteins) groups.push(element('optgroup', { label: 'Imputed proteins, not measured' }, ...reference.about.proteins.map((name, at) => ofColumn(columnOfProtein(at), `protein ${at}`, cut(name)))));
      const made = [[own, OWN_CLUSTERS, 'clusters', 'Own clusters'], [doublets, DOUBLETS, 'doublets', 'Doublet score']].filter(([there]) => there);
      if (made.length > 0) groups.push(element('optgroup', { label: 'Your cells by themselves' }, ...made.map(([, column, value, text]) => ofColumn(column, value, text))));
      const columns = columnsToShow(query);
      if (columns.length > 0) groups.push(element('optgroup', { label: 'Metadata' }, ...columns.map(([column, name]) => ofColumn(column, `metadata ${column}`, cut(name)))));
    }
    this.#colorBy.replaceChildren(...groups);
  }

  #paint() {
    const { result, colorBy, focus } = this.#state;
    const shown = shownLevel(this.#state);
    const metadata = shownMetadata(this.#state);
    const style = getComputedStyle(this.#root);
    const pale = rgb(style.getPropertyValue('--pale').trim());
    const colorOf = new Map(shown.reference.classes.map(({ name, color }) => [name, color]));
    const look = (scatter, { classes, codes }, focus, scores, scale = scoreColor) => {
      const selected = this.#selection.maskOf(scatter === this.#query ? 'query' : 'reference');
      const highlight = codeOf(classes, focus.highlight);
      const colors = classes.map(({ key, name, color }) => rgb(key === undefined ? (colorOf.get(name) ?? color) : color));
      const hidden = (point) => highlight !== null && focus.isolated && codes[point] !== highlight;
      const painted = paint({ codes, colors, scores, scale, under: classes.map(({ under }) => Boolean(under)), selected, focus: { highlight, isolated: focus.isolated && highlight !== null }, pale, dark: this.#dark.matches });
      scatter.setPaint(painted, (point) => !hidden(point));
      scatter.setLabels(this.#labels.checked ? this.#names(scatter, classes, codes, focus) : []);
    };
    // A value of a column says nothing about the reference, even where a label has the same name.
    look(this.#reference, shown.reference, metadata ? EVERYTHING : focus, colorBy.gene?.reference?.scores, plasma);
    if (!result) return;
    const scores = { score: shown.query.scores, confidence: shown.query.sure, mapping: result.mappingScores, unknown: result.unknown, metadata: metadata?.scores, gene: colorBy.gene?.query?.scores }[colorBy.kind];
    look(this.#query, metadata ?? shown.query, focus, scores);
    this.#query.setBehind(this.#behind.checked && this.#places() === result.layout ? this.#state.reference.layout : null, [...rgb(style.getPropertyValue('--behind').trim()), 255]);
  }

  /** Names at the densest place of each class, above it where the name would hide the few cells. The larger classes
   *  come first: where two collide, the larger stays. */
  #names(scatter, classes, codes, { highlight }) {
    const layout = scatter === this.#reference ? this.#state.reference.layout : this.#places();
    return densestPlaces(layout, codes, classes.length)
      .map((place, code) => place && { of: classes[code], text: cut(classes[code].name), x: place[0], y: place[1], cells: classes[code].cells, beside: classes[code].cells < SMALL * codes.length })
      .filter((label) => label && (label.of.key === undefined || label.of.named) && (highlight === null || keyOf(label.of) === highlight))
      .sort((a, b) => b.cells - a.cells);
  }

  #describeReference(point) {
    const { reference: { about, codes }, colorBy } = this.#state;
    const { gene, origin } = colorBy;
    return [
      ...about.levels.map(({ name, classes }, level) => `${name}: ${classes[codes[level][point]]?.name ?? '–'}`),
      ...(origin ? [`${origin.name}: ${origin.classes[origin.codes[point]]?.name ?? '–'}`] : []),
      ...(gene?.reference ? [`${gene.symbol}: ${figure(gene.reference.values[point])}`] : []),
    ];
  }

  #describeQuery(point) {
    const { result } = this.#state;
    const metadata = shownMetadata(this.#state);
    return [
      cellNames(result)[point],
      ...result.levels.map(({ name, classes }, level) => `${name}: ${classes[result.codes[level][point]]?.name ?? '–'} (${score(result.sure.values[level][point])})`),
      ...(result.calls ? [`called ${callOf(result, point)}, unknown score ${score(result.unknown[point])}`] : []),
      `mapping score ${score(result.mappingScores[point])}`,
      ...(metadata ? [`${metadata.name}: ${metadata.word(point)}`] : []),
      ...(this.#state.colorBy.gene?.query ? [`${this.#state.colorBy.gene.symbol}: ${figure(this.#state.colorBy.gene.query.values[point])}`] : []),
    ];
  }
}

function cut(name) {
  const letters = Array.from(name);
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join('')}…` : name;
}

/** The columns of metadata that cells can be coloured by, with their numbers: not where each cell has a name of its own. */
function columnsToShow(query) {
  const columns = (query?.metadata ?? []).map((column, at) => [at, column]);
  return columns.filter(([, { kind, distinct, unique }]) => distinct > 0 && (kind === 'number' || !unique)).slice(0, MOST_COLUMNS).map(([at, { name }]) => [at, name]);
}
