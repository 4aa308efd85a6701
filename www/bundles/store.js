// The bundles that this browser keeps. Each has a record, `ID.json`, and its bytes in pieces, `ID.0.part`, `ID.1.part`, …:
// a download that breaks off leaves whole pieces and a record that says how far it came, and needs no copy to go on.

import { sha256 } from '../fetched.js';
import { Memory, openPlace } from './places.js';

export class Store {
  #place;
  #memory = new Memory();
  #records = new Map();

  /** Opens what is kept. Nothing is asked of any server. */
  static async open() {
    const store = new Store();
    store.#place = await openPlace();
    await store.refresh();
    // A record is there before its first piece: pieces without one are left of a deletion that was broken off.
    for (const name of await store.#place.names()) if (!store.#records.has(name.split('.')[0])) await store.#place.remove(name);
    return store;
  }

  /** `files`, `cache` or `memory`. */
  get kind() {
    return this.#place.kind;
  }

  /** Reads the records anew: another tab may have fetched or deleted. */
  async refresh() {
    const found = new Map([...this.#records].filter(([, record]) => record.volatile));
    for (const name of await this.#place.names()) {
      if (!name.endsWith('.json')) continue;
      try {
        const record = JSON.parse(await (await this.#place.read(name)).text());
        found.set(record.id, record);
      } catch {
        await this.#place.remove(name); // Written half, as when the browser was ended meanwhile.
      }
    }
    this.#records = found;
  }

  /**
   * The records, the oldest first: `{ id, title, address, stated, sha256, bytes, received, pieces, validator, date, complete,
   * volatile }`. `stated` is the checksum that the catalogue gives, `sha256` the one found, `bytes` null while not known.
   */
  list() {
    return [...this.#records.values()].sort((a, b) => a.date.localeCompare(b.date) || a.id.localeCompare(b.id));
  }

  /** The whole bundle of an entry: the one with the checksum that is stated, whatever its address; else that of the address. */
  whole({ address, stated }) {
    return this.list().find((record) => record.complete && (stated ? (record.sha256 ?? record.stated) === stated : record.address === address)) ?? null;
  }

  /** The beginning of one, of the same address and the same checksum. */
  part({ address, stated }) {
    return this.list().find((record) => !record.complete && record.received > 0 && record.address === address && record.stated === (stated ?? null)) ?? null;
  }

  async begin({ title, address, stated }) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const record = { id, title, address, stated: stated ?? null, sha256: null, bytes: null, received: 0, pieces: 0, validator: null, date: new Date().toISOString(), complete: false };
    this.#records.set(id, record);
    return record;
  }

  /** Adds bytes. Where the browser has no room, the record and what came before go on in memory: then it says why. */
  async append(record, blob) {
    try {
      await this.#write(record, blob);
      return null;
    } catch (error) {
      if (record.volatile || this.kind === 'memory') throw error;
      // Whole in memory before they are deleted: what a file gives is read only when it is asked for.
      const pieces = await Promise.all((await this.#pieces(record)).map((piece) => piece.arrayBuffer()));
      await this.#clear(record);
      record.volatile = true;
      for (const [at, piece] of pieces.entries()) await this.#memory.write(nameOf(record, at), new Blob([piece]));
      await this.#write(record, blob);
      return error;
    }
  }

  /** Forgets the bytes, not the record. */
  async empty(record) {
    await this.#clear(record);
    Object.assign(record, { received: 0, pieces: 0, bytes: null, validator: null });
  }

  /** All bytes and their checksum, null where the page was not served in a way that lets it compute one. */
  async bytes(record) {
    const whole = await new Blob(await this.#pieces(record)).arrayBuffer();
    return { bytes: whole, sha256: await sha256(whole) };
  }

  /** Notes what is known of a record; older ones of the same address go once it is complete. */
  async note(record, change) {
    Object.assign(record, change);
    const text = new Blob([JSON.stringify(record)]);
    await this.#placeOf(record).write(`${record.id}.json`, text);
    if (!record.complete) return;
    for (const other of this.list()) if (other.id !== record.id && other.address === record.address) await this.remove(other.id);
  }

  async remove(id) {
    const record = this.#records.get(id);
    this.#records.delete(id);
    if (record) await this.#clear(record);
  }

  async #write(record, blob) {
    await this.#placeOf(record).write(nameOf(record, record.pieces), blob);
    await this.note(record, { received: record.received + blob.size, pieces: record.pieces + 1 });
  }

  async #pieces(record) {
    const place = this.#placeOf(record);
    const pieces = [];
    for (let at = 0; at < record.pieces; at += 1) {
      const piece = await place.read(nameOf(record, at));
      if (piece) pieces.push(piece); // One that is gone shows in the checksum.
    }
    return pieces;
  }

  /** The record goes first: without it, what is left of a broken-off deletion is never taken for a bundle. */
  async #clear(record) {
    const place = this.#placeOf(record);
    for (const name of (await place.names()).filter((each) => each.startsWith(`${record.id}.`)).sort((a, b) => b.endsWith('.json') - a.endsWith('.json'))) await place.remove(name);
  }

  #placeOf({ volatile }) {
    return volatile ? this.#memory : this.#place;
  }
}

const nameOf = ({ id }, piece) => `${id}.${piece}.part`;
