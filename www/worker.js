// The engine's worker: a dictionary of actions around one wasm instance. It is started from a blob that
// imports this file, because a worker loaded from an address would not inherit the page's policy.

// 4, 2 and 1 GiB in pages of 64 KiB: Safari reserves the maximum at once and may refuse.
const MEMORY_MAXIMA = [65536, 32768, 16384];
// Without threads the memory is the engine's own; 4 GiB is what 32-bit addresses reach.
const OWN_MAXIMUM = MEMORY_MAXIMA[0];
const PAGE_BYTES = 65536;
const POOL_PATIENCE_MS = 20000;
const REPORT_EVERY_MS = 40;
// They come piece by piece.
const LARGE_TABLES = ['metadata.tsv', 'scores.tsv', 'proteins.tsv'];

let api = null;
let engine = null;
let memoryOfEngine = null;

const actions = {
  async start({ glue, module, threads, memoryPages }) {
    api = await import(glue);
    const { memory, maximum } = threads > 0 ? sharedMemory(memoryPages) : { maximum: OWN_MAXIMUM };
    const instance = await api.default({ module_or_path: module, ...(memory && { memory }) });
    memoryOfEngine = memory ?? instance.memory;
    if (threads > 0) await within(POOL_PATIENCE_MS, api.initThreadPool(threads), 'the threads did not start');
    engine = new api.Engine();
    return { ...api.build_info(), memory: maximum * PAGE_BYTES };
  },

  // Nothing of it is kept; a browser that cannot do it will say so when it maps.
  rehearse: () => engine.rehearse(),

  async loadGenes({ table }) {
    return engine.load_genes(new Uint8Array(await table.arrayBuffer()));
  },

  async loadReference({ bundle }) {
    const from = performance.now();
    const about = { ...engine.load_reference(new File([bundle], 'reference')), checksum: await checksum(bundle) };
    const layout = own(engine.reference_layout());
    const codes = about.levels.map((_, index) => own(engine.reference_codes(index)));
    return { about, layout, codes, took: { ms: performance.now() - from, memory: memoryOfEngine.buffer.byteLength } };
  },

  /** The symbols of the genes whose expression the reference tells. */
  referenceGenes: () => engine.reference_genes()?.split('\n') ?? [],

  /** What the classes of a level express of some genes, by their numbers: `[{ means, fractions }]`. */
  referenceExpression: ({ level, genes }) => engine.reference_expression(level, genes),

  referenceMarkers: ({ level, most }) => engine.reference_markers(level, most),

  /**
   * A gene in every cell, `{ reference, by, query }`, null where it is not known. `by` says how it is known of the reference: of
   * features by the components, of others by the mean of the cell's class. Of the query it is log-normalised.
   */
  gene({ symbol, level, gene, inQuery }) {
    const components = engine.reference_feature(symbol);
    const reference = components ? own(components) : gene >= 0 ? inCells(level, gene) : null;
    const query = inQuery ? engine.query_gene(symbol) : null;
    return { reference, by: components ? 'components' : 'class', query: query ? own(query) : null };
  },

  referenceColumn: ({ column }) => own(engine.reference_column(column)),

  queryGenes: () => engine.query_genes()?.split('\n') ?? [],

  /** A reference that Azimuth publishes or Symphony builds, made a bundle. */
  importReference: ({ file, name }, report) => timed(report, (tell) => engine.import_reference(file, name, tell)),

  openLabelled: ({ files, budget }, report) => timed(report, (tell) => engine.open_labelled(files.map(({ file }) => file), files.map(({ path }) => path), budget, tell)),

  buildReference: ({ wanted }, report) => timed(report, (tell) => engine.build_reference(wanted, tell)),

  closeLabelled: () => engine.close_labelled(),

  /** How like the query is to references: null where its counts were dropped. */
  compare: ({ bundles }) => engine.compare(bundles.map((bundle) => new File([bundle], 'reference'))),

  openQuery: ({ files }, report) => timed(report, (tell) => engine.open_query(files.map(({ file }) => file), files.map(({ path }) => path), tell)),

  readQuery({ options }, report) {
    const query = timed(report, (tell) => engine.read_query(options, tell));
    return { ...query, quality: engine.quality() };
  },

  map({ levels, perSample, method }, report) {
    const result = timed(report, (tell) => engine.map({ levels: levels ?? null, per_sample: Boolean(perSample), method }, tell));
    const calls = engine.calls();
    const scores = result.levels.map((level) => own(engine.scores(level.name)));
    return {
      ...result,
      layout: own(engine.query_layout()),
      codes: result.levels.map((level) => own(engine.codes(level.name))),
      scores,
      // How sure each label is, by the best that there is.
      sure: calls ? { name: 'confidence', values: result.levels.map((level) => own(engine.confidences(level.name))) } : { name: 'prediction score', values: scores.map((each) => each.slice()) },
      unknown: calls ? own(engine.unknown_scores()) : null,
      calls: calls ? own(calls) : null,
      mappingScores: own(engine.mapping_scores()),
      names: own(engine.cell_names()),
    };
  },

  preservation: (_, report) => timed(report, (tell) => engine.preservation(tell)),

  cluster({ resolution, method }, report) {
    const clusters = timed(report, (tell) => engine.cluster({ resolution, method }, tell));
    return { ...clusters, codes: own(engine.cluster_codes()) };
  },

  scoreDoublets: (_, report) => timed(report, (tell) => ({ scores: own(engine.score_doublets(tell)) })),

  ownLayout: (_, report) => timed(report, (tell) => ({ layout: own(engine.own_layout(tell)) })),

  metadataColumn: ({ column }) => engine.metadata_column(column),

  exportMarkers: ({ wishes }, report) => timed(report, (tell) => engine.export_markers(wishes, tell)),

  protein: ({ protein }) => engine.protein(protein),

  /** A table, and what is said of it. */
  exportTable({ name }) {
    if (!LARGE_TABLES.includes(name)) return { bytes: own(engine.export(name)), warnings: [] };
    const pieces = [];
    engine.export_pieces(name, (piece) => { pieces.push(piece); });
    return { bytes: new Blob(pieces), warnings: [] };
  },
};

