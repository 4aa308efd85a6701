// The service worker: isolation headers and the content security policy on every response, and the
// whole release kept for use without a network. A classic script, since Firefox took modules late.
// The build writes the release's hash over the token, so that each release is a new worker.

const RELEASE = '__RELEASE__';
const SCOPE = self.registration.scope;
// Several copies of Sextant may share one origin under different paths: each keeps to its own caches.
const PREFIX = `sextant ${new URL(SCOPE).pathname} `;
const CACHE = PREFIX + RELEASE;
const DOWNLOADS_AT_ONCE = 4;

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

async function tell(message) {
  for (const client of await self.clients.matchAll({ includeUncontrolled: true })) client.postMessage(message);
}
