// The controller: the page's state, and what happens when.

import { prepare } from './boot.js';
import { chooseBuild, describe } from './builds.js';
import { Session } from './session.js';
import { CellsTable } from './views/cells.js';
import { Downloads, save } from './views/downloads.js';
import { Failure } from './views/failure.js';
import { LabelsTable } from './views/labels.js';
import { Legend } from './views/legend.js';
import { Maps } from './views/maps.js';
import { MapStep } from './views/map_step.js';
import { Outcome } from './views/outcome.js';
import { Progress } from './views/progress.js';
import { QueryStep } from './views/query_step.js';
import { ReferenceStep } from './views/reference_step.js';
import { Status } from './views/status.js';
import { Tabs } from './views/tabs.js';
import { nextStep } from './words.js';

const WHOLE = { highlight: null, isolated: false };

const state = {
  phase: 'loading', // loading, idle, reading, ready, mapping, done or error
  text: '',
  fraction: null,
  catalogue: [],
  entry: null, // the chosen reference's line in the catalogue
  reference: null, // { about, layout, codes }
  file: null,
  look: null,
  query: null, // what was read
  matrix: undefined, // the matrix that was asked for, if any
  levels: null, // names of the levels to map
  stages: [],
  result: null,
  error: null, // { message, next }
  colorBy: null, // { kind: 'label' | 'score' | 'mapping', level: name }
  focus: WHOLE, // the class that the legend highlights or isolates
  cell: null, // the row that the table of cells has marked
};

const $ = (id) => document.getElementById(id);
const views = [
  new Status($('status'), $('cancel-button'), $('strip-fill')),
  new ReferenceStep($('reference-step')),
  new QueryStep($('query-step'), $('drop-veil')),
  new MapStep($('map-step')),
  new Failure($('failure')),
  new Progress($('progress')),
  new Outcome($('outcome')),
  new Downloads($('outcome')),
  new Maps($('maps')),
  new Legend($('legend')),
  new Tabs($('tables')),
  new LabelsTable($('panel-labels')),
  new CellsTable($('panel-cells')),
];

let session = null;
let scheduled = false;
let cancels = 0;

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
  session = new Session(release, chooseBuild(place), place);
  const engine = await session.start();
  $('build-info').textContent = `Sextant ${release.version} (${release.commit.slice(0, 10)})`;
  $('engine-info').textContent = describe(session.build);
  $('engine-info').dataset.build = session.build.name;
  $('engine-info').dataset.threads = String(engine.threads ? session.build.threads : 1);
  set({ catalogue });
  await chooseReference(catalogue[0], place.settled);
}

async function json(path) {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new Error(`${path} could not be loaded: the server answered ${response.status}.`);
  return response.json();
}

/** A file of the release, checked against the hash that the catalogue gives where the browser can compute it. */
async function fetchChecked({ path, sha256 }) {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new Error(`${path} could not be loaded: the server answered ${response.status}.`);
  const bytes = await response.arrayBuffer();
  if (crypto.subtle && sha256) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (found !== sha256) throw new Error(`${path} arrived damaged: its SHA-256 is ${found}, not ${sha256}. Reload the page.`);
  }
  return new Blob([bytes]);
}

/** Loads a reference. At the start the page is ready only when nothing more will be asked of the server. */
async function chooseReference(entry, settled = Promise.resolve()) {
  set({ phase: 'loading', text: `Loading the reference ${entry.title} …`, fraction: null, error: null });
  try {
    const reference = await session.useReference(await fetchChecked({ path: entry.bundle, sha256: entry.sha256 }));
    const levels = reference.about.levels.map((level) => level.name);
    set({ entry, reference, levels, result: null, focus: WHOLE, cell: null, colorBy: { kind: 'label', level: levels[0] }, text: 'Looking for a new version of Sextant; after that, nothing is asked of any server …' });
    await settled;
  } catch (error) {
    failed(error, 'loading');
    return;
  }
  if (state.file) await readFile(state.file, undefined);
  else set({ phase: 'idle', text: 'Ready. Choose a file or load the demo.' });
}

async function loadDemo() {
  const { demo } = state.entry;
  set({ phase: 'reading', text: `Loading the demo ${demo.title ?? demo.name} …`, fraction: null, error: null });
  try {
    const before = cancels;
    const bytes = await fetchChecked(demo);
    if (before === cancels) await readFile(new File([bytes], demo.path.split('/').pop()), undefined);
  } catch (error) {
    failed(error, 'loading');
  }
}

