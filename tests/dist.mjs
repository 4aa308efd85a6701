// Checks dist/ as a static host would serve it: node tests/dist.mjs [FOLDER]
// What release.json and the catalogue promise, that both engines start, and that nothing ties it to a place.
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const dist = resolve(process.argv[2] ?? 'dist');
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
let passed = 0;
let failed = 0;

async function check(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}

function expect(condition, sentence) {
  if (!condition) throw new Error(sentence);
}

const read = (path) => readFile(join(dist, path));
const text = async (path) => (await read(path)).toString('utf8');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const all = (await readdir(dist, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join('/'))
  .sort();
// The helper of the thread pool expects the name that workers have for the global object.
globalThis.self ??= globalThis;
globalThis.addEventListener ??= () => {};
const release = JSON.parse(await text('release.json'));
const catalogue = JSON.parse(await text('references/catalogue.json'));

/** The engine of one build, started as the page starts it. */
async function start(build, options) {
  const folder = join(dist, 'engine', release.release, build);
  const glue = await import(pathToFileURL(join(folder, 'sextant.js')));
  const module = await WebAssembly.compile(await readFile(join(folder, 'sextant_bg.wasm')));
  await glue.default({ module_or_path: module, ...options });
  return { glue, module };
}

const sharesMemory = (module) => WebAssembly.Module.imports(module).some((entry) => entry.kind === 'memory');

await check('release.json lists every file but those that no cache may hold', () => {
  const listed = [...release.files.map((file) => file.path), '_headers', 'release.json', 'sw.js'].sort();
  expect(listed.join('\n') === all.join('\n'), `listed ${listed.join(' ')}, found ${all.join(' ')}`);
});

await check('every listed file has its size and SHA-256', async () => {
  expect(release.files.length > 5, `only ${release.files.length} files are listed`);
  for (const { path, bytes, sha256: hash } of release.files) {
    const content = await read(path);
    expect(content.length === bytes && sha256(content) === hash, `${path} is another file than listed`);
  }
});

await check('the service worker carries the release', async () => {
  const worker = await text('sw.js');
  expect(/^[0-9a-f]{16}$/.test(release.release), `the release is '${release.release}'`);
  expect(worker.includes(release.release) && !worker.includes('__RELEASE__'), 'sw.js was not given the release');
});

await check('the version is that of Cargo.toml', async () => {
  const version = /^version = "(.*)"/m.exec(await readFile(join(root, 'Cargo.toml'), 'utf8'))[1];
  expect(release.version === version, `release.json says ${release.version}, Cargo.toml ${version}`);
});

await check('the engine without threads starts and says so', async () => {
  const { glue, module } = await start('single', {});
  const info = glue.build_info();
  expect(info.threads === false && info.version === release.version, JSON.stringify(info));
  expect(!sharesMemory(module) && glue.initThreadPool === undefined, 'it was built with threads');
});

await check('the engine with threads starts in a shared memory of the listed size', async () => {
  // 1 GiB, the smallest maximum that the page asks for
  const memory = new WebAssembly.Memory({ initial: release.memory_pages, maximum: 16384, shared: true });
  const { glue, module } = await start('threads', { memory });
  const info = glue.build_info();
  expect(info.threads === true && info.version === release.version, JSON.stringify(info));
  expect(sharesMemory(module) && typeof glue.initThreadPool === 'function', 'it was built without threads');
});

await check('one page of memory less is too little for the engine with threads', async () => {
  const memory = new WebAssembly.Memory({ initial: release.memory_pages - 1, maximum: 16384, shared: true });
  const folder = join(dist, 'engine', release.release, 'threads');
  const module = await WebAssembly.compile(await readFile(join(folder, 'sextant_bg.wasm')));
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = kind === 'memory' ? memory : () => 0;
  }
  const error = await WebAssembly.instantiate(module, imports).then(() => null, (reason) => reason);
  expect(/memory/.test(String(error)), `it was instantiated, or failed otherwise: ${error}`);
});

await check('the table of gene names is there as its entry says', async () => {
  const entry = JSON.parse(await text('references/genes.json'));
  const kept = release.files.find((file) => file.path === entry.path);
  expect(kept, `${entry.path} is not in release.json`);
  expect(kept.sha256 === entry.sha256 && kept.bytes === entry.bytes, `${entry.path} is another than genes.json says`);
  expect(entry.sources.length > 0 && entry.version, 'genes.json names no version or no sources');
});

await check('the catalogue names bundles and demos that are there', async () => {
  for (const entry of catalogue) {
    for (const key of ['name', 'title', 'license', 'citation', 'species', 'tissue', 'cells', 'levels']) expect(entry[key], `${entry.name} has no ${key}`);
    for (const file of [{ ...entry, path: entry.bundle }, ...(entry.demo ? [entry.demo] : [])]) {
      const content = await read(file.path);
      expect(content.length === file.bytes && sha256(content) === file.sha256, `${file.path} is another file than listed`);
    }
  }
  const names = (await readdir(join(root, 'references'), { recursive: true })).filter((path) => /^[^/\\]+[/\\]reference\.toml$/.test(path));
  const own = catalogue.filter(({ name }) => !name.startsWith('azimuth-'));
  expect(own.length === names.length, `${own.length} references in the catalogue, ${names.length} in references/`);
});

