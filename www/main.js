// The controller: the page's state, and what happens when.

import { Address } from './address.js';
import { prepare } from './boot.js';
import { Builder, BUILDING } from './builder.js';
import { chooseBuild, describe } from './builds.js';
import { Comparison } from './comparison.js';
import { Explorer, symbolsOf } from './explorer.js';
import { checked, json } from './fetched.js';
import { titleOf } from './gather.js';
import { Likenesses } from './likenesses.js';
import { References } from './references.js';
import { Session } from './session.js';
import { listenToShortcuts } from './shortcuts.js';
import { Summing } from './summing.js';
import { AddressField } from './views/address_field.js';
import { BuilderPanel } from './views/builder.js';
import { CellsTable } from './views/cells.js';
import { coloring, ofClusters, ofDoublets } from './views/coloring.js';
import { CompareTable } from './views/compare.js';
import { Downloads, save } from './views/downloads.js';
import { DotPlot } from './views/dot_plot.js';
import { Droplets } from './views/droplets.js';
import { Failure } from './views/failure.js';
import { Findings } from './views/findings.js';
import { KeptBundles } from './views/kept_bundles.js';
import { LabelsTable } from './views/labels.js';
import { Legend } from './views/legend.js';
import { Maps } from './views/maps.js';
import { EVERY_LEVEL, MarkerChoice, wishesOf } from './views/marker_choice.js';
import { MapStep } from './views/map_step.js';
import { Outcome } from './views/outcome.js';
import { Progress } from './views/progress.js';
import { QueryStep } from './views/query_step.js';
import { ReferenceStep } from './views/reference_step.js';
import { Requests } from './views/requests.js';
import { Samples } from './views/samples.js';
import { Sheet } from './views/sheet.js';
import { codeOf, DOUBLETS, OWN_CLUSTERS, proteinOfColumn } from './views/shown.js';
import { Status } from './views/status.js';
import { Tabs } from './views/tabs.js';
import { nextStep, readingWords, whole } from './words.js';

const GENES = 'references/genes.json';
const ELSEWHERE = 'references/published.json';
const WHOLE = { highlight: null, isolated: false };
const NO_RESULT = { result: null, preservation: null, own: null, doublets: null, markers: EVERY_LEVEL, selection: null, grouping: null, compare: null };

const state = {
  phase: 'loading', // loading, idle, reading, ready, mapping, done or error
  text: '',
  fraction: null,
  catalogue: [], // references that can be chosen: the page's, those from disk, a person's own addresses
  ways: new Map(), // by name of a reference, how it comes: { by, words }
  elsewhere: [], // references/published.json: those of Azimuth that are not beside the page
  stored: null, // what is stored with the page: { count, bytes, now }
  kept: { place: 'memory', bundles: [] }, // the bundles that this browser keeps
  fetching: false, // whether a bundle is on its way
  building: null, // a labelled file and what is built of it: { title, about, built }
  labelling: false, // whether it is being read
  note: '', // what is to be said of how the chosen reference came
  geneTable: null, // references/genes.json: what the table of gene names was made of
  entry: null, // the chosen reference's line in the list
  reference: null, // { about, layout, codes }
  referenceGenes: [], // symbols of the genes whose expression the reference tells
  queryGenes: [], // and of those of the file
  symbols: [], // of both
  dots: null, // the dot plot of the reference: see explorer.js
  files: null, // [{ file, path }], what was chosen or dropped together
  title: '', // and what people call it
  look: null, // what is known of the files before their counts are read
  query: null, // what was read
  options: {}, // how: { matrix, gene_column, min_counts, filter, samples, reference_genes_only, batch }, each missing unless asked for
  likeness: null, // of the query: { all: [{ name, title, organ, species, fit, chosen }], warning, better: { name, title } }
  droplets: null, // of an unfiltered file; kept when a limit was too high and nothing could be read
  levels: null, // names of the levels to map
  method: 'sextant', // who decides on the labels, or 'seurat'
  perSample: false, // whether each sample is mapped by itself
  stages: [],
  result: null,
  saving: null, // name of the table that is being made
  said: {}, // by name of a table that was saved: the warnings about it
  preservation: null, // of the result: { score, grade, clusters, cells, warnings }, computed after it
  own: null, // the query by itself: { clusters, codes, coloring, layout }, the last once it was asked for
  doublets: null, // { scores, coloring }, once they were asked for
  markers: EVERY_LEVEL, // which marker genes are saved: { by, group, against, table }
  doing: null, // what is done with the result while the phase is mapping, or null while the cells are mapped
  error: null, // { message, next, kind }
  colorBy: null, // { kind: 'label' | 'confidence' | 'score' | 'mapping' | 'unknown', level: name }, or also { column, coloring } for kind 'metadata', { column, origin } for 'origin', { gene } for 'gene'
  focus: WHOLE, // the class that the legend highlights or isolates
  selection: null, // cells of the query that are selected: { name, cells }, ascending
  compare: null, // two columns of cells beside each other: see comparison.js
  cell: null, // the row that the table of cells has marked
  grouping: null, // what the composition tells samples apart by: a column of metadata as `coloring` makes it
};