async function readFile(file, matrix) {
  const fresh = file !== state.file || state.look === null;
  const cleared = fresh ? { file, look: null, query: null } : {};
  set({ ...cleared, matrix, phase: 'reading', text: `Reading ${file.name} …`, fraction: null, stages: [], result: null, error: null, focus: WHOLE, cell: null });
  try {
    if (fresh) set({ look: await session.open([{ file, path: file.name }]) });
    const query = await session.read({ matrix }, advance);
    set({ query, phase: 'ready', text: `${file.name} is read: ${query.cells.toLocaleString('en')} cells. Ready to map.`, fraction: null, stages: [] });
  } catch (error) {
    if (error.kind !== 'cancelled') set({ query: null });
    failed(error, 'reading');
  }
}

async function map() {
  set({ phase: 'mapping', text: 'Mapping …', fraction: 0, stages: [], result: null, error: null, focus: WHOLE, cell: null });
  const from = performance.now();
  const all = state.levels.length === state.reference.about.levels.length;
  try {
    const result = await session.map(all ? null : state.levels, advance);
    result.seconds = (performance.now() - from) / 1000;
    const level = result.levels.some(({ name }) => name === state.colorBy.level) ? state.colorBy.level : result.levels[0].name;
    set({
      result,
      phase: 'done',
      text: `Done: ${result.cells.toLocaleString('en')} cells mapped in ${result.seconds.toFixed(1)} s.`,
      fraction: null,
      stages: result.timings.map(({ stage, ms }) => ({ stage, ms, done: true })),
      colorBy: { kind: 'label', level },
    });
  } catch (error) {
    failed(error, 'mapping');
  }
}

/** One report of the engine: a stage that begins, or the share of it that is done. */
function advance({ stage, fraction, elapsed }) {
  const stages = [...state.stages];
  if (stages.at(-1)?.stage !== stage) {
    if (stages.length > 0) stages[stages.length - 1] = { ...stages.at(-1), done: true, fraction: 1 };
    stages.push({ stage });
  }
  stages[stages.length - 1] = { stage, fraction, ms: elapsed, done: false };
  set({ stages, fraction, text: `${state.phase === 'mapping' ? 'Mapping' : 'Reading'}: ${stage} …` });
}

function cancel() {
  if (state.phase !== 'reading' && state.phase !== 'mapping') return;
  cancels += 1;
  const mapping = state.phase === 'mapping';
  if (!mapping) session.forgetFiles();
  session.restart();
  if (mapping) set({ phase: 'ready', text: 'Mapping cancelled. The file is still loaded; map again whenever you like.', fraction: null, stages: [] });
  else set({ phase: 'idle', text: 'Reading cancelled. Choose a file or load the demo.', fraction: null, stages: [], file: null, look: null, query: null });
}

/** Shows an error as it is, with what to do next; after a trap the engine is started anew. */
function failed(error, during) {
  if (error.kind === 'cancelled') return; // cancel() has set the state already.
  if (error.kind === 'trap') {
    if (during === 'reading') session.forgetFiles();
    session.restart();
  }
  set({ phase: 'error', error: { message: error.message, next: nextStep(error, during), trap: error.kind === 'trap' }, text: error.message, fraction: null, stages: [] });
}

async function download(name) {
  try {
    save(await session.exportTable(name), name);
  } catch (error) {
    failed(error, 'exporting');
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

const reactions = {
  'sextant:reference': ({ name }) => chooseReference(state.catalogue.find((entry) => entry.name === name)),
  'sextant:file': ({ file }) => canRead() && readFile(file, undefined),
  'sextant:demo': () => canRead() && loadDemo(),
  'sextant:matrix': ({ path }) => canRead() && readFile(state.file, path),
  'sextant:levels': ({ levels }) => set({ levels }),
  'sextant:map': map,
  'sextant:cancel': cancel,
  'sextant:download': ({ name }) => download(name),
  'sextant:color-by': (colorBy) => set({ colorBy, focus: WHOLE }),
  'sextant:focus': (focus) => set({ focus }),
  'sextant:cell': ({ cell }) => set({ cell }),
  'sextant:complaint': (error) => failed({ kind: 'usage', ...error }, 'reading'),
};
for (const [name, react] of Object.entries(reactions)) {
  document.addEventListener(name, ({ detail }) => react(detail ?? {}));
}

set({ text: 'Starting Sextant …' });
begin().catch((error) => failed(error, 'starting'));
