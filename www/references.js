// The controller's part for step 1: which references there are, how each comes to the page, and which is chosen.

import { entryOf, readAddress } from './bundles/addresses.js';
import { originOf } from './bundles/courier.js';
import { Delivery, progressWords } from './bundles/delivery.js';
import { checked, stored } from './fetched.js';
import { bytes as size } from './words.js';

export class References {
  #page; // { state, set, failed, chosen }: the controller
  #session = null;
  #delivery;
  #shipped = [];
  #fromDisk = [];

  /** `chosen(entry, reference)` is told what the engine holds now and resolves when the page has taken it over. */
  constructor(page) {
    this.#page = page;
    this.#delivery = new Delivery(() => page.state.files !== null || page.state.building !== null || ['reading', 'mapping'].includes(page.state.phase));
  }

  /** At the start: the lists of the page, and what the browser keeps; the first reference, which `address` names or is the page's, is loaded with the page. */
  async begin({ session, release, place, catalogue, elsewhere, settled, address }) {
    this.#session = session;
    this.#shipped = catalogue;
    await this.#delivery.open(release, place);
    this.#page.set({ elsewhere, stored: { count: catalogue.filter(({ bundle }) => this.#delivery.isStored(bundle)).length, bytes: release.files.reduce((sum, file) => sum + file.bytes, 0), now: place.controlled } });
    this.#list();
    const isShipped = ({ bundle }) => release.files.some(({ path }) => path === bundle);
    const isKept = (entry) => this.#delivery.wayOf(entry).by === 'kept';
    let { entry: first, notes } = address.first(catalogue, (entry) => isShipped(entry) || isKept(entry));
    let kept = null;
    if (!isShipped(first)) {
      try {
        kept = await this.#take(first);
      } catch (error) {
        [first] = catalogue; // A kept copy that is damaged does not keep the page from starting.
        notes = [...notes, error.message];
      }
    }
    const take = async () => kept ?? { blob: await checked({ path: first.bundle, sha256: first.sha256 }), notes };
    await this.#load(first, take, settled);
  }

  isStored(path) {
    return this.#delivery.isStored(path);
  }

