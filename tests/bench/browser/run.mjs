// Times Sextant or scran.js in headless Chromium, in a worker, on a file from the disk.
//
//     npm install                                          (once, in this folder)
//     node run.mjs sextant QUERY.h5 --dist DIST --reference BUNDLE [--batch CELLS] [--threads 2] [--runs 3]
//     node run.mjs scran   QUERY.h5 [--threads 2] [--runs 3]
//
// Each run is a new browser. Prints every stage of every run in seconds, the largest resident size of the tab's process as
// Linux tells it, and at the end the fastest of each.
// scran.js only reads: file, counts and gene names, as its application kana does. Sextant reads and maps.
import http from 'node:http';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
// scran.js names another package as only a bundler can find it.
const IMPORTS = [[/from (["'])wasmarrays\.js\1/g, 'from "/node_modules/wasmarrays.js/src/index.js"']];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dist: { type: 'string' },
    reference: { type: 'string' },
    batch: { type: 'string', default: '0' },
    threads: { type: 'string', default: '2' },
    runs: { type: 'string', default: '3' },
  },
});
const [tool, query] = positionals;
if (!['sextant', 'scran'].includes(tool) || !query || (tool === 'sextant' && !(values.dist && values.reference))) {
  console.error('Usage: node run.mjs sextant QUERY.h5 --dist DIST --reference BUNDLE [--batch CELLS] [--threads N] [--runs N]\n       node run.mjs scran QUERY.h5 [--threads N] [--runs N]');
  process.exit(2);
}

/** The pages of this folder, its packages, and under the root whatever `dist` holds; isolated, so that threads may start. */
function fileOf(name) {
  if (name === '/reference') return path.resolve(values.reference);
  if (name.startsWith('/bench/')) return path.join(HERE, name.slice('/bench'.length));
  if (name.startsWith('/node_modules/')) return path.join(HERE, name);
  if (['/sextant.html', '/scran.html'].includes(name)) return path.join(HERE, name);
  return path.join(path.resolve(values.dist ?? HERE), name);
}

async function answer(request, response) {
  const file = fileOf(decodeURIComponent(new URL(request.url, 'http://bench').pathname));
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cache-Control': 'no-store',
    'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream',
  };
  try {
    let bytes = await readFile(file);
    if (file.includes('scran.js') && file.endsWith('.js')) {
      bytes = IMPORTS.reduce((text, [from, to]) => text.replaceAll(from, to), bytes.toString());
    }
    response.writeHead(200, headers).end(bytes);
  } catch {
    response.writeHead(404, headers).end('not here');
  }
}

/** The largest resident size so far of any page process, in MB. */
async function peakOfTabs() {
  const peaks = [0];
  for (const process of await readdir('/proc')) {
    try {
      if (!(await readFile(`/proc/${process}/cmdline`, 'utf8')).includes('--type=renderer')) continue;
      peaks.push(Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${process}/status`, 'utf8'))[1]) / 1e3);
    } catch {
      // It ended meanwhile, or is no process.
    }
  }
  return Math.max(...peaks);
}

async function once(address) {
  const browser = await chromium.launch({ executablePath: process.env.SEXTANT_CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    await page.goto(`${address}/${tool}.html`);
    await page.waitForFunction('window.bench');
    await page.setInputFiles('#file', path.resolve(query));
    const outcome = await page.evaluate(([threads, batch]) => window.bench(threads, batch), [Number(values.threads), Number(values.batch)]);
    return { ...outcome, browser: browser.version(), peak: await peakOfTabs() };
  } finally {
    await browser.close();
  }
}

function print(title, stages) {
  console.log(`\n${title}`);
  for (const [stage, seconds] of stages) console.log(`  ${seconds.toFixed(3).padStart(8)} s  ${stage}`);
}

const server = http.createServer(answer);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}`;
const fastest = new Map();
try {
  const size = (await stat(query)).size / 1e6;
  for (let run = 1; run <= Number(values.runs); run += 1) {
    const { stages, about, browser, peak } = await once(address);
    if (run === 1) console.log(`${tool} on ${path.basename(query)} (${size.toFixed(1)} MB), ${values.threads} threads, Chromium ${browser}: ${about}`);
    print(`run ${run}; the tab took at most ${peak.toFixed(0)} MB`, stages);
    for (const [stage, seconds] of stages) fastest.set(stage, Math.min(seconds, fastest.get(stage) ?? Infinity));
  }
  print('fastest of each', [...fastest]);
} finally {
  server.close();
  server.closeAllConnections();
}