const $ = (id) => document.getElementById(id);
const references = new References({ state, set, failed, chosen });
const builder = new Builder({ state, set, failed, advance, references });
const explorer = new Explorer({ state, set, failed });
const likenesses = new Likenesses({ state, set, references });
const tabs = new Tabs($('tables'));
const summing = new Summing({ state, set, failed }, tabs);
const comparison = new Comparison({ state, set, failed });
const address = new Address($('show-labels'), $('tables'), { colorBy: colorMaps, gene: (symbol) => explorer.colorBy(symbol) });
const views = [
  address,
  new Status($('status'), $('cancel-button'), $('strip-fill')),
  new ReferenceStep($('reference-step')),
  new AddressField($('reference-address')),
  new KeptBundles($('kept-bundles')),
  new QueryStep($('query-step'), $('drop-veil')),
  new MapStep($('map-step')),
  new Failure($('failure')),
  new Progress($('progress')),
  new BuilderPanel($('builder'), $('labelled-file')),
  new Droplets($('droplets')),
  new Outcome($('outcome')),
  new MarkerChoice($('marker-choice')),
  new Downloads($('outcome')),
  new Samples($('samples')),
  new Maps($('maps')),
  new Legend($('legend')),
  new DotPlot($('dots')),
  new Findings($('findings')),
  tabs,
  new LabelsTable($('panel-labels')),
  new CellsTable($('panel-cells')),
  new CompareTable($('panel-compare')),
  new Requests($('requests'), $('requests-button')),
  new Sheet($('keys'), $('keys-button')),
];
listenToShortcuts();

let session = null;
let scheduled = false;
let cancels = 0;
let asked = 0; // how often a colouring was chosen: of several columns asked for, the last counts

/** Changes the state; the views are told once, before the next frame. */
function set(change) {
  Object.assign(state, change);
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    for (const view of views) view.update(state);
  });
}

async function begin() {
  const place = await prepare({
    report: (text, fraction = null) => set({ text, fraction }),
    onUpdate: offerUpdate,
  });
  set({ text: 'Loading the engine and the reference …', fraction: null });
  const [release, catalogue] = await Promise.all([json('release.json'), json('references/catalogue.json')]);
  const has = (wanted) => release.files.some(({ path }) => path === wanted);
  session = new Session(release, chooseBuild(place), place);
  const engine = await session.start();
  // While the rest is loaded. Whether it is done changes nothing but the time that the first mapping takes.
  const rehearsed = session.rehearse().catch(() => {}); // An engine that does not start again says so when it is used.
  $('build-info').textContent = `Sextant ${release.version} (${release.commit.slice(0, 10)})`;
  $('engine-info').textContent = describe(session.build);
  $('engine-info').dataset.build = session.build.name;
  $('engine-info').dataset.threads = String(engine.threads ? session.build.threads : 1);
  // Before the page says that it is ready, so that no request follows a file.
  if (has(GENES)) {
    const geneTable = await json(GENES);
    await session.useGenes(await checked(geneTable));
    set({ geneTable });
  }
  const elsewhere = has(ELSEWHERE) ? await json(ELSEWHERE) : [];
  for (const part of [builder, explorer, likenesses]) part.begin(session);
  summing.begin(session);
  comparison.begin(session);
  await references.begin({ session, release, place, catalogue, elsewhere, settled: Promise.all([place.settled, rehearsed]), address });
  await address.restore();
}

