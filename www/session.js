// What the engine holds (a reference, a file, its counts) and how a fresh worker is given the same again.

import { budgetOf } from './budget.js';
import { compile, glueOf, single } from './builds.js';
import { Rpc } from './rpc.js';

export class Session {
  #rpc;
  #release;
  #build;
  #genes = null; // the table of gene names
  #bundle = null;
  #files = null; // [{ file, path }]
  #labelled = null; // the labelled file that a reference is built of, alike
  #holdsLabelled = false; // whether the worker has read it
  #options = {}; // how the counts were read
  #mapped = null; // { levels, perSample, method } of the mapping that the engine holds
  #budget = 0; // bytes of the engine's memory for counts
  #restored = Promise.resolve();
  #restoring = false;
  #tell = () => {}; // hears how far a fresh worker is: whoever waits for it

  constructor(release, build, { controlled }) {
    this.#release = release;
    this.#build = build;
    this.#rpc = new Rpc(['worker.js', glueOf(release, build)], { refill: controlled });
  }

  /** The build that runs in the end: the single-threaded one where threads or shared memory are refused. */
  get build() {
    return this.#build;
  }

  async start() {
    const [compiled] = await Promise.all([compile(this.#release, this.#build), this.#rpc.start()]);
    this.#build = compiled;
    try {
      return await this.#startEngine();
    } catch (error) {
      if (this.#build.name === 'single') throw error;
      this.#build = await compile(this.#release, single(error.message));
      this.#rpc.replace(error);
      return this.#startEngine();
    }
  }

  /** Has the engine map made-up cells once: the browser then compiles for speed what it has seen to run for long. */
  async rehearse() {
    await this.#ready();
    try {
      await this.#rpc.call('rehearse');
    } catch (error) {
      if (error.kind !== 'cancelled') this.restart(); // An engine that failed may not be used again.
    }
  }

  /** How like the query is to references, by their bundles: see the engine's `compare`. */
  async compare(bundles) {
    await this.#ready();
    return this.#rpc.call('compare', { bundles });
  }

  /** Gives the engine the table of gene names; the bytes stay with the page, for the next worker. */
  async useGenes(table) {
    this.#genes = table;
    return this.#rpc.call('loadGenes', { table });
  }

  /** Gives the engine a reference; the bytes stay with the page, for the next worker. */
  async useReference(bundle) {
    await this.#ready();
    this.#mapped = null;
    const kept = this.#bundle;
    this.#bundle = bundle;
    try {
      return await this.#rpc.call('loadReference', { bundle });
    } catch (error) {
      this.#bundle = kept; // The engine still has that one.
      throw error;
    }
  }

  /** The symbols of the genes whose expression the reference tells, and of those of the query. */
  async referenceGenes() {
    await this.#ready();
    return this.#rpc.call('referenceGenes');
  }

  async queryGenes() {
    await this.#ready();
    return this.#rpc.call('queryGenes');
  }

  /** What the classes of a level express of some genes, by their numbers: `[{ means, fractions }]`. */
  async referenceExpression(level, genes) {
    await this.#ready();
    return this.#rpc.call('referenceExpression', { level, genes });
  }

  /** The genes that tell each class of a level best from the others. */
  async referenceMarkers(level, most) {
    await this.#ready();
    return this.#rpc.call('referenceMarkers', { level, most });
  }

  /** A gene in the cells of the reference and of the query: see the worker. */
  async gene(symbol, level, gene, inQuery) {
    await this.#ready();
    return this.#rpc.call('gene', { symbol, level, gene, inQuery });
  }

  /** Where each cell of the reference is from, by the column's number. */
  async referenceColumn(column) {
    await this.#ready();
    return this.#rpc.call('referenceColumn', { column });
  }

  /** A reference that Azimuth publishes (its file ref.Rds) or Symphony builds, made a bundle: `{ bundle, warnings }`. */
  async importReference(file, name, onProgress) {
    await this.#ready(onProgress);
    return this.#rpc.call('importReference', { file, name }, onProgress);
  }

  /** Reads a labelled file, `[{ file, path }]`, of which a reference is to be built: what its table of cells holds. */
  async openLabelled(files, onProgress) {
    this.#labelled = null;
    await this.#ready(onProgress);
    const about = await this.#rpc.call('openLabelled', { files, budget: this.#budget }, onProgress);
    this.#labelled = files;
    this.#holdsLabelled = true;
    return about;
  }

  /** Builds a reference of that file: `{ bundle, warnings, held_out, timings }`; `wanted` as the engine's `build_reference`. */
  async buildReference(wanted, onProgress) {
    await this.#ready(onProgress);
    // A fresh worker knows nothing of the file.
    if (!this.#holdsLabelled) await this.#rpc.call('openLabelled', { files: this.#labelled, budget: this.#budget }, onProgress);
    this.#holdsLabelled = true;
    return this.#rpc.call('buildReference', { wanted }, onProgress);
  }

  /** Puts the labelled file away. */
  forgetLabelled() {
    const held = this.#holdsLabelled;
    this.#labelled = null;
    this.#holdsLabelled = false;
    if (held) this.#rpc.call('closeLabelled').catch(() => {}); // A worker that has ended holds nothing.
  }

  /** Looks into files, `[{ file, path }]`, without reading their counts. */
  async open(files, onProgress) {
    this.#files = null;
    this.#mapped = null;
    await this.#ready(onProgress);
    const look = await this.#rpc.call('openQuery', { files }, onProgress);
    this.#files = files;
    this.#options = {};
    return look;
  }

  /** Reads the counts of the open files; `options` says which matrix and which genes, see the engine's `read_query`. */
  async read(options, onProgress) {
    await this.#ready(onProgress);
    this.#mapped = null;
    // To the engine, what is not asked for is not there.
    this.#options = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return this.#rpc.call('readQuery', { options: { ...this.#options, budget: this.#budget } }, onProgress);
  }

  /** Maps the query, each sample by itself where that is wished. After a cancel this waits until the new worker holds what
   *  the old one held. */
  async map(levels, onProgress, { perSample = false, method = 'sextant' } = {}) {
    await this.#ready(onProgress);
    this.#mapped = null;
    const wishes = { levels, perSample, method };
    const result = await this.#rpc.call('map', wishes, onProgress);
    this.#mapped = wishes;
    return result;
  }

  /** How well the mapping preserves the clusters of the query: `{ score, grade, clusters, cells, warnings }`. */
  async preservation(onProgress) {
    await this.#ready(onProgress);
    return this.#rpc.call('preservation', {}, onProgress);
  }

  /** Clusters the query by itself; `wishes` are `{ resolution, method }`. */
  async cluster(wishes, onProgress) {
    await this.#ready(onProgress);
    return this.#rpc.call('cluster', wishes, onProgress);
  }

  /** Scores how much each cell looks like two. */
  async doublets(onProgress) {
    await this.#ready(onProgress);
    return this.#rpc.call('scoreDoublets', {}, onProgress);
  }

  /** Fits a map on the query itself, which was clustered before. */
  async ownLayout(onProgress) {
    await this.#ready(onProgress);
    return this.#rpc.call('ownLayout', {}, onProgress);
  }

  /** A column of the file's table of cells, by its number, for the cells that are mapped. */
  async metadataColumn(column) {
    await this.#ready();
    return this.#rpc.call('metadataColumn', { column });
  }

  /** The imputed values of a protein of the reference, by its number, in the shape of a column of numbers. */
  async protein(protein) {
    await this.#ready();
    return this.#rpc.call('protein', { protein });
  }

  /** A table of what was mapped, `{ bytes, warnings }`. */
  async exportTable(name) {
    await this.#ready();
    return this.#rpc.call('exportTable', { name });
  }

  /** The table of marker genes, `{ bytes, warnings }`; `wishes` are those of the engine's `export_markers`. */
  async exportMarkers(wishes, onProgress) {
    await this.#ready(onProgress);
    return this.#rpc.call('exportMarkers', { wishes }, onProgress);
  }

  /** Forgets that cells were mapped, so that a new worker does not map them. */
  forgetMapping() {
    this.#mapped = null;
  }

  /** Forgets the files, so that a new worker is not given them. */
  forgetFiles() {
    this.#files = null;
    this.#mapped = null;
  }

  /** Ends the worker at once and brings a new one to where the old one stood, from what the page holds: no request. */
  restart() {
    this.#rpc.replace();
    this.#holdsLabelled = false;
    this.#restoring = true;
    const restored = this.#restore().finally(() => {
      if (restored === this.#restored) this.#restoring = false;
    });
    this.#restored = restored;
    restored.catch(() => {}); // Whoever next needs the engine hears of it.
  }

  /** Waits for a restarted engine; if it could not be completed, as when the file has changed, tries once more. */
  async #ready(onProgress = () => {}) {
    this.#tell = onProgress;
    if (this.#restoring) onProgress({ stage: 'reading the file again', fraction: 0, elapsed: 0 });
    try {
      await this.#restored;
    } catch (error) {
      if (error.kind === 'cancelled') throw error;
      this.restart();
      await this.#restored;
    }
  }

  async #restore() {
    const files = this.#files;
    const tell = (progress) => this.#tell(progress);
    await this.#startEngine();
    if (this.#genes) await this.#rpc.call('loadGenes', { table: this.#genes });
    if (this.#bundle) await this.#rpc.call('loadReference', { bundle: this.#bundle });
    if (!files) return;
    await this.#rpc.call('openQuery', { files }, tell);
    await this.#rpc.call('readQuery', { options: { ...this.#options, budget: this.#budget } }, tell);
    // The same input gives the same result: what the page shows stays true.
    if (this.#mapped) await this.#rpc.call('map', this.#mapped, tell);
  }

  async #startEngine() {
    const { glue, module, threads, memoryPages } = this.#build;
    const engine = await this.#rpc.call('start', { glue, module, threads, memoryPages });
    this.#budget = budgetOf(engine.memory);
    return engine;
  }
}
