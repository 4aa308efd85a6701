// Who asks a server for a bundle: the service worker wherever one serves the page, since only that may ask another origin
// and only that can ask every tab whether a file is open (see sw.js). Without one, the page itself asks its own server.

// The worker sends something at least as often as bytes come. One that the browser has ended says nothing any more.
const SILENCE_MS = 60 * 1000;

/** An error with what to do about it. */
export class DeliveryError extends Error {
  constructor(message, next, kind = 'delivery') {
    super(message);
    this.next = next;
    this.kind = kind;
  }
}

export const originOf = (address) => new URL(address).origin;
const isElsewhere = (address) => originOf(address) !== window.location.origin;

/** Answers the worker's question whether this tab has a file open. */
export function answerWhetherOpen(isOpen) {
  navigator.serviceWorker?.addEventListener('message', ({ data, ports }) => {
    if (data?.type === 'is-a-file-open') ports[0].postMessage({ open: isOpen() });
  });
  navigator.serviceWorker?.startMessages();
}

/** Tells the worker that a file is being opened here: what it fetches for other tabs ends. */
export function tellOpen() {
  navigator.serviceWorker?.controller?.postMessage({ type: 'file-open' });
}

/**
 * Asks for a bundle from a byte on: yields `{ type: 'head', status, … }`, then `{ type: 'bytes', bytes }` again and again, then
 * `{ type: 'end' }`, or `{ type: 'pause' }` where the rest is to be asked for anew.
 *
 * @throws {DeliveryError} a sentence for the person who asked
 */
export async function* ask({ address, from, validator }, signal) {
  const worker = navigator.serviceWorker?.controller;
  if (worker) yield* throughWorker(worker, { address, from, validator }, signal);
  else if (isElsewhere(address)) throw new DeliveryError(`No service worker serves this page, and only that may ask ${originOf(address)} for a file.`, `Reload the page; in a private window it may not help. Or ${byHand(address)}`);
  else yield* directly({ address, from, validator }, signal);
}

const byHand = (address) => `download ${address} yourself and open it from disk.`;

async function* throughWorker(worker, wish, signal) {
  const { port1: port, port2 } = new MessageChannel();
  const inbox = [];
  let wake = () => {};
  const receive = (said) => {
    inbox.push(said);
    wake();
  };
  const stop = () => receive({ type: 'failed', reason: 'stopped' });
  port.onmessage = ({ data }) => receive(data);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  else worker.postMessage({ type: 'fetch-bundle', ...wish }, [port2]);
  try {
    for (;;) {
      if (inbox.length === 0) {
        const patience = setTimeout(receive, SILENCE_MS, { type: 'failed', reason: 'broken' });
        await new Promise((resolve) => { wake = resolve; });
        clearTimeout(patience);
      }
      const said = inbox.shift();
      if (said.type === 'failed') throw failure(said.reason, wish);
      yield said;
      if (said.type === 'end' || said.type === 'pause') return;
      if (said.type === 'bytes') port.postMessage({ type: 'next' });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    port.postMessage({ type: 'stop' });
    port.close();
  }
}

async function* directly({ address, from, validator }, signal) {
  let begun = false;
  try {
    const headers = { Range: `bytes=${from}-`, ...(validator && { 'If-Range': validator }) };
    const response = await fetch(address, { headers, cache: 'no-store', credentials: 'omit', signal });
    const read = (name) => response.headers.get(name);
    begun = true;
    yield { type: 'head', status: response.status, address: response.url, length: read('content-length'), range: read('content-range'), etag: read('etag'), modified: read('last-modified') };
    const reader = response.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield { type: 'bytes', bytes: piece.value };
    yield { type: 'end' };
  } catch (error) {
    if (error instanceof DeliveryError) throw error;
    throw failure(signal.aborted ? 'stopped' : begun ? 'broken' : 'unreachable', { address });
  }
}

/** What a reason of the worker's means, and what can be done. */
function failure(reason, { address }) {
  const origin = originOf(address);
  const reload = 'Close the file first: reload the page in the tab that has it open, and fetch the reference before a file is chosen.';
  const known = {
    stopped: ['Stopped.', '', 'cancelled'],
    broken: [`The connection to ${origin} broke off.`, 'What arrived is kept. Choose the reference again: its button says where it goes on.'],
    'file-open': ['A file is open in a tab of Sextant, and no server is asked for anything meanwhile.', reload],
    'file-opened': ['A file was opened in a tab of Sextant, so the download was stopped: no server is asked for anything while one is open.', `What arrived is kept. ${reload}`],
    'no-answer': ['Another tab of Sextant does not say whether a file is open in it, which counts as if one were.', 'Close the other tabs of Sextant, or reload them, and try again.'],
    address: [`${address} is no address that is fetched from.`, 'Give one that begins with https:// and holds no name or password.'],
    policy: [`The host of this page forbids its service worker to ask ${origin}: the Content-Security-Policy that it sends with sw.js has no connect-src for it.`, `Tell whoever runs this page; dist/_headers has the line. Until then, ${byHand(address)}`],
    unreachable: isElsewhere(address)
      ? [`${origin} could not be reached, or does not let other pages read its files (it would have to send Access-Control-Allow-Origin).`, `Check the connection. If it is the server’s choice, ${byHand(address)}`]
      : [`${origin} could not be reached.`, 'Check the connection and choose the reference again.'],
  };
  return new DeliveryError(...(known[reason] ?? known.unreachable));
}