/** Takes over what the engine holds now. At the start the page is ready only when nothing more will be asked of the server. */
async function chosen({ entry, reference, note }, settled) {
  const levels = reference.about.levels.map((level) => level.name);
  set({ entry, reference, levels, note, ...NO_RESULT, focus: WHOLE, cell: null, colorBy: { kind: 'label', level: levels[0] }, dots: null, text: 'Looking for a new version of Sextant; after that, nothing is asked of any server …' });
  await Promise.all([explorer.explore(), settled]);
  if (state.files) await readFiles(state.files, state.options);
  else set({ phase: 'idle', text: 'Ready. Choose a file or load the demo.' });
}

async function loadDemo() {
  const { demo } = state.entry;
  if (state.files && !references.isStored(demo.path)) {
    failed({ kind: 'usage', message: 'The demo is not stored with the page, and no server is asked for anything while a file is open. Reload the page and load it before a file is chosen.' }, 'reading');
    return;
  }
  set({ phase: 'reading', text: `Loading the demo ${demo.title ?? demo.name} …`, fraction: null, error: null });
  try {
    const before = cancels;
    const file = new File([await checked(demo)], demo.path.split('/').pop());
    if (before === cancels) await readFiles([{ file, path: file.name }]);
  } catch (error) {
    failed(error, 'loading');
  }
}

/** Walks through what was dropped, which takes a moment where it is a large folder, and reads it. */
async function readDrop({ folder, gather }) {
  set({ phase: 'reading', text: folder ? 'Looking through the folder …' : 'Looking at what was dropped …', fraction: null, error: null });
  try {
    const before = cancels;
    const files = await gather((count) => before === cancels && set({ text: `Looking through the folder: ${whole(count)} files …` }));
    if (before === cancels) await readFiles(files);
  } catch (error) {
    failed({ kind: 'usage', message: error.message }, 'reading');
  }
}

/** Opens and reads files; the same files again when only the options changed. */
async function readFiles(files, options = {}) {
  if (files.length === 0) {
    failed({ kind: 'usage', message: 'There is no file in what was chosen.' }, 'reading');
    return;
  }
  const fresh = files !== state.files || state.look === null;
  const title = titleOf(files);
  // The drop-offs of another matrix are other ones.
  const droplets = !fresh && options.matrix === state.options.matrix ? state.droplets : null;
  references.fileOpens();
  const cleared = fresh ? { files, title, look: null, query: null } : {};
  set({ ...cleared, options, droplets, likeness: null, phase: 'reading', text: `Reading ${title} …`, fraction: null, stages: [], ...NO_RESULT, error: null, focus: WHOLE, cell: null });
  try {
    if (fresh) set({ look: await session.open(files, advance) });
    const query = await session.read(options, advance);
    const queryGenes = await session.queryGenes();
    set({ query, queryGenes, symbols: symbolsOf({ referenceGenes: state.referenceGenes, queryGenes }), droplets: query.droplets ?? droplets, fraction: null, stages: [] });
    if (query.mismatch) failed({ kind: 'mapping', message: query.mismatch }, 'reading');
    else set({ phase: 'ready', text: `${title} is read: ${whole(query.cells)} cells. Ready to map.` });
    likenesses.compare(query);
  } catch (error) {
    if (error.kind !== 'cancelled') set({ query: null });
    failed(error, 'reading');
  }
}

