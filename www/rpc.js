// One worker that computes and another that stands by. A call is a promise; to cancel is to end the worker.

/** An error of the engine. `kind`: input, memory, reference, mapping, usage, trap, cancelled or internal. */
export class EngineError extends Error {
  constructor({ kind, message }) {
    super(message);
    this.name = 'EngineError';
    this.kind = kind;
  }
}

export class Rpc {
  #address;
  #spares;
  #refill;
  #current = null;
  #standby = [];
  #pending = new Map();
  #lastId = 0;

  /**
   * @param {string[]} scripts addresses of the modules that a worker imports at its start: the first answers
   *   the calls, the others are there so that nothing has to be asked for when a spare worker is taken
   * @param {{ refill: boolean }} options with `refill`, a spare worker is started as soon as one is taken.
   *   Where no service worker answers for the scripts that would be a request, so two spares are made at the start instead.
   */
  constructor(scripts, { refill }) {
    const imports = scripts.map((script) => `import ${JSON.stringify(new URL(script, document.baseURI).href)};`);
    this.#address = URL.createObjectURL(new Blob([imports.join('\n')], { type: 'text/javascript' }));
    this.#refill = refill;
    this.#spares = refill ? 1 : 2;
  }

  /** Starts the worker and its spares; resolves when all of them have loaded their script. */
  async start() {
    this.#current = this.#spawn();
    while (this.#standby.length < this.#spares) this.#standby.push(this.#spawn());
    await Promise.all([this.#current, ...this.#standby].map(({ ready }) => ready));
  }

  /** Calls an action of the worker. `onProgress` receives what the action reports. */
  async call(action, args = {}, onProgress = () => {}) {
    const place = this.#current;
    await place.ready;
    return new Promise((resolve, reject) => {
      if (place !== this.#current) {
        reject(cancelled());
        return;
      }
      const id = (this.#lastId += 1);
      this.#pending.set(id, { resolve, reject, onProgress });
      place.worker.postMessage({ id, action, args });
    });
  }

  /** Ends the worker in the middle of whatever it does; its calls are rejected and a spare takes its place. */
  replace(reason = cancelled()) {
    this.#current.worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#current = this.#standby.shift() ?? this.#spawn();
    if (this.#refill) this.#standby.push(this.#spawn());
  }

  #spawn() {
    const worker = new Worker(this.#address, { type: 'module', name: 'sextant' });
    const place = { worker };
    place.ready = new Promise((resolve, reject) => {
      worker.addEventListener('message', ({ data }) => {
        if (data.ready) resolve();
        else if (place === this.#current) this.#receive(data);
      });
      worker.addEventListener('error', (event) => {
        const error = new EngineError({ kind: 'trap', message: event.message || 'the worker could not be loaded' });
        reject(error);
        if (place === this.#current) this.#fail(error);
      });
    });
    place.ready.catch(() => {}); // A spare that failed is reported when it is called.
    return place;
  }

  #receive({ id, progress, value, error }) {
    const call = this.#pending.get(id);
    if (!call) return;
    if (progress) {
      call.onProgress(progress);
      return;
    }
    this.#pending.delete(id);
    if (error) call.reject(new EngineError(error));
    else call.resolve(value);
  }

  #fail(error) {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function cancelled() {
  return new EngineError({ kind: 'cancelled', message: 'Cancelled.' });
}
