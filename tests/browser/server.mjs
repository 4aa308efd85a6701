// A plain static server under a sub-path: no special headers, every request in a log. A second one, which is another origin
// and behaves as it is told. And a proxy that catches whatever the browser asks of the rest of the world.

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
  /** Headers that a better host would send with a file. */
  headers = () => ({});
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
      response.writeHead(200, { 'Content-Type': TYPES[path.extname(name)] ?? 'application/octet-stream', 'Content-Length': bytes.length, ...this.headers(name) });
      response.end(bytes);
    } catch {
      response.writeHead(404).end('not here');
    }
  }
}

/** Another origin: files by name, and ways in which a server may answer. Every request is logged with its headers. */
export class OtherServer {
  log = [];
  files = {};
  /** Whether other pages may read what it sends. */
  shares = true;
  /** Whether it sends files from the middle on. */
  ranges = true;
  /** After how many bytes of an answer the next connection breaks; once. */
  breaksAfter = null;
  /** Milliseconds between two pieces of 64 KiB. */
  pause = 0;
  tag = '"1"';
  /** Names that it sends on to: { name: address }. */
  redirects = {};
  #server = null;
  #port = 0;

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start() {
    this.#server = http.createServer((request, response) => this.#answer(request, response).catch(() => response.destroy()));
    await new Promise((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = this.#server.address().port;
    return this;
  }

  async stop() {
    if (!this.#server) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    this.#server = null;
  }

  async #answer(request, response) {
    const entry = { method: request.method, url: request.url, headers: request.headers, sent: 0, status: 0 };
    this.log.push(entry);
    const name = decodeURIComponent(request.url.slice(1).split('?')[0]);
    const bytes = this.files[name];
    const headers = this.shares ? { 'Access-Control-Allow-Origin': '*' } : {};
    const answer = (status, more = {}) => response.writeHead(entry.status = status, { ...headers, ...more });
    if (this.redirects[name]) return answer(302, { Location: this.redirects[name] }).end();
    if (!bytes) return answer(404).end('not here');
    const from = this.ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? NaN) : NaN;
    if (from >= bytes.length) return answer(416).end();
    const rest = bytes.subarray(from || 0);
    const about = { 'Content-Type': 'application/zip', 'Content-Length': rest.length, ETag: this.tag, 'Access-Control-Expose-Headers': 'ETag' };
    answer(Number.isNaN(from) ? 200 : 206, Number.isNaN(from) ? about : { ...about, 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    const until = this.breaksAfter ?? Infinity;
    this.breaksAfter = null;
    for (let at = 0; at < rest.length; at += 65536) {
      const piece = rest.subarray(at, Math.min(at + 65536, until));
      await new Promise((resolve) => { response.write(piece, resolve); });
      entry.sent += piece.length;
      if (at + 65536 >= until) {
        await new Promise((resolve) => { setTimeout(resolve, 200); }); // What was sent arrives before the connection ends.
        return response.destroy();
      }
      if (this.pause) await new Promise((resolve) => { setTimeout(resolve, this.pause); });
      if (response.destroyed) return undefined;
    }
    return response.end();
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