async function map() {
  set({ phase: 'mapping', doing: null, text: 'Mapping …', fraction: 0, stages: [], ...NO_RESULT, error: null, focus: WHOLE, cell: null });
  const from = performance.now();
  const all = state.levels.length === state.reference.about.levels.length;
  try {
    const result = await session.map(all ? null : state.levels, advance, { perSample: state.perSample, method: state.method });
    result.seconds = (performance.now() - from) / 1000;
    const level = result.levels.some(({ name }) => name === state.colorBy.level) ? state.colorBy.level : result.levels[0].name;
    set({
      result,
      said: {},
      phase: 'done',
      text: `Done: ${result.cells.toLocaleString('en')} cells mapped in ${result.seconds.toFixed(1)} s.`,
      fraction: null,
      stages: result.timings.map(({ stage, ms }) => ({ stage, ms, done: true })),
      colorBy: { kind: 'label', level },
    });
    summing.ofResult();
    preserve(result);
  } catch (error) {
    failed(error, 'mapping');
  }
}

/** The cluster preservation score comes after the result, which nobody has to wait with. */
async function preserve(result) {
  if (state.query.batches) return; // Their counts are gone.
  try {
    // Other work waits for it, and then it is what can be seen to move.
    const preservation = await session.preservation((progress) => state.result === result && state.phase === 'mapping' && advance(progress));
    if (state.result === result) set({ preservation });
  } catch {
    // Cancelled with its worker, or another file is being read: there is nothing to preserve any more.
  }
}

/** Work on what was mapped, while the result stays on the page. Says whether it came to its end. */
async function further(doing, text, work) {
  set({ phase: 'mapping', doing, text, fraction: 0, stages: [], error: null });
  try {
    const { timings, ...change } = await work();
    set({ ...change, phase: 'done', doing: null, fraction: null, stages: timings.map(({ stage, ms }) => ({ stage, ms, done: true })) });
    return true;
  } catch (error) {
    failed(error, 'mapping');
    return false;
  }
}

const ALONE = 'Your cells by themselves';

const cluster = (wishes) => further(ALONE, 'Clustering your cells …', async () => {
  const { timings, ...own } = await session.cluster(wishes, advance);
  own.coloring = ofClusters(own);
  return { timings, own, text: `Done: ${whole(own.clusters.length)} clusters of your cells.`, focus: WHOLE, markers: EVERY_LEVEL, colorBy: { kind: 'metadata', level: state.colorBy.level, column: OWN_CLUSTERS, coloring: own.coloring } };
});

const fitOwnMap = () => further(ALONE, 'Fitting a map of your cells …', async () => {
  const { timings, layout } = await session.ownLayout(advance);
  return { timings, own: { ...state.own, layout }, text: 'Done: your cells are shown on a map of their own.' };
});

/** Scores doublets, and colours the cells by them unless they are only saved. */
const scoreDoublets = ({ show = true } = {}) => further('Doublets', 'Looking for doublets …', async () => {
  const { timings, scores } = await session.doublets(advance);
  const doublets = { scores, coloring: ofDoublets(scores) };
  return { timings, doublets, text: 'Done: each cell has a doublet score. No cell was removed.', ...(show && { focus: WHOLE, colorBy: { kind: 'metadata', level: state.colorBy.level, column: DOUBLETS, coloring: doublets.coloring } }) };
});

const findMarkers = () => further('Marker genes', 'Finding marker genes …', async () => {
  const { timings, bytes, warnings } = await session.exportMarkers(wishesOf(state.markers), advance);
  save(bytes, 'markers.tsv');
  return { timings, said: { ...state.said, 'markers.tsv': warnings }, text: 'Done: markers.tsv is saved.' };
});

