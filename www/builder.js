// The controller's part for references of one's own: a labelled file is read, choices are made, a reference is built and chosen.

import { bytes as size, duration, whole } from './words.js';

/** What the page is doing meanwhile. */
export const BUILDING = 'Building a reference';

export class Builder {
  #page; // { state, set, failed, advance, references }: the controller
  #session = null;

  constructor(page) {
    this.#page = page;
  }

  begin(session) {
    this.#session = session;
  }

  /** Reads a labelled file, `[{ file, path }]`: its counts and its table of cells. */
  async open(files, title) {
    const { set, failed, advance, references } = this.#page;
    references.fileOpens();
    set({ phase: 'reading', labelling: true, title, text: `Reading ${title} …`, fraction: null, stages: [], error: null, building: null });
    try {
      const about = await this.#session.openLabelled(files, advance);
      set({ building: { title, about, built: null }, text: `${title} is read: ${whole(about.cells)} cells. Choose the columns with their labels.` });
      this.#rest();
    } catch (error) {
      failed(error, 'labelling');
    }
    set({ labelling: false });
  }

  /** Builds what was chosen and takes it as the reference. */
  async build(wanted) {
    const { state, set, failed, advance, references } = this.#page;
    const { building } = state;
    const from = performance.now();
    set({ phase: 'mapping', doing: BUILDING, text: 'Building a reference …', fraction: 0, stages: [], error: null, building: { ...building, built: null } });
    try {
      const { bundle, warnings, held_out: heldOut, timings } = await this.#session.buildReference(wanted, advance);
      const blob = new Blob([bundle]);
      const built = { blob, name: wanted.name, warnings, heldOut, timings, seconds: (performance.now() - from) / 1000 };
      set({ building: { ...building, built } });
      await references.adopt({ name: `built:${wanted.name}`, title: `${wanted.title || wanted.name} (built here)`, blob });
      // With a file open, the page has gone on to reading it for this reference.
      if (state.phase === 'idle') set({ doing: null, text: `Built in ${duration(1000 * built.seconds)}, ${size(blob.size)}: it is the reference now. Save it to have it again.`, stages: timings.map(({ stage, ms }) => ({ stage, ms, done: true })) });
      set({ doing: null });
    } catch (error) {
      failed(error, 'building');
    }
  }

  /** A reading or building that was cancelled, or a file that is put away. */
  close() {
    this.#session.forgetLabelled();
    this.#page.set({ building: null, labelling: false, doing: null });
  }

  /** Back to where the page stood with its query. */
  #rest() {
    const { state, set } = this.#page;
    set({ phase: state.result ? 'done' : state.query && !state.query.mismatch ? 'ready' : 'idle', fraction: null, stages: [] });
  }
}
