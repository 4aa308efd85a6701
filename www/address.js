// What is shown, in the fragment of the address, so that it can be kept and handed on: #reference=pancreas&color=label:l1&gene=INS&labels=0.
// A fragment is not sent to any server. All the same no word of a person's data comes into it: only names of the page's own
// references, of their levels, their columns and their genes.

const LONGEST = 1000; // characters of a fragment that is looked at
const LONGEST_NAME = 100;
// These colour a query, so they wait for one.
const OF_RESULT = ['confidence', 'score', 'mapping', 'unknown'];
const KINDS = ['label', 'origin', ...OF_RESULT];
const TABS = ['labels', 'cells', 'compare'];

/** Whether a reference came with the page: then its names are no one's data. */
const isOwn = (entry) => Boolean(entry?.bundle) && !entry.blob && !entry.own;

/**
 * What a fragment asks for, each part missing where it is not there or is none; never an error.
 *
 * @param {string} fragment with or without its #
 * @returns {{ reference?: string, color?: { kind: string, name: string }, gene?: string, labels?: boolean, tab?: string }}
 */
export function parse(fragment) {
  if (fragment.length > LONGEST) return {};
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  const field = (name) => {
    const text = fields.get(name) ?? '';
    return text.length <= LONGEST_NAME && !/[\p{Cc}\p{Cf}]/u.test(text) ? text : '';
  };
  const asked = {};
  if (field('reference')) asked.reference = field('reference');
  if (field('gene')) asked.gene = field('gene');
  const [, kind, name] = /^(\w+):(.*)$/s.exec(field('color')) ?? [];
  if (KINDS.includes(kind)) asked.color = { kind, name };
  if (['0', '1'].includes(field('labels'))) asked.labels = field('labels') === '1';
  if (TABS.includes(field('tab'))) asked.tab = field('tab');
  return asked;
}

/** The fragment of what is shown, without its #; what the page shows anyway is left out. */
export function compose({ entry, reference, referenceGenes, catalogue, colorBy }, { labels, tab }) {
  const parts = [];
  if (isOwn(entry) && reference) {
    const { levels, columns } = reference.about;
    const { kind, level, column, gene } = colorBy;
    const name = kind === 'origin' ? columns[column]?.name : level;
    const known = kind === 'origin' ? name !== undefined : levels.some((each) => each.name === name);
    const usual = kind === 'label' && name === levels[0].name;
    if (KINDS.includes(kind) && known && !usual) parts.push(['color', `${kind}:${name}`]);
    // A symbol that only the file knows is a word of the file's.
    if (kind === 'gene' && known && level !== levels[0].name) parts.push(['color', `label:${level}`]);
    if (kind === 'gene' && referenceGenes.includes(gene.symbol)) parts.push(['gene', gene.symbol]);
  }
  if (!labels) parts.push(['labels', '0']);
  if (tab !== TABS[0]) parts.push(['tab', tab]);
  // Colours and genes are those of a reference, so it is named with them.
  if (isOwn(entry) && (entry !== catalogue[0] || parts.some(([key]) => ['color', 'gene'].includes(key)))) parts.unshift(['reference', entry.name]);
  return parts.map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%20', '+')}`).join('&');
}

/** Keeps the address in step with the page, and the page with the address that it was opened with. */
export class Address {
  #labels; // the box that shows names on the maps
  #tabs; // the root of the tabs
  #act; // { colorBy, gene }: the controller's
  #state = null;
  #asked = parse(window.location.hash);
  #begun = false; // before, what the page was opened with stands in the address
  #waiting = null; // a colouring of a query that is not mapped yet

  constructor(labels, tabs, act) {
    this.#labels = labels;
    this.#tabs = tabs;
    this.#act = act;
    labels.addEventListener('change', () => this.#write());
    new MutationObserver(() => this.#write()).observe(tabs, { subtree: true, attributeFilter: ['aria-selected'] });
    window.addEventListener('hashchange', () => this.#changed());
  }

  /** The reference to begin with, `{ entry, notes }`: that which was asked for, where it is the page's own and comes without a click. */
  first(catalogue, isAtHand) {
    const entry = catalogue.find((each) => each.name === this.#asked.reference && isOwn(each));
    if (!entry) return { entry: catalogue[0], notes: [] };
    if (isAtHand(entry)) return { entry, notes: [] };
    return { entry: catalogue[0], notes: [`The address names the reference “${entry.title}”, which is not in this browser yet: its button in the list fetches it.`] };
  }

  /** Shows the rest of what was asked for, once the reference is there. */
  async restore() {
    await this.#show(this.#asked);
    this.#begun = true;
    this.#write();
  }

  update(state) {
    this.#state = state;
    const { result, colorBy } = state;
    const { wish, before } = this.#waiting ?? {};
    if (wish && result) {
      this.#waiting = null;
      if (state.reference === before.reference) this.#color(wish);
    } else if (wish && colorBy !== before.colorBy) {
      this.#waiting = null; // Something else was chosen meanwhile.
    }
    this.#write();
  }

  /** Another fragment was typed. The reference is left alone: to change it may take a result away. */
  async #changed() {
    if (!this.#begun || !['idle', 'ready', 'done'].includes(this.#state.phase)) return;
    await this.#show(parse(window.location.hash));
    this.#write();
  }

  async #show({ reference, color, gene, labels, tab }) {
    const { entry, referenceGenes } = this.#state;
    if (labels !== undefined && labels !== this.#labels.checked) {
      this.#labels.checked = labels;
      this.#labels.dispatchEvent(new Event('change'));
    }
    if (tab) this.#tabs.querySelector(`#tab-${tab}`).click();
    // Names of one reference mean nothing for another.
    if (reference !== undefined && reference !== entry?.name) return;
    if (color) await this.#color(color);
    if (referenceGenes.includes(gene)) await this.#act.gene(gene);
  }

  /** A colouring by its kind and name; one that the reference does not have is passed over. */
  async #color({ kind, name }) {
    const { reference, result, colorBy } = this.#state;
    if (!reference) return;
    if (kind === 'origin') {
      const column = reference.about.columns.findIndex((each) => each.name === name);
      if (column >= 0 && !result) await this.#act.colorBy({ kind, level: colorBy.level, column });
      return;
    }
    const levels = result ? result.levels : reference.about.levels;
    if (!levels.some((each) => each.name === name)) return;
    if (!OF_RESULT.includes(kind)) await this.#act.colorBy({ kind, level: name });
    else if (!result) this.#waiting = { wish: { kind, name }, before: { reference, colorBy } };
    else if (result.calls || !['confidence', 'unknown'].includes(kind)) await this.#act.colorBy({ kind, level: name });
  }

  #write() {
    if (!this.#begun || this.#state.phase === 'loading') return;
    const tab = this.#tabs.querySelector('[role=tab][aria-selected=true]').id.replace('tab-', '');
    const wish = this.#waiting?.wish;
    const shown = wish ? { ...this.#state, colorBy: { kind: wish.kind, level: wish.name } } : this.#state;
    const text = compose(shown, { labels: this.#labels.checked, tab });
    if (window.location.hash.replace(/^#/, '') === text) return;
    const address = new URL(window.location.href);
    address.hash = text;
    try {
      // In the place of the entry that is there, so that Back leaves the page.
      window.history.replaceState(window.history.state, '', address);
    } catch {
      // Some browsers allow so many changes in a time: the next one says it all.
    }
  }
}