/** One report of the engine: a stage that begins, or the share of it that is done. */
function advance({ stage, fraction, elapsed }) {
  const stages = [...state.stages];
  if (stages.at(-1)?.stage !== stage) {
    if (stages.length > 0) stages[stages.length - 1] = { ...stages.at(-1), done: true, fraction: 1 };
    stages.push({ stage });
  }
  stages[stages.length - 1] = { stage, fraction, ms: elapsed, done: false };
  set({ stages, fraction, text: state.phase === 'mapping' ? `${state.doing ?? 'Mapping'}: ${stage} …` : readingWords(stage, state.title) });
}

/** Ends the reading of a labelled file, or the building of a reference: the choices stay. */
function stopBuilding() {
  const { labelling, query, result } = state;
  session.restart();
  if (labelling) builder.close();
  set({ phase: result ? 'done' : query && !query.mismatch ? 'ready' : 'idle', doing: null, labelling: false, text: labelling ? 'Reading cancelled.' : 'Building cancelled. The choices are as they were.', fraction: null, stages: [] });
}

function cancel() {
  if (references.cancel()) return;
  if (state.phase !== 'reading' && state.phase !== 'mapping') return;
  cancels += 1;
  const { phase, result, colorBy } = state;
  if (state.labelling || state.doing === BUILDING) {
    stopBuilding();
    return;
  }
  if (phase === 'reading') session.forgetFiles();
  else if (!result) session.forgetMapping();
  session.restart();
  if (phase === 'reading') set({ phase: 'idle', text: 'Reading cancelled. Choose a file or load the demo.', fraction: null, stages: [], files: null, look: null, query: null, options: {}, droplets: null });
  else if (!result) set({ phase: 'ready', text: 'Mapping cancelled. The file is still loaded; map again whenever you like.', fraction: null, stages: [] });
  else {
    // The new engine maps anew while the result stays on the page, but knows nothing of what was made of it.
    const gone = [OWN_CLUSTERS, DOUBLETS].includes(colorBy.column);
    set({ phase: 'done', doing: null, text: 'Cancelled. The labels are as they were.', fraction: null, stages: [], own: null, doublets: null, markers: EVERY_LEVEL, ...(gone && { colorBy: { kind: 'label', level: colorBy.level }, focus: WHOLE }) });
    if (!state.preservation) preserve(result);
  }
}

/** Shows an error as it is, with what to do next; after a trap the engine is started anew. */
function failed(error, during) {
  if (error.kind === 'cancelled') return; // cancel() has set the state already.
  if (error.kind === 'trap') {
    if (during === 'reading') {
      session.forgetFiles();
      set({ look: null, query: null }); // So that the same files are opened anew.
    }
    session.restart();
  }
  set({ phase: 'error', doing: null, error: { message: error.message, next: error.next ?? nextStep(error, during), kind: error.kind }, text: error.message, fraction: null, stages: [] });
}

/** Colours the maps; the values of a column of metadata are first asked of the engine. */
async function colorMaps({ kind, level, column }) {
  asked += 1;
  if (kind === 'gene') return; // It is what is shown.
  if (kind === 'origin') {
    const codes = await session.referenceColumn(column);
    set({ colorBy: { kind, level, column, origin: { ...state.reference.about.columns[column], codes } }, focus: WHOLE });
    return;
  }
  if (kind !== 'metadata') {
    set({ colorBy: { kind, level }, focus: WHOLE });
    if (state.dots && state.dots.level !== level) await explorer.showDots(state.dots.text);
    return;
  }
  const made = { [OWN_CLUSTERS]: state.own, [DOUBLETS]: state.doublets }[column];
  if (made) {
    set({ colorBy: { kind, level, column, coloring: made.coloring }, focus: WHOLE });
    return;
  }
  const before = { asked, result: state.result };
  try {
    const protein = proteinOfColumn(column);
    const values = await (protein === null ? session.metadataColumn(column) : session.protein(protein));
    if (before.asked !== asked || before.result !== state.result) return;
    const name = protein === null ? state.query.metadata[column].name : `${state.reference.about.proteins[protein]} (imputed)`;
    set({ colorBy: { kind, level, column, coloring: coloring(name, values) }, focus: WHOLE });
  } catch (error) {
    if (before.asked !== asked) return;
    failed(error, 'exporting');
    set({ colorBy: { ...state.colorBy } }); // The list of colourings goes back to what is shown.
  }
}

