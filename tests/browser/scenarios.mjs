// What the page promises, scenario by scenario. Each starts with a fresh browser, server and proxy.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accessibility, preferences } from './accessibility.mjs';
import { builder } from './builder.mjs';
import { cancels } from './cancels.mjs';
import { clusters } from './clusters.mjs';
import { controls } from './controls.mjs';
import { deliveries } from './delivery.mjs';
import { explorer, likeness } from './explorer.mjs';
import { formats } from './formats.mjs';
import { address, addressWithData, keys, requestLog } from './habits.mjs';
import { largeReference } from './large_reference.mjs';
import { leaks } from './leaks.mjs';
import { metadata } from './metadata.mjs';
import { proteins } from './proteins.mjs';
import { QUIET_MS, quietFrom } from './quiet.mjs';
import { referenceBesideThePage, references } from './references.mjs';
import { referenceFromDisk } from './reference_from_disk.mjs';
import { editedRelease, hostHeaders } from './releases.mjs';
import { selection } from './selection.mjs';
import { SextantPage } from './sextant_page.mjs';
import { SUBPATH } from './server.mjs';
import { summary } from './summary.mjs';
import { keyboard, views } from './views.mjs';

async function exportEquals({ checks, expected }, page, statement) {
  const { name, bytes } = await page.download();
  checks.equal('the download is called', name, 'predictions.tsv');
  checks.sameBytes(statement, bytes, expected);
}

async function firstVisit(tools) {
  const { checks, server, context, release } = tools;
  const page = await SextantPage.open(context, server.address);
  const { text } = await page.until('idle');
  checks.equal('it loads, and reloads once', page.loads, 2);
  checks.equal('only the first document comes from the server', server.log.filter(({ path: at }) => at === SUBPATH).length, 1);
  checks.that('the status says in words what to do', /choose a file|demo/i.test(text), text);
  const quiet = quietFrom(tools);
  const build = await page.build();
  checks.that('the page is isolated', build.isolated);
  checks.equal('the threaded build runs', build.build, 'threads');
  checks.that('the foot of the page says on how many threads', /threaded.* \d+ thread/i.test(build.text), build.text);
  const kept = await page.page.evaluate(async (paths) => {
    const missing = [];
    for (const each of paths) if (!(await caches.match(new URL(each, document.baseURI)))) missing.push(each);
    return missing;
  }, release.files.map((file) => file.path));
  checks.none('every file of the release is stored', kept);
  await page.page.waitForTimeout(QUIET_MS);
  checks.equal('there is no further reload', page.loads, 2);
  quiet('in the seconds after the first visit');

  const again = await SextantPage.open(context, server.address);
  await again.until('idle');
  checks.equal('the second visit loads once', again.loads, 1);
  const quietAgain = quietFrom(tools);
  await again.page.waitForTimeout(QUIET_MS);
  quietAgain('in the seconds after the second visit');
  checks.none('the console shows no error', [...page.complaints, ...again.complaints]);
}

async function threads(tools) {
  const { checks, server, context, shot } = tools;
  const page = await SextantPage.open(context, `${server.address}?threads=2`);
  await page.until('idle');
  const quiet = quietFrom(tools);
  const build = await page.build();
  checks.equal('the build', build.build, 'threads');
  checks.equal('its threads', build.threads, 2);
  await page.loadDemo();
  await shot(page.page, 'ready');
  await page.map();
  await exportEquals(tools, page, 'the export has the bytes of the command’s');
  await shot(page.page, 'done');
  const umap = await page.download('#download-umap');
  checks.that('umap.tsv is a table of as many cells', umap.name === 'umap.tsv' && lines(umap.bytes) === lines(tools.expected), `${umap.name}, ${lines(umap.bytes)} lines`);
  for (const [name, bytes] of Object.entries(tools.expectedTables)) {
    const table = await page.download(`#download-${name}`);
    checks.equal(`the table ${name} is called`, table.name, `${name}.tsv`);
    checks.sameBytes('and has the bytes of the command’s', table.bytes, bytes);
  }
  const markers = await page.download('#download-markers');
  checks.equal('the marker genes are called', markers.name, 'markers.tsv');
  checks.sameBytes('and have the bytes of the command’s', markers.bytes, tools.expectedMarkers);
  await page.page.click('#limits > summary');
  const words = await page.page.textContent('#filter-button');
  await page.page.click('#filter-button');
  await page.until('ready');
  checks.equal('as many cells are left out as the button said', await page.page.textContent('[data-field=cells_left_out]'), words.match(/[\d,]+/)?.[0]);
  checks.that('there is a way back', /Keep all cells/.test(await page.page.textContent('#filter-button')));
  await page.page.waitForTimeout(QUIET_MS);
  quiet('from idle to the exports');
  checks.none('the console shows no error', page.complaints);
}