self.addEventListener('message', async ({ data: { id, action, args } }) => {
  try {
    const value = await actions[action](args, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, value }, transferable(value));
  } catch (error) {
    self.postMessage({ id, error: plain(error) });
  }
});
self.postMessage({ ready: true });

function sharedMemory(initial) {
  for (const maximum of MEMORY_MAXIMA) {
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared: true }), maximum };
    } catch (error) {
      if (maximum === MEMORY_MAXIMA.at(-1)) throw new Error(`shared memory was refused (${error.message})`);
    }
  }
}

/** Runs one call of the engine and adds to its result how long each of its stages took. */
function timed(report, run) {
  const timings = [];
  let last = -Infinity;
  const tell = (stage, fraction) => {
    const now = performance.now();
    const open = timings.at(-1);
    if (open?.stage !== stage) {
      if (open) open.ms = now - open.from;
      timings.push({ stage, from: now, ms: 0 });
    } else if (now - last < REPORT_EVERY_MS) {
      return;
    }
    last = now;
    report({ stage, fraction, elapsed: now - timings.at(-1).from });
  };
  const result = run(tell);
  if (timings.length > 0) timings.at(-1).ms = performance.now() - timings.at(-1).from;
  return { ...result, timings: timings.map(({ stage, ms }) => ({ stage, ms })) };
}

/** An array of this worker's own, which can be transferred: views of the engine's memory cannot. */
function own(array) {
  const whole = array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength;
  return whole ? array : new array.constructor(array);
}

function transferable(value) {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  if (Array.isArray(value)) return value.flatMap(transferable);
  if (value && Object.getPrototypeOf(value) === Object.prototype) return Object.values(value).flatMap(transferable);
  return [];
}

/** The mean of a gene in the class of each cell of the reference. */
function inCells(level, gene) {
  const [{ means }] = engine.reference_expression(level, [gene]);
  return Float32Array.from(engine.reference_codes(level), (code) => means[code]);
}

/** SHA-256 of a file, in hexadecimal. Browsers offer it on pages served over https or from localhost only. */
async function checksum(blob) {
  const bytes = await blob.arrayBuffer();
  if (!crypto.subtle) return api.sha256(new Uint8Array(bytes));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What the page needs of an error. A trap leaves the instance unusable, so the page has to know it from the others. */
function plain(error) {
  const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  return { kind: trap ? 'trap' : (error?.kind ?? 'internal'), message: error?.message ?? String(error) };
}

function within(milliseconds, promise, complaint) {
  return Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(complaint)), milliseconds)),
  ]);
}
