import { bytes as size, whole } from '../words.js';
import { element } from './dom.js';
import { Sheet } from './sheet.js';

/** How the page shows that nothing is sent: what keeps it from sending, and a list of what this tab has asked for. */
export class Requests {
  #root;
  #entries = [];
  #observer;
  #ready = null; // when the page said that it is ready, on the clock of the entries

  constructor(root, opener) {
    this.#root = root;
    // From the first one on. The browser's own list would end at some hundreds.
    this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
    this.#observer.observe({ type: 'resource', buffered: true });
    new Sheet(root, opener, () => this.#show());
  }

  update({ phase }) {
    if (this.#ready === null && phase === 'idle') this.#ready = performance.now();
    this.#root.querySelector('[data-field=ready]').hidden = this.#ready === null;
  }

  #take(entries) {
    this.#entries.push(...entries);
    if (this.#root.open && entries.length > 0) this.#show();
  }

  #show() {
    this.#entries.push(...this.#observer.takeRecords());
    const entries = this.#entries.filter(({ name }) => /^https?:/.test(name)).sort((a, b) => a.startTime - b.startTime);
    const since = this.#ready === null ? [] : entries.filter(({ startTime }) => startTime > this.#ready);
    const elsewhere = entries.filter(({ name }) => new URL(name).origin !== window.location.origin);
    this.#say('ready', sinceWords(since, this.#ready));
    this.#say('total', `Since it was loaded at ${clock(0)}, this tab has asked for ${whole(entries.length)} files, ${elsewhere.length === 0 ? 'none' : whole(elsewhere.length)} of them from other places than ${window.location.host}.`);
    this.#root.querySelector('tbody').replaceChildren(...entries.map((entry) => row(entry, this.#ready)).reverse());
  }

  #say(field, words) {
    this.#root.querySelector(`[data-field=${field}]`).textContent = words;
  }
}

function sinceWords(since, ready) {
  if (ready === null) return '';
  const begin = `Requests since the page said that it is ready, at ${clock(ready)}:`;
  if (since.length === 0) return `${begin} none.`;
  const by = (wanted) => since.filter((entry) => answeredBy(entry) === wanted).length;
  const [kept, unknown] = [by(BROWSER), by(WORKER)];
  const parts = [kept > 0 && `${whole(kept)} of the page’s own files came out of this browser`, unknown > 0 && `${whole(unknown)} were answered by the service worker`].filter(Boolean);
  const sent = since.length - kept - unknown;
  return `${begin} ${sent === 0 ? 'none to a server' : `${whole(sent)} to a server`}${parts.map((part) => `; ${part}`).join('')}.`;
}

const BROWSER = 'this browser';
const WORKER = 'the service worker';
const SERVER = 'the server';

/**
 * Where an answer came from. A service worker answers out of its store or passes on what a server says; browsers that do not
 * tell which (`deliveryType`) only let one say that it was the service worker. Without one, no bytes moved means the cache.
 */
function answeredBy({ name, transferSize, workerStart, deliveryType }) {
  const { origin, host } = new URL(name);
  if (origin !== window.location.origin) return host;
  if (workerStart > 0) {
    if (deliveryType === undefined) return WORKER;
    // Chromium says “cache”, and no bytes, of what its service worker has passed on.
    return deliveryType === 'cache-storage' ? BROWSER : SERVER;
  }
  return transferSize === 0 ? BROWSER : SERVER;
}

function row(entry, ready) {
  const { name, startTime, transferSize } = entry;
  const url = new URL(name);
  const from = answeredBy(entry);
  return element('tr', { 'data-since': ready !== null && startTime > ready },
    element('td', {}, clock(startTime)),
    element('td', {}, url.origin === window.location.origin ? url.pathname + url.search : name),
    element('td', {}, from === SERVER && transferSize > 0 ? `${from}, ${size(transferSize)}` : from));
}

function clock(time) {
  return new Date(performance.timeOrigin + time).toLocaleTimeString('en-GB');
}