function lines(bytes) {
  return bytes.toString('utf8').trimEnd().split('\n').length;
}

async function single(tools) {
  const { checks, server, context } = tools;
  const page = await SextantPage.open(context, `${server.address}?build=single`);
  await page.until('idle');
  const quiet = quietFrom(tools);
  const build = await page.build();
  checks.equal('the build', build.build, 'single');
  checks.that('the foot of the page says so, and why', /single-threaded.*asked for/i.test(build.text), build.text);
  await page.loadDemo();
  await page.map();
  await exportEquals(tools, page, 'the export has the bytes of the command’s');
  quiet('from idle to the export');
}

async function cancel(tools) {
  const { checks, server, context } = tools;
  const page = await SextantPage.open(context, server.address);
  await page.until('idle');
  const quiet = quietFrom(tools);
  await page.loadDemo();
  for (const round of ['a first time', 'a second time, at once']) {
    await page.page.click('#map-button');
    await page.page.waitForSelector('.stages li');
    // No clock is asked: nothing that computes is waited for, so the page is ready as soon as it is drawn again.
    const drawn = await page.page.evaluate(() => {
      document.getElementById('cancel-button').click();
      return new Promise((resolve) => requestAnimationFrame(() => resolve(document.getElementById('status').dataset.state)));
    });
    checks.equal(`${round}: the page is ready when it is next drawn`, drawn, 'ready');
    const { text } = await page.until('ready', 5);
    checks.that(`${round}: the status says that it was cancelled`, /cancelled/i.test(text), text);
    checks.that(`${round}: the cancel button is gone`, await page.page.isHidden('#cancel-button'));
  }
  await page.map();
  await exportEquals(tools, page, 'mapped again, the export has the bytes of the command’s');
  await page.page.waitForTimeout(QUIET_MS);
  quiet('from idle over two cancels to the export');
  checks.none('the console shows no error', page.complaints);
}

async function offline(tools) {
  const { checks, server, context } = tools;
  const first = await SextantPage.open(context, server.address);
  await first.until('idle');
  await first.page.close();
  await server.stop();
  const page = await SextantPage.open(context, server.address);
  await page.until('idle');
  const build = await page.build();
  checks.equal('without a server, the threaded build runs', build.build, 'threads');
  await page.loadDemo();
  await page.map();
  await exportEquals(tools, page, 'without a server, the export has the bytes of the command’s');
}

async function hardReload(tools) {
  const { checks, server, proxy, context, demo } = tools;
  const page = await SextantPage.open(context, server.address);
  await page.until('idle');
  await page.hardReload();
  await page.until('idle');
  const quiet = quietFrom(tools);
  const build = await page.build();
  checks.equal('no service worker controls the page', await page.page.evaluate(() => navigator.serviceWorker.controller), null);
  checks.equal('the build', build.build, 'single');
  checks.that('the foot of the page says why', /reload/i.test(build.text), build.text);
  checks.equal('it did not reload by itself', page.loads, 3);
  await page.chooseFile(demo);
  await page.until('ready');
  await page.page.click('#map-button');
  await page.page.waitForSelector('.stages li');
  await page.page.click('#cancel-button');
  await page.until('ready', 5);
  await page.map();
  await exportEquals(tools, page, 'a file from the disk gives the bytes of the command’s');
  quiet('from idle over a cancel to the export');
  const { out, engines } = await leaks(page.page, proxy);
  checks.that('there is an engine’s worker to try', engines > 0);
  checks.none('the policy of the document itself binds the page and its workers', out);
}

