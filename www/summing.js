// What the summary of a result asks of the page: which cells to pick out, and what tells samples apart.

import { compositionTable } from './composition.js';
import { coloring } from './views/coloring.js';
import { save } from './views/downloads.js';

/** The controller of the summary of a result. */
export class Summing {
  #asked = 0; // Of several columns asked for, the last counts.
  #page;
  #tabs;
  #session = null;

  constructor(page, tabs) {
    this.#page = page;
    this.#tabs = tabs;
    this.reactions = {
      'sextant:doubt': (doubt) => this.#show(doubt),
      'sextant:composition-by': ({ column }) => this.choose(column),
      'sextant:composition-save': () => save(new TextEncoder().encode(compositionTable(page.state.result, page.state.grouping)), 'composition.tsv'),
    };
  }

  begin(session) {
    this.#session = session;
  }

  /** Picks out cells that deserve doubt and shows them in the table of cells; asked for again, all cells are shown. */
  #show({ name, cells }) {
    const { state, set } = this.#page;
    if (state.selection?.name === name) {
      set({ selection: null });
      return;
    }
    // A class that the legend highlights would hide some of them.
    set({ selection: { name, cells }, focus: { highlight: null, isolated: false } });
    this.#tabs.show('tab-cells');
  }

  /** By samples, where the file tells them apart. */
  ofResult() {
    return this.choose(this.#page.state.query.sample_column ?? null);
  }

  /** By a column of the table of cells, by its name; null is all cells together. */
  async choose(wanted) {
    const { state, set, failed } = this.#page;
    this.#asked += 1;
    const { result, query } = state;
    const column = wanted === null ? -1 : (query.metadata ?? []).findIndex(({ name }) => name === wanted);
    if (column < 0) {
      set({ grouping: null });
      return;
    }
    const asked = this.#asked;
    const current = () => asked === this.#asked && result === state.result;
    try {
      const values = await this.#session.metadataColumn(column);
      if (current()) set({ grouping: coloring(wanted, values) });
    } catch (error) {
      if (!current()) return;
      failed(error, 'exporting');
      set({ grouping: state.grouping && { ...state.grouping } }); // The choice goes back to what is shown.
    }
  }
}
