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
  const sent = since.filter((entry) => !isKept(entry));
  const begin = `Requests since the page said that it is ready, at ${clock(ready)}:`;
  if (since.length === 0) return `${begin} none.`;
  if (sent.length === 0) return `${begin} none to a server. ${whole(since.length)} of the page’s own files came out of this browser.`;
  return `${begin} ${whole(sent.length)}, listed first below.`;
}

/** Whether an answer came out of this browser: of its store by the service worker, or of its cache. Sizes of other places are not told. */
function isKept({ name, transferSize, workerStart }) {
  return new URL(name).origin === window.location.origin && transferSize === 0 && (workerStart > 0 || navigator.serviceWorker?.controller !== null);
}

function row(entry, ready) {
  const { name, startTime, transferSize } = entry;
  const url = new URL(name);
  const own = url.origin === window.location.origin;
  const from = isKept(entry) ? 'this browser' : own ? `the server, ${size(transferSize)}` : url.host;
  return element('tr', { 'data-since': ready !== null && startTime > ready },
    element('td', {}, clock(startTime)),
    element('td', {}, own ? url.pathname + url.search : name),
    element('td', {}, from));
}

function clock(time) {
  return new Date(performance.timeOrigin + time).toLocaleTimeString('en-GB');
}
