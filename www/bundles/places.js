// Where bytes are kept, piece by piece under a name: in files of the browser's own (OPFS), else in its Cache API, else in
// the memory of this tab. Several copies of Sextant may share one origin under different paths: each keeps to its own.

const HOME = new URL('./', document.baseURI);
// Not the service worker's prefix: a new release deletes the caches that begin with that.
const NAME = `sextant-bundles ${HOME.pathname}`;

/** The first of the three that works here: `{ kind, write(name, blob), read(name), remove(name), names() }`. */
export async function openPlace() {
  for (const open of [Files.open, Cached.open]) {
    try {
      const place = await open();
      // Private windows and older browsers refuse in ways of their own, some only when something is written.
      await place.write('probe', new Blob(['probe']));
      const works = (await place.read('probe'))?.size === 5;
      await place.remove('probe');
      if (works) return place;
    } catch {
      // Not here.
    }
  }
  return new Memory();
}

class Files {
  kind = 'files';
  #folder;

  static async open() {
    const root = await navigator.storage.getDirectory();
    const place = new Files();
    place.#folder = await root.getDirectoryHandle(encodeURIComponent(NAME), { create: true });
    return place;
  }

  /** A file is there whole or not at all: what is written appears when it is closed. */
  async write(name, blob) {
    const file = await this.#folder.getFileHandle(name, { create: true });
    const stream = await file.createWritable();
    try {
      await stream.write(blob);
      await stream.close();
    } catch (error) {
      await stream.abort().catch(() => {});
      throw error;
    }
  }

  async read(name) {
    try {
      return await (await this.#folder.getFileHandle(name)).getFile();
    } catch (error) {
      if (error.name === 'NotFoundError') return null;
      throw error;
    }
  }

  async remove(name) {
    try {
      await this.#folder.removeEntry(name);
    } catch (error) {
      if (error.name !== 'NotFoundError') throw error;
    }
  }

  async names() {
    const names = [];
    for await (const name of this.#folder.keys()) names.push(name);
    return names;
  }
}

class Cached {
  kind = 'cache';
  #cache;
  #folder = new URL('kept/', HOME); // Nothing is there: the cache wants addresses for names.

  static async open() {
    const place = new Cached();
    place.#cache = await caches.open(NAME);
    return place;
  }

  write = (name, blob) => this.#cache.put(new URL(name, this.#folder), new Response(blob));
  read = async (name) => (await this.#cache.match(new URL(name, this.#folder)))?.blob() ?? null;
  remove = (name) => this.#cache.delete(new URL(name, this.#folder));
  names = async () => (await this.#cache.keys()).map(({ url }) => url.split('/').pop());
}

export class Memory {
  kind = 'memory';
  #pieces = new Map();

  write = async (name, blob) => { this.#pieces.set(name, blob); };
  read = async (name) => this.#pieces.get(name) ?? null;
  remove = async (name) => { this.#pieces.delete(name); };
  names = async () => [...this.#pieces.keys()];
}