/** Highlights a class; a label, too, while the cells are coloured by something else than labels. */
function focusOn(focus) {
  asked += 1; // A column that is still on its way would take the focus away.
  const { colorBy } = state;
  const elsewhere = focus.highlight !== null && colorBy.kind === 'metadata' && codeOf(colorBy.coloring.classes, focus.highlight) === null;
  set({ focus, colorBy: elsewhere ? { kind: 'label', level: colorBy.level } : colorBy });
}

/** Saves a table. */
async function download(name) {
  if (name === 'markers.tsv') {
    await findMarkers();
    return;
  }
  if (name === 'doublets.tsv' && !state.doublets && !(await scoreDoublets({ show: false }))) return;
  set({ saving: name });
  try {
    const { bytes } = await session.exportTable(name);
    save(bytes, name);
  } catch (error) {
    failed(error, 'exporting');
  } finally {
    set({ saving: null });
  }
}

function offerUpdate(activate) {
  $('update-banner').hidden = false;
  $('update-button').onclick = async () => {
    const others = await activate();
    if (others) $('update-banner').querySelector('.banner-text').textContent = `A new version is ready. Sextant is open in ${others} other tab${others === 1 ? '' : 's'}: close ${others === 1 ? 'it' : 'them'}, then press Reload.`;
  };
}

const canRead = () => ['idle', 'ready', 'done', 'error'].includes(state.phase) && state.reference !== null;

const canChoose = () => !['loading', 'reading', 'mapping'].includes(state.phase) && state.entry !== null;

const reactions = {
  'sextant:reference-file': ({ file }) => references.open(file),
  'sextant:reference': (click) => canChoose() && references.choose(click),
  'sextant:address': (click) => canChoose() && references.chooseAddress(click),
  'sextant:forget': (which) => references.forget(which),
  'sextant:kept-delete': (which) => references.remove(which),
  'sextant:kept-delete-all': () => references.removeAll(),
  'sextant:kept-look': () => references.refresh(),
  'sextant:labelled': ({ files }) => canRead() && builder.open(files, titleOf(files)),
  'sextant:build': ({ wanted }) => canRead() && builder.build(wanted),
  'sextant:builder-close': () => canRead() && builder.close(),
  'sextant:files': ({ files }) => canRead() && readFiles(files),
  'sextant:drop': (drop) => canRead() && readDrop(drop),
  'sextant:demo': () => canRead() && loadDemo(),
  'sextant:options': (change) => canRead() && state.files && readFiles(state.files, { ...state.options, ...change }),
  'sextant:levels': ({ levels }) => set({ levels }),
  'sextant:method': ({ method }) => set({ method }),
  'sextant:per-sample': ({ perSample }) => set({ perSample }),
  'sextant:map': map,
  'sextant:cluster': cluster,
  'sextant:own-map': fitOwnMap,
  'sextant:doublets': scoreDoublets,
  'sextant:markers': ({ markers }) => set({ markers }),
  'sextant:cancel': cancel,
  'sextant:download': ({ name }) => download(name),
  'sextant:color-by': colorMaps,
  'sextant:gene': ({ symbol }) => {
    asked += 1; // A column that is still on its way would take the colours away.
    return explorer.colorBy(symbol);
  },
  'sextant:dots': ({ text }) => explorer.showDots(text),
  'sextant:focus': focusOn,
  'sextant:cell': ({ cell }) => set({ cell }),
  'sextant:select': ({ name, cells }) => set({ selection: cells ? { name, cells } : null }),
  ...summing.reactions,
  'sextant:compare': (wish) => comparison.choose(wish),
};
for (const [name, react] of Object.entries(reactions)) {
  document.addEventListener(name, ({ detail }) => react(detail ?? {}));
}

set({ text: 'Starting Sextant …' });
begin().catch((error) => failed(error, 'starting'));
