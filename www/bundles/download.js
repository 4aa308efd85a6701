// One download: where an earlier one stopped it goes on, and what has arrived is checked before it is taken for a bundle.

import { bytes as size } from '../words.js';
import { ask, DeliveryError, originOf } from './courier.js';

const PIECE_BYTES = 4 << 20;
const REPORT_EVERY_MS = 150;
// How a ZIP file begins, which every bundle is.
const ZIP = [0x50, 0x4b, 3, 4];

/**
 * Fetches a bundle into the store.
 *
 * @param {{ title: string, address: string, stated: string | null, bytes: number | null }} wish `stated` is the SHA-256 that it
 *   must have and `bytes` its size, null where nobody says
 * @returns {Promise<{ record: object, bytes: ArrayBuffer, notes: string[] }>} `notes` are sentences about what was out of the ordinary
 * @throws {DeliveryError}
 */
export async function download(wish, store, { onProgress, signal }) {
  return alone(wish, async () => {
    const notes = [];
    const record = store.part(wish) ?? (await store.begin(wish));
    // All of it may have come without having been checked, where the tab was closed in that moment.
    let all = record.bytes !== null && record.received === record.bytes;
    while (!all) all = await oneRequest(wish, record, store, { onProgress, signal, notes });
    const { bytes, sha256 } = await store.bytes(record);
    await check(wish, record, store, { bytes, sha256 });
    await store.note(record, { complete: true, sha256, bytes: bytes.byteLength, date: new Date().toISOString() });
    if (record.volatile || store.kind === 'memory') notes.push('This reference is kept until the tab is closed, and then has to be fetched again.');
    return { record, bytes, notes };
  });
}

/** Two tabs must not write one record. */
export function alone({ address }, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(`sextant bundle ${address}`, { ifAvailable: true }, (lock) => {
    if (!lock) throw new DeliveryError(`${address} is being fetched in another tab.`, 'Wait until it is there, then choose it here: it is kept for both.');
    return work();
  });
}

/** Asks once, from where the record ends. Says whether all has come; if not, another request is needed. */
async function oneRequest(wish, record, store, { onProgress, signal, notes }) {
  const { address } = wish;
  let waiting = [];
  let waits = 0;
  let told = 0;
  const flush = async () => {
    if (waits === 0) return;
    const blob = new Blob(waiting);
    [waiting, waits] = [[], 0];
    const full = await store.append(record, blob);
    if (full) notes.push(`The browser could not store it (${full.message || full.name}), so it is held in memory.`);
  };
  try {
    for await (const said of ask({ address, from: record.received, validator: record.validator?.etag ?? record.validator?.modified ?? null }, signal)) {
      if (said.type === 'pause') return false;
      if (said.type === 'head') {
        if (await startsAnew(said, record, store, notes, address)) return false;
        await store.note(record, headNotes(said, record, wish));
        if (originOf(said.address || address) !== originOf(address)) notes.push(`${originOf(address)} sent the request on to ${originOf(said.address)}, which answered.`);
        if (wish.bytes && record.bytes && record.bytes !== wish.bytes) throw await refused(store, record, `${address} has ${size(record.bytes)} (${record.bytes} bytes), not the ${wish.bytes} bytes that the catalogue states.`);
      }
      if (said.type === 'bytes') {
        const piece = new Uint8Array(said.bytes);
        if (record.received + waits === 0 && ZIP.some((byte, at) => at < piece.length && piece[at] !== byte)) throw await refused(store, record, `What ${originOf(address)} sends is no bundle: it does not begin as a ZIP file does.`);
        waiting.push(piece);
        waits += piece.length;
        if (waits >= PIECE_BYTES) await flush();
        if (performance.now() - told > REPORT_EVERY_MS) {
          told = performance.now();
          onProgress({ done: record.received + waits, total: record.bytes ?? wish.bytes });
        }
      }
    }
  } finally {
    // Also of what broke off: there it goes on the next time. A record that was refused is gone.
    if (store.list().includes(record)) await flush();
  }
  if (record.bytes !== null && record.received !== record.bytes) throw new DeliveryError(`${originOf(address)} sent ${size(record.received)} of ${size(record.bytes)}.`, 'What arrived is kept. Choose the reference again: its button says where it goes on.');
  return true;
}

/** Whether what is kept of it is of no use, by the head of the answer. Throws where the server refuses. */
async function startsAnew({ status, etag, modified, range }, record, store, notes, address) {
  const { received, validator } = record;
  if (received > 0 && (status === 416 || (status === 206 && (differs(validator?.etag, etag) || differs(validator?.modified, modified) || !continues(range, received))))) {
    await store.empty(record);
    notes.push(`The file at ${originOf(address)} has changed since its first part was fetched, so it was fetched from its beginning.`);
    return true;
  }
  if (status !== 200 && status !== 206) throw new DeliveryError(`${originOf(address)} answered ${status} for ${address}.`, status === 404 ? 'Check the address: the server has no such file.' : 'Try again later, or download it yourself and open it from disk.');
  if (received > 0 && status === 200) {
    await store.empty(record);
    notes.push(`${originOf(address)} does not send files from the middle on, so it was fetched from its beginning.`);
  }
  return false;
}

const differs = (before, now) => Boolean(before && now && before !== now);
const continues = (range, from) => !range || range.startsWith(`bytes ${from}-`);

/** What the head says of the whole. A server need not show any of it to another origin's page. */
function headNotes({ status, length, range, etag, modified }, record, wish) {
  const whole = Number.parseInt(range?.split('/')[1] ?? '', 10) || (length ? Number(length) + (status === 206 ? record.received : 0) : null);
  // A weak tag says that two files mean the same, not that they have the same bytes.
  const strong = etag && !etag.startsWith('W/') ? etag : null;
  return { bytes: whole ?? wish.bytes ?? null, validator: { etag: strong, modified } };
}

async function check(wish, record, store, { bytes, sha256 }) {
  if (wish.stated && sha256 && sha256 !== wish.stated) {
    throw await refused(store, record, `What ${originOf(wish.address)} sent is not the reference that is listed: its SHA-256 is ${sha256}, not ${wish.stated}.`);
  }
  if (bytes.byteLength !== record.received) throw await refused(store, record, `A part of ${wish.title} that was kept is gone.`);
}

/** What is refused is not kept. */
async function refused(store, record, message) {
  await store.remove(record.id);
  return new DeliveryError(message, 'Nothing of it was kept. Tell whoever hosts it, or choose another reference.', 'refused');
}
