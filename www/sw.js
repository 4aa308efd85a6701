// The service worker: isolation headers and the content security policy on every response, and the
// whole release kept for use without a network. A classic script, since Firefox took modules late.
// The build writes the release's hash over the token, so that each release is a new worker.

const RELEASE = '__RELEASE__';
const SCOPE = self.registration.scope;
// Several copies of Sextant may share one origin under different paths: each keeps to its own caches.
const PREFIX = `sextant ${new URL(SCOPE).pathname} `;
const CACHE = PREFIX + RELEASE;
const DOWNLOADS_AT_ONCE = 4;
// A tab that gives no answer in this time counts as one with a file open.
const ANSWER_MS = 2000;
// Browsers end a worker that is at one task for five minutes: before that, the page asks for the rest with a new message.
const ONE_STRETCH_MS = 4 * 60 * 1000;
// A page that takes no more bytes for so long is gone.
const TAKING_MS = 60 * 1000;

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; img-src 'self' data: blob:; style-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'";
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};
// Plain servers often do not know these, and the browser insists on two of them.
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
};

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  // Requests to other places are the policy's to refuse; answering them here would only hide them.
  if (!url.href.startsWith(SCOPE)) return;
  if (event.request.cache === 'only-if-cached' && event.request.mode !== 'same-origin') return;
  event.respondWith(respond(event.request, url));
});
self.addEventListener('message', (event) => {
  if (event.data?.type === 'activate') event.waitUntil(activateWhenAlone(event));
  if (event.data?.type === 'fetch-bundle') event.waitUntil(fetchBundle(event));
  if (event.data?.type === 'file-open') for (const stop of underWay) stop('file-opened');
});

/** Fetches every file of the release, checks its hash and keeps it. Unchanged files are taken from older caches. */
async function install() {
  try {
    const response = await fetch(new URL('release.json', SCOPE), { cache: 'no-store' });
    if (!response.ok) throw new Error(`release.json was answered with ${response.status}`);
    const text = await response.text();
    const { release, files } = JSON.parse(text);
    if (release !== RELEASE) throw new Error('the server is between two releases');
    const cache = await caches.open(CACHE);
    const kept = await keptFiles();
    // Listed first, so that an installation that was broken off goes on where it stopped.
    await cache.put(new URL('release.json', SCOPE), withHeaders('release.json', text));

    const total = files.reduce((sum, file) => sum + file.bytes, 0);
    let done = 0;
    const waiting = [...files];
    const work = async () => {
      for (let file = waiting.shift(); file; file = waiting.shift()) {
        const body = (await fromKept(kept, file)) ?? (await download(file));
        await cache.put(new URL(file.path, SCOPE), withHeaders(file.path, body));
        done += file.bytes;
        tell({ type: 'precache', done, total });
      }
    };
    await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, work));
  } catch (error) {
    tell({ type: 'precache-failed', message: error.message });
    throw error;
  }
}

/** Where each hash lies in the caches that are there already: sha256 -> { cache, path }. */
async function keptFiles() {
  const kept = new Map();
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    const cache = await caches.open(name);
    const listing = await cache.match(new URL('release.json', SCOPE));
    if (!listing) continue;
    for (const file of (await listing.json()).files) kept.set(file.sha256, { cache, path: file.path });
  }
  return kept;
}

async function fromKept(kept, file) {
  const place = kept.get(file.sha256);
  const response = place && (await place.cache.match(new URL(place.path, SCOPE)));
  if (!response) return null;
  const body = await response.arrayBuffer();
  return (await sha256(body)) === file.sha256 ? body : null;
}

