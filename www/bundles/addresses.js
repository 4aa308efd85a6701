// Addresses that a person has added. They are remembered with what was found there, and listed the next time without a request.

const KEY = `sextant.addresses ${new URL('./', document.baseURI).pathname}`;
const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
const FIELDS = ['address', 'title', 'bytes', 'sha256', 'species', 'tissue', 'cells', 'levels'];

/** `{ address, origin }` of what was typed, or `{ problem }`, a sentence (empty where nothing was typed). */
export function readAddress(text) {
  const typed = text.trim();
  if (typed === '') return { problem: '' };
  if (!URL.canParse(typed)) return { problem: 'An address begins with https:// and names a file.' };
  const url = new URL(typed);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOCAL.includes(url.hostname))) {
    return { problem: `${url.protocol}// is not fetched from: the address has to begin with https://, or name this computer (http://localhost).` };
  }
  if (url.username || url.password) return { problem: 'The address holds a name or a password, which is not sent. Leave it out, or download the file yourself and open it from disk.' };
  url.hash = '';
  return { address: url.href, origin: url.origin };
}

/** The line of the list for an address; what is known of the bundle comes with `known`. */
export function entryOf(address, known = {}) {
  const file = decodeURIComponent(new URL(address).pathname.split('/').pop() || address);
  return { title: file.replace(/(\.sextant)?\.zip$/i, ''), levels: [], ...known, name: `address:${address}`, address, own: true };
}

export class Addresses {
  #entries = read() ?? [];

  get entries() {
    return this.#entries;
  }

  remember(entry) {
    this.#write([...this.#others(entry.address), entry]);
  }

  forget(address) {
    this.#write(this.#others(address));
  }

  /** What is remembered now, by this tab or another, but for one address. Where nothing can be remembered, what this tab knows. */
  #others(address) {
    const now = (read() ?? this.#entries).map((entry) => this.#entries.find((mine) => mine.address === entry.address) ?? entry);
    return now.filter((entry) => entry.address !== address);
  }

  #write(entries) {
    this.#entries = entries;
    try {
      localStorage.setItem(KEY, JSON.stringify(entries.map((entry) => Object.fromEntries(FIELDS.map((field) => [field, entry[field]])))));
    } catch {
      // They are listed until the tab is closed.
    }
  }
}

/** The entries that were remembered; null where the browser forbids it, or where something else wrote there. */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return kept.filter(({ address }) => readAddress(address).address === address).map((known) => entryOf(known.address, known));
  } catch {
    return null;
  }
}