async function newRelease(tools) {
  const { checks, server, context, dist, release } = tools;
  const next = await editedRelease(dist, { 'style.css': (text) => `${text}\n/* the next release */\n` });
  try {
    const page = await SextantPage.open(context, server.address);
    await page.until('idle');
    await page.loadDemo();
    await page.page.click('#map-button');
    await page.until(['mapping', 'done']);
    const from = server.log.length;
    server.root = next.folder;
    const update = page.page.evaluate(async () => { await (await navigator.serviceWorker.getRegistration()).update(); });
    await page.until('done', 300);
    await exportEquals(tools, page, 'the mapping that ran meanwhile has the bytes of the command’s');
    await update;
    await page.page.waitForSelector('#update-banner:not([hidden])', { timeout: 60_000 });
    const asked = server.log.slice(from).map(({ path: at }) => at.slice(SUBPATH.length));
    checks.that('the new release is fetched, and of its files only the changed one', asked.sort().join(' ') === 'release.json style.css sw.js', asked);

    await page.page.click('#map-button');
    await page.page.waitForSelector('.stages li');
    await page.page.click('#cancel-button');
    await page.until('ready', 5);
    await page.map();
    await exportEquals(tools, page, 'cancelled and mapped again, the old page still has its own engine');
    checks.equal('nothing of the old release was asked of the server', server.log.filter(({ path: at }, index) => index >= from && at.includes(release.release)).length, 0);

    const second = await SextantPage.open(context, server.address);
    await second.until('idle');
    await page.page.click('#update-button');
    await page.page.waitForFunction(() => /other tab/.test(document.querySelector('.banner-text').textContent));
    checks.equal('with another tab open, nothing is reloaded', (await page.status()).state, 'done');
    await second.page.close();
    await page.page.click('#update-button');
    await page.page.waitForEvent('load');
    await page.until('idle');
    const now = await page.page.evaluate(async () => ({
      caches: await caches.keys(),
      style: await (await fetch('style.css')).text(),
      release: (await (await fetch('release.json')).json()).release,
    }));
    checks.equal('after the reload the page is of the new release', now.release, next.release);
    checks.that('with its files', now.style.includes('the next release'));
    checks.that('and the old cache is gone', now.caches.length === 1 && now.caches[0].endsWith(next.release), now.caches);
    await page.loadDemo();
    await page.map();
    await exportEquals(tools, page, 'the new release maps');
  } finally {
    await next.remove();
  }
}

