// How a reference comes to the page: from what is stored with the page, from what the browser keeps, or, after a click on a
// button that says so, from a server.

import { bytes as size } from '../words.js';
import { Addresses } from './addresses.js';
import { answerWhetherOpen, DeliveryError, originOf, tellOpen } from './courier.js';
import { alone, download } from './download.js';
import { Store } from './store.js';

export class Delivery {
  #stored = new Set(); // paths of the release, which are there without a request
  #store = null;
  #addresses = new Addresses();
  #isOpen;
  #running = null; // AbortController of the download that runs

  /** `isOpen` says whether this tab has a file open. */
  constructor(isOpen) {
    this.#isOpen = isOpen;
    answerWhetherOpen(isOpen);
  }

  /** Looks at what is kept. Only a page that its service worker serves has the release's files without a request. */
  async open(release, { controlled }) {
    if (controlled) this.#stored = new Set(release.files.map(({ path }) => path));
    this.#store = await Store.open();
  }

  /** The entries of the addresses that a person has added. */
  get own() {
    return this.#addresses.entries;
  }

  get isRunning() {
    return this.#running !== null;
  }

  /** Whether a file of the page is there without a request. */
  isStored(path) {
    return this.#stored.has(path);
  }

  /** What is kept, for the page: `{ place, bundles }`, the bundles as the store's records. */
  get kept() {
    return { place: this.#store.kind, bundles: this.#store.list().filter(({ received }) => received > 0) };
  }

  /** How an entry comes, `{ by, words }`: `stored`, `kept`, `resume` or `fetch`; the last two are requests, and the words say whose. */
  wayOf(entry) {
    if (entry.blob) return { by: 'stored', words: 'opened from disk' };
    if (this.isStored(entry.bundle)) return { by: 'stored', words: '' };
    const wish = wishOf(entry);
    if (this.#store.whole(wish)) return { by: 'kept', words: 'Kept in this browser' };
    const part = this.#store.part(wish);
    const origin = originOf(wish.address);
    if (part) return { by: 'resume', words: `Resume, ${part.bytes ? progressWords(part.received, part.bytes) : size(part.received)}, from ${origin}` };
    return { by: 'fetch', words: `Fetch ${entry.bytes ? `${size(entry.bytes)} ` : ''}from ${origin}` };
  }

  /**
   * The bundle of an entry, `{ blob, notes }`.
   *
   * @throws {DeliveryError} also where a request is needed and a file is open
   */
  async take(entry, onProgress) {
    const wish = wishOf(entry);
    const kept = this.#store.whole(wish);
    if (kept) return { blob: await this.#checkKept(entry, kept), notes: [] };
    if (this.#isOpen()) throw new DeliveryError(`${entry.title} is not stored with the page, and no server is asked for anything while a file is open. Reload the page and choose the reference before the file.`);
    this.#running = new AbortController();
    try {
      const { bytes, record, notes } = await download(wish, this.#store, { onProgress, signal: this.#running.signal });
      if (entry.own) {
        if (entry.sha256 && record.sha256 && entry.sha256 !== record.sha256) notes.push('It is another file than the one that was fetched from this address before.');
        Object.assign(entry, { sha256: record.sha256, bytes: record.bytes });
        notes.push(record.sha256 ? `Nobody stated a checksum for this address. The one found is ${record.sha256}: compare it with what its maker says.` : 'Its checksum could not be computed, since the page was not served over https.');
      }
      return { blob: new Blob([bytes]), notes };
    } finally {
      this.#running = null;
    }
  }

  cancel() {
    this.#running?.abort();
  }

  /** What a file that is opened here means for downloads in other tabs. */
  fileOpens() {
    tellOpen();
  }

  /** Remembers a person's own address with what was found there. */
  async remember(entry) {
    this.#addresses.remember(entry);
    const record = this.#store.whole(wishOf(entry));
    if (record && record.title !== entry.title) await this.#store.note(record, { title: entry.title });
  }

  /** An address and what is kept of it. */
  async forget(address) {
    this.#addresses.forget(address);
    for (const record of this.#store.list()) if (record.address === address) await this.remove(record.id);
  }

  async remove(id) {
    const record = this.#store.list().find((each) => each.id === id);
    if (record) await alone(record, () => this.#store.remove(id));
  }

  async removeAll() {
    for (const { id } of this.#store.list()) await this.remove(id);
  }

  /** Another tab may have fetched or deleted. */
  async refresh() {
    if (!this.isRunning) await this.#store.refresh();
  }

  async #checkKept({ title }, record) {
    const { bytes, sha256 } = await this.#store.bytes(record);
    if (bytes.byteLength === record.bytes && (!sha256 || !record.sha256 || sha256 === record.sha256)) return new Blob([bytes]);
    await this.#store.remove(record.id);
    throw new DeliveryError(`What this browser kept of ${title} was damaged: ${sha256 ? `its SHA-256 is ${sha256}, not ${record.sha256}` : 'a part is missing'}. It was deleted.`, 'Choose the reference again to fetch it anew: its button says from where.');
  }
}

/** What is to be fetched for an entry: of a person's own address nobody has stated a checksum, and its size may have changed. */
function wishOf({ title, address, bundle, bytes, sha256, own }) {
  return { title, address: address ?? new URL(bundle, document.baseURI).href, stated: own ? null : sha256, bytes: own ? null : bytes };
}

/** 12 of 45 MB, in the unit of the whole. */
export function progressWords(done, total) {
  const [number, unit] = size(total).split(' ');
  const unitBytes = { GB: 1e9, MB: 1e6, kB: 1e3 }[unit];
  const digits = number.includes('.') ? 1 : 0;
  return `${(done / unitBytes).toFixed(digits)} of ${number} ${unit}`;
}
