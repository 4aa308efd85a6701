// The controller's part for the right reference: which of those at hand a query is like.

export class Likenesses {
  #page; // { state, set, references }: the controller
  #session = null;

  constructor(page) {
    this.#page = page;
  }

  begin(session) {
    this.#session = session;
  }

  /** It stands beside what was read, and nobody has to wait for it. */
  async compare(query) {
    const { state, set, references } = this.#page;
    const { entry: own } = state;
    try {
      const bundles = await references.atHand();
      const found = await this.#session.compare(bundles.map(({ blob }) => blob));
      if (!found || state.query !== query || state.entry !== own) return;
      const named = ({ place, ...each }) => ({ ...each, name: bundles[place].entry.name, chosen: bundles[place].entry === own });
      set({ likeness: { all: found.all.map(named), warning: found.warning, better: found.better === null ? null : bundles[found.better].entry } });
    } catch {
      // Cancelled with its worker, or another file is being read: there is nothing to compare any more.
    }
  }
}