/** A file as the server has it now. A copy of another release in the browser's own cache is passed over. */
async function download(file) {
  for (const cache of ['default', 'reload']) {
    const response = await fetch(new URL(file.path, SCOPE), { cache });
    if (!response.ok) throw new Error(`${file.path} was answered with ${response.status}`);
    const body = await response.arrayBuffer();
    if ((await sha256(body)) === file.sha256) return body;
  }
  throw new Error(`${file.path} is not the file that release.json lists`);
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function withHeaders(path, body) {
  const type = TYPES[path.split('.').pop()] ?? 'application/octet-stream';
  return new Response(body, { headers: { ...HEADERS, 'Content-Type': type } });
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

/** Takes over only from a single page: a second one may be in the middle of a mapping with the older release. */
async function activateWhenAlone(event) {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (pages.length > 1) event.ports[0]?.postMessage({ others: pages.length - 1 });
  else await self.skipWaiting();
}

async function respond(request, url) {
  const path = url.pathname === new URL(SCOPE).pathname ? 'index.html' : url.pathname.slice(new URL(SCOPE).pathname.length);
  const cache = await caches.open(CACHE);
  const cached = request.method === 'GET' && (await cache.match(new URL(path, SCOPE)));
  if (cached) return cached;
  const response = await fetch(request);
  if (response.type === 'opaque' || response.type === 'opaqueredirect' || response.type === 'error') return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const empty = [101, 204, 205, 304].includes(response.status);
  return new Response(empty ? null : response.body, { status: response.status, statusText: response.statusText, headers });
}

// Bundles from elsewhere. The page's policy says connect-src 'self', so no script of the page and none of its workers can ask
// another origin: their requests are refused by the browser, and the fetch event above answers none of them. What is fetched
// here is asked for by a message, which the page sends when a person clicks a button that names the origin. The policy that
// this worker gives the page does not bind its own requests. What does is the policy that comes with sw.js itself: none from
// a plain host, and from one that sends _headers the entry for /sw.js, whose connect-src names https and this machine. A host
// that sends the page's policy with sw.js too forbids these requests, which is told apart from a server that does not answer.
//
// Every request here is a GET without credentials, referrer or a body, of the address as it stands; the browser adds the
// page's origin, by which the other server decides whether a page may read it (CORS).

const underWay = new Set();
let forbidden = 0; // requests that a policy refused
self.addEventListener('securitypolicyviolation', () => { forbidden += 1; });

/** Answers on the event's port: head, bytes again and again, then end, pause (ask for the rest) or failed with a reason. */
async function fetchBundle(event) {
  const port = event.ports[0];
  const { address, from, validator } = event.data;
  const abort = new AbortController();
  const waits = { taken: () => {}, gone: () => {} };
  let reason = 'unreachable';
  const stop = (why) => {
    reason = why;
    abort.abort();
    waits.gone(why);
  };
  port.onmessage = ({ data }) => (data.type === 'next' ? waits.taken() : stop('stopped'));
  // From here on a file that is opened in any tab ends it, so none can slip in between the question and the request.
  underWay.add(stop);
  const before = forbidden;
  let pause;
  try {
    const refusal = event.source?.type !== 'window' ? 'address' : (unfit(address) ?? (await whoHasAFileOpen()));
    if (refusal) stop(refusal);
    const response = await fetch(address, request(address, from, validator, abort.signal));
    reason = 'broken';
    if (response.status === 206) pause = setTimeout(() => stop('pause'), ONE_STRETCH_MS);
    port.postMessage({ type: 'head', ...headOf(response) });
    if (response.ok) await passOn(response.body.getReader(), port, waits);
    port.postMessage({ type: 'end' });
  } catch {
    await new Promise((resolve) => setTimeout(resolve)); // The event that tells of the policy comes after the refusal.
    if (reason === 'unreachable' && forbidden > before) reason = 'policy';
    port.postMessage({ type: reason === 'pause' ? 'pause' : 'failed', reason });
  } finally {
    clearTimeout(pause);
    underWay.delete(stop);
    abort.abort();
  }
}

/** What keeps an address from being asked at all, or null. */
function unfit(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  const local = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const fit = url && (url.protocol === 'https:' || local || url.href.startsWith(SCOPE)) && !url.username && !url.password;
  return fit ? null : 'address';
}

/**
 * A range from the first byte on asks a server to say whether it can go on in the middle, and keeps it from compressing.
 * If-Range would have the browser ask other origins for leave first (OPTIONS), which file servers do not give: there the page
 * compares what the head says, and in the end the checksum.
 */
function request(address, from, validator, signal) {
  const headers = { Range: `bytes=${from}-` };
  if (validator && new URL(address).origin === self.location.origin) headers['If-Range'] = validator;
  return { method: 'GET', mode: 'cors', credentials: 'omit', referrerPolicy: 'no-referrer', redirect: 'follow', cache: 'no-store', headers, signal };
}

/** What of a response's head can be seen; other servers hide what they do not name in Access-Control-Expose-Headers. */
function headOf(response) {
  const read = (name) => response.headers.get(name);
  return { status: response.status, address: response.url, length: read('content-length'), range: read('content-range'), etag: read('etag'), modified: read('last-modified') };
}

/** Hands over one piece after the other, the next when the page has taken the last. */
async function passOn(reader, port, waits) {
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const bytes = read.value.slice().buffer;
    let patience;
    const taken = new Promise((resolve, reject) => {
      Object.assign(waits, { taken: resolve, gone: reject });
      patience = setTimeout(reject, TAKING_MS);
    });
    port.postMessage({ type: 'bytes', bytes }, [bytes]);
    await taken.finally(() => clearTimeout(patience));
  }
}

/** Asks every tab of this page; null where none has a file open. What was remembered would be lost when the worker sleeps. */
async function whoHasAFileOpen() {
  const pages = (await self.clients.matchAll({ type: 'window', includeUncontrolled: true })).filter(({ url }) => url.startsWith(SCOPE));
  const answers = await Promise.all(pages.map((page) => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data.open ? 'file-open' : null);
    setTimeout(() => resolve('no-answer'), ANSWER_MS);
    page.postMessage({ type: 'is-a-file-open' }, [port2]);
  })));
  return answers.find((answer) => answer === 'file-open') ?? answers.find(Boolean) ?? null;
}

async function tell(message) {
  for (const client of await self.clients.matchAll({ includeUncontrolled: true })) client.postMessage(message);
}