async function badFiles(tools) {
  const { checks, server, context, demo, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-files-'));
  try {
    const whole = await readFile(demo);
    const files = {
      'cells.txt': Buffer.from('barcode\tlabel\nAAACATACAACCAC-1\tCD4 T\n'.repeat(40)),
      'cut off.h5': whole.subarray(0, Math.floor(whole.length * 0.6)),
      'empty.h5ad': Buffer.alloc(0),
    };
    const page = await SextantPage.open(context, server.address);
    await page.until('idle');
    const quiet = quietFrom(tools);
    for (const [name, bytes] of Object.entries(files)) {
      const file = path.join(folder, name);
      await writeFile(file, bytes);
      await page.chooseFile(file);
      await page.page.waitForSelector('#status[data-state=error]', { timeout: 30_000 });
      const message = await page.page.textContent('.failure-message');
      const next = await page.page.textContent('.failure-next');
      checks.that(`${name}: the message is a sentence`, /^[A-Z“].{25,}[.!]$/s.test(message.trim()) || /^\S.*\s\S.*[.!]$/s.test(message.trim()) && message.length > 30, message);
      checks.that(`${name}: in words for people`, !/undefined|null|panick|unreachable|RuntimeError|\[object/i.test(message), message);
      checks.that(`${name}: with what to do next`, next.length > 20, next);
      checks.equal(`${name}: the engine did not stop`, await page.page.textContent('#failure h2'), 'That did not work');
      checks.that(`${name}: mapping is not offered`, await page.page.isDisabled('#map-button'));
      if (name === 'cells.txt') await shot(page.page, 'error');
    }
    await page.loadDemo();
    checks.that('the message goes when a good file comes', await page.page.isHidden('#failure'));
    await page.map();
    await exportEquals(tools, page, 'a good file after the bad ones has the bytes of the command’s');
    quiet('from idle over the bad files to the export');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function policy(tools) {
  const { checks, server, proxy, browser, dist, context } = tools;
  const read = (name) => readFile(path.join(dist, name), 'utf8');
  const [document, worker, headers] = await Promise.all(['index.html', 'sw.js', '_headers'].map(read));
  const inDocument = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(document)?.[1];
  checks.that('the document has a policy', Boolean(inDocument) && inDocument.startsWith("default-src 'none'"), inDocument);
  checks.equal('the service worker sends the same', /POLICY = "([^"]+)"/.exec(worker)?.[1], inDocument);
  const byPlace = hostHeaders(headers);
  const policyOf = (name) => byPlace(name)['Content-Security-Policy'];
  for (const name of ['', 'index.html', 'worker.js', 'engine/any/threads/sextant.js']) checks.equal(`and so does _headers for ${name || 'the folder'}`, policyOf(name), inDocument);
  checks.that('the service worker’s own policy lets it ask other origins, and run no other script', /^default-src 'none'; connect-src 'self' https: [^;]*$/.test(policyOf('sw.js')), policyOf('sw.js'));

  const page = await SextantPage.open(context, server.address);
  await page.until('idle');
  const bound = await leaks(page.page, proxy);
  checks.that('there is an engine’s worker to try', bound.engines > 0);
  checks.none('nothing leaves from the page or a worker', bound.out);

  const open = await editedRelease(dist, {
    'index.html': (text) => text.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''),
    'sw.js': (text) => text.replace(/POLICY = "[^"]+"/, 'POLICY = ""'),
  });
  try {
    server.root = open.folder;
    const control = await SextantPage.open(await browser.newContext(), server.address);
    await control.until('idle');
    const unbound = await leaks(control.page, proxy);
    checks.that('control: without the policy the same attempts do leave', ['page-fetch', 'page-image', 'blob-worker', 'engine-worker'].every((name) => unbound.out.includes(name)), unbound.out);
  } finally {
    await open.remove();
  }
}

async function headersFromHost(tools) {
  const { checks, server, context, dist } = tools;
  server.headers = hostHeaders(await readFile(path.join(dist, '_headers'), 'utf8'));
  const page = await SextantPage.open(context, server.address);
  await page.until('idle');
  const quiet = quietFrom(tools);
  const build = await page.build();
  checks.equal('a host that sends _headers saves the reload', page.loads, 1);
  checks.equal('the threaded build runs', build.build, 'threads');
  checks.that('the service worker controls the page all the same', await page.page.evaluate(() => navigator.serviceWorker.controller !== null));
  await page.loadDemo();
  await page.map();
  await exportEquals(tools, page, 'the export has the bytes of the command’s');
  quiet('from idle to the export');
}

export const scenarios = {
  'first-visit': firstVisit, threads, single, cancel, offline, 'hard-reload': hardReload, 'new-release': newRelease,
  'bad-files': badFiles, policy, 'headers-from-host': headersFromHost, keyboard, views, metadata, clusters, proteins, references, 'reference-beside-the-page': referenceBesideThePage, 'reference-from-disk': referenceFromDisk, explorer, likeness, selection, builder, summary, 'large-reference': largeReference, address, 'address-with-data': addressWithData, keys, 'request-log': requestLog, accessibility, preferences, controls, cancels, ...deliveries, ...formats,
};