  /** A line of the list was clicked. Where that is a request, a script's click does not do. */
  async choose({ name, trusted }) {
    const entry = this.#page.state.catalogue.find((each) => each.name === name);
    if (!entry || (!trusted && ['fetch', 'resume'].includes(this.#delivery.wayOf(entry).by))) return;
    await this.#load(entry, () => this.#take(entry));
    if (entry.own) await this.#rememberOwn(entry);
    this.#list();
  }

  /** The button with the origin of a person's own address was clicked. */
  async chooseAddress({ text, trusted }) {
    const { address } = readAddress(text);
    if (!address || !trusted) return;
    const known = this.#delivery.own.find((each) => each.address === address);
    const entry = known ?? entryOf(address);
    await this.#load(entry, () => this.#take(entry));
    await this.#rememberOwn(entry);
    this.#list();
  }

  /** A reference from disk: a bundle, or the ref.Rds that Azimuth publishes, which is imported. */
  async open(file) {
    const { set, failed } = this.#page;
    set({ phase: 'loading', text: `Opening the reference ${file.name} …`, fraction: null, error: null });
    try {
      const title = file.name.replace(/(\.sextant)?\.(zip|rds)$/i, '');
      const isBundle = (await file.slice(0, 2).text()) === 'PK';
      const { bundle, warnings } = isBundle ? { bundle: file, warnings: [] } : await this.#session.importReference(file, title, ({ fraction }) => set({ fraction }));
      await this.adopt({ name: `file:${file.name}`, title: `${title} (from disk)`, blob: new Blob([bundle]), description: warnings.map(({ message }) => message).join(' ') });
    } catch (error) {
      failed(error, 'loading');
    }
  }

  /** A reference that was built here: `{ name, title, blob }`. */
  async adopt(entry) {
    await this.#load(entry, async () => ({ blob: entry.blob, notes: [] }));
    const { state } = this.#page;
    if (state.entry !== entry) return; // It was refused, and the page has said why.
    this.#learn(entry, state.reference.about, entry.title);
    entry.bytes = entry.blob.size;
    this.#fromDisk = [...this.#fromDisk.filter(({ name }) => name !== entry.name), entry];
    this.#list();
  }

  /** Stops a download; false where there is none. What has arrived is kept. */
  cancel() {
    if (!this.#delivery.isRunning) return false;
    this.#delivery.cancel();
    return true;
  }

  /** The bundles that are there without a request, `[{ entry, blob }]`: the page's own, those from disk and those that are kept. */
  async atHand() {
    const there = this.#page.state.catalogue.filter((entry) => ['stored', 'kept'].includes(this.#delivery.wayOf(entry).by));
    const taken = there.map(async (entry) => {
      if (entry.blob) return { entry, blob: entry.blob };
      // The engine checks what it reads of them.
      if (this.#delivery.isStored(entry.bundle)) return { entry, blob: await stored(entry.bundle) };
      return { entry, blob: (await this.#delivery.take(entry, () => {})).blob };
    });
    return Promise.all(taken);
  }

  fileOpens() {
    this.#delivery.fileOpens();
  }

  remove = ({ id }) => this.#change(() => this.#delivery.remove(id));
  removeAll = () => this.#change(() => this.#delivery.removeAll());
  forget = ({ address }) => this.#change(() => this.#delivery.forget(address));
  refresh = () => this.#change(() => this.#delivery.refresh());

  async #change(work) {
    try {
      await work();
    } catch (error) {
      this.#page.failed(error, 'loading');
    }
    this.#list();
  }

  async #load(entry, take, settled = Promise.resolve()) {
    const { set, failed, chosen } = this.#page;
    set({ phase: 'loading', text: `Loading the reference ${entry.title} …`, fraction: null, error: null, note: '' });
    try {
      const { blob, notes } = await take();
      set({ phase: 'loading', text: `Loading the reference ${entry.title} …`, fraction: null, fetching: false });
      const reference = await this.#use(entry, blob);
      await chosen({ entry, reference, note: notes.join(' ') }, settled);
    } catch (error) {
      set({ fetching: false });
      if (error.kind === 'cancelled') this.#stopped(entry);
      else failed(error, 'loading');
    }
  }

  /** A person's own address may lead to a bundle that the engine refuses: that is not kept. */
  async #use(entry, blob) {
    try {
      return await this.#session.useReference(blob);
    } catch (error) {
      if (entry.own && error.kind === 'reference') await this.#delivery.forget(entry.address);
      throw error;
    }
  }

  /** What has begun to come is listed too, to go on with it; not what was refused. */
  async #rememberOwn(entry) {
    const { entry: chosen, reference } = this.#page.state;
    if (chosen === entry) this.#learn(entry, reference.about, reference.about.title || entry.title);
    if (chosen === entry || this.#delivery.wayOf(entry).by === 'resume') await this.#delivery.remember(entry);
  }

  #take(entry) {
    const { set } = this.#page;
    const way = this.#delivery.wayOf(entry);
    if (way.by === 'stored' && entry.blob) return { blob: entry.blob, notes: [] };
    if (way.by === 'stored') return checked({ path: entry.bundle, sha256: entry.sha256 }).then((blob) => ({ blob, notes: [] }));
    const from = originOf(entry.address ?? new URL(entry.bundle, document.baseURI));
    if (way.by !== 'kept') set({ fetching: true, text: `Asking ${from} for ${entry.title} …` });
    return this.#delivery.take(entry, ({ done, total }) => set({
      text: `Fetching ${entry.title} from ${from}: ${total ? progressWords(done, total) : size(done)}`,
      fraction: total ? Math.min(1, done / total) : null,
    }));
  }

  #stopped(entry) {
    const { by, words } = this.#delivery.wayOf(entry);
    const rest = by === 'resume' ? `Its button says “${words}”.` : 'Nothing had arrived.';
    this.#page.set({ phase: 'idle', text: `The download of ${entry.title} was stopped. ${rest}`, fraction: null });
  }

  /** What the bundle says of itself, for the list. */
  #learn(entry, about, title) {
    const levels = about.levels.map(({ name, classes }) => ({ name, classes: classes.length }));
    Object.assign(entry, { title, species: about.species, tissue: about.tissue, cells: about.cells, levels });
  }

  #list() {
    const catalogue = [...this.#shipped, ...this.#fromDisk, ...this.#delivery.own];
    this.#page.set({ catalogue, ways: new Map(catalogue.map((entry) => [entry.name, this.#delivery.wayOf(entry)])), kept: this.#delivery.kept });
  }
}
