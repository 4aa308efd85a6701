// A plain static server under a sub-path: no special headers, every request in a log. And a proxy that
// catches whatever the browser asks of the rest of the world.

import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

export const SUBPATH = '/lab/sextant/';
// What any plain server knows; .wasm and .webmanifest are left out on purpose.
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml' };

/** Serves a folder; `root` may be changed while it runs, as a deployment does. */
export class StaticServer {
  root;
  log = [];
  /** Headers that a better host would send. */
  headers = {};
  #server = null;
  #port = 0;

  constructor(root) {
    this.root = root;
  }

  get address() {
    return `http://127.0.0.1:${this.#port}${SUBPATH}`;
  }

  async start() {
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = this.#server.address().port;
    return this;
  }

  /** Stops at once, open connections included; `start` takes the same port again. */
  async stop() {
    if (!this.#server) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    this.#server = null;
  }

  async #answer(request, response) {
    const url = new URL(request.url, 'http://server');
    this.log.push({ method: request.method, path: url.pathname, search: url.search, destination: request.headers['sec-fetch-dest'] ?? '', time: Date.now() });
    const name = url.pathname === SUBPATH ? 'index.html' : decodeURIComponent(url.pathname.slice(SUBPATH.length));
    const file = path.join(this.root, name);
    if (!url.pathname.startsWith(SUBPATH) || !file.startsWith(this.root)) {
      response.writeHead(404).end('not here');
      return;
    }
    try {
      const bytes = await readFile(file);
      response.writeHead(200, { 'Content-Type': TYPES[path.extname(name)] ?? 'application/octet-stream', 'Content-Length': bytes.length, ...this.headers });
      response.end(bytes);
    } catch {
      response.writeHead(404).end('not here');
    }
  }
}

/** Answers every request for another host with a small text, and remembers it. */
export class CatchAllProxy {
  log = [];
  #server = null;

  get address() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  async start() {
    this.#server = http.createServer((request, response) => {
      this.log.push({ method: request.method, url: request.url, time: Date.now() });
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Access-Control-Allow-Origin': '*' }).end('caught');
    });
    this.#server.on('connect', (request, socket) => {
      this.log.push({ method: 'CONNECT', url: request.url, time: Date.now() });
      socket.on('error', () => {});
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