await check('each reference that Azimuth publishes is in the catalogue or has its address in published.json', async () => {
  const listing = JSON.parse(await text('references/published.json'));
  for (const entry of listing) {
    for (const key of ['name', 'title', 'address', 'source', 'citation']) expect(entry[key], `${entry.name} has no ${key}`);
    expect(new URL(entry.address).protocol === 'https:', `${entry.address} is not asked for in a safe way`);
  }
  const found = [...catalogue, ...listing].map(({ name }) => name).filter((name) => name.startsWith('azimuth-')).sort();
  const described = (await readdir(join(root, 'references/azimuth'))).filter((name) => name.endsWith('.toml')).map((name) => `azimuth-${name.replace('.toml', '')}`).sort();
  expect(described.length > 0 && found.join(' ') === described.join(' '), `found ${found.join(' ')}, described ${described.join(' ')}`);
  expect(release.files.some(({ path }) => path === 'references/published.json'), 'published.json is not stored with the page');
});

await check('the table of gene names is the one that its entry describes', async () => {
  if (!all.includes('references/genes.json')) return;
  const entry = JSON.parse(await text('references/genes.json'));
  const content = await read(entry.path);
  expect(content.length === entry.bytes && sha256(content) === entry.sha256, `${entry.path} is another file than listed`);
});

await check('addresses are relative, so any sub-path serves it', async () => {
  for (const path of all.filter((name) => /\.(html|js|css|webmanifest)$/.test(name))) {
    const content = await text(path);
    const found = /(?:src|href)=["']\/|url\(["']?\/|(?:from|import)\s*\(?["']\/|"(?:start_url|scope|src)":\s*"\//.exec(content);
    expect(!found, `${path} contains ${found}`);
  }
});

// Ways out that a content security policy does not bind, or that the page has no use for.
const WAYS_OUT = [
  ['WebRTC', /\bRTC(?:PeerConnection|DataChannel|SessionDescription|IceCandidate)\b|\bwebkitRTC/],
  ['sendBeacon', /\bsendBeacon\b/],
  ['WebSocket', /\bWebSocket(?:Stream)?\b/],
  ['WebTransport', /\bWebTransport\b/],
  ['EventSource', /\bEventSource\b/],
  ['XMLHttpRequest', /\bXMLHttpRequest\b/],
  ['a new window', /\b(?:window|self|globalThis|top|parent)\s*\.\s*open\b|\bopenWindow\b|(?<![\w.#])open\(\s*[^)\s](?![^)]*\)\s*\{)/], // with an address, and not where a method of that name begins
  ['another address of the tab', /\blocation\s*(?:\.\s*(?:href|host|hostname|port|protocol|pathname|search))?\s*=(?!=)|\blocation\s*\.\s*(?:assign|replace)\b/],
  ['another address of the tab, by its name', /\blocation\s*\[|\bnavigation\s*\.\s*navigate\b/],
];
const waysOut = (source) => WAYS_OUT.filter(([, pattern]) => pattern.test(source)).map(([name]) => name);

await check('no script has a way out that the policy does not bind', async () => {
  const scripts = all.filter((name) => /\.m?js$/.test(name));
  expect(scripts.length > 40 && scripts.some((name) => name.startsWith('engine/')), `only ${scripts.length} scripts were found`);
  for (const path of scripts) {
    const found = waysOut(await text(path));
    expect(found.length === 0, `${path} has ${found.join(', ')}`);
  }
  const markup = await text('index.html');
  expect(!/<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|javascript:|http-equiv=["']?refresh/i.test(markup), 'index.html has a script of its own, or leads away by itself');
});

await check('control: each of these ways out would be found', () => {
  const examples = ['new RTCPeerConnection()', 'navigator.sendBeacon(a, b)', 'new WebSocket(a)', 'new WebTransport(a)', 'new EventSource(a)', 'new XMLHttpRequest()',
    'window.open(a)', 'open(a)', 'clients.openWindow(a)', 'location = a', 'location.href = a', 'window.location.href=a', 'document.location.assign(a)', 'location.replace(a)', "location['href'] = a", 'navigation.navigate(a)'];
  for (const example of examples) expect(waysOut(`${example};`).length > 0, `'${example}' was not found`);
  for (const harmless of ['window.location.reload()', 'location.href === a', 'session.open(files)', 'async open(files, title) {', 'caches.open(name)', 'this.#store.open()', 'const at = window.location.pathname']) expect(waysOut(harmless).length === 0, `'${harmless}' was found: ${waysOut(harmless)}`);
});

await check('nothing tells where it was built', async () => {
  for (const path of all) {
    const content = await read(path);
    for (const place of [root, homedir()].filter((name) => name.length > 2)) {
      // The content of the references is not ours to judge, and compressed.
      if (!path.startsWith('references/')) expect(!content.includes(`${place}/`), `${path} contains ${place}`);
    }
  }
});

console.log(`dist: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
