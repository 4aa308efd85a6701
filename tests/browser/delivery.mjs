// References that come from another origin: asked for by the service worker alone, after a click that names the origin, with
// no file open in any tab; shown as they come, taken up where they stopped, checked, and kept in the browser.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { QUIET_MS, quietFrom } from './quiet.mjs';
import { editedRelease, hostHeaders } from './releases.mjs';
import { OtherServer } from './server.mjs';
import { SextantPage } from './sextant_page.mjs';

const SMALL = 'mouse-marrow';
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Runs a scenario with another origin at hand. */
const withOther = (scenario) => async (tools) => {
  const other = await new OtherServer().start();
  const shipped = tools.catalogue.find(({ name }) => name === SMALL);
  const bundle = await readFile(path.join(tools.dist, shipped.bundle));
  other.offered = `Fetch ${(bundle.length / 1e6).toFixed(1)} MB from ${other.origin}`; // What its button says.
  other.files = { 'marrow.sextant.zip': bundle, 'page.html': Buffer.from('<!doctype html><title>Sign in</title>'.repeat(40)) };
  try {
    await scenario({ ...tools, other, shipped, bundle, address: `${other.origin}/marrow.sextant.zip` });
  } finally {
    await other.stop();
  }
};

/** Changes what the browser keeps of a bundle, as a failing disk does. */
function damageKept(page) {
  return page.evaluate(async () => {
    for await (const folder of (await navigator.storage.getDirectory()).values()) {
      for await (const [name, file] of folder.entries()) {
        if (!name.endsWith('.0.part')) continue;
        const stream = await file.createWritable({ keepExistingData: true });
        await stream.write({ type: 'write', position: 5000, data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) });
        await stream.close();
      }
    }
  });
}

/** Types an address as a person does. */
async function type({ page }, address) {
  if (!(await page.evaluate(() => document.querySelector('#reference-address').open))) await page.click('#reference-address > summary');
  await page.fill('#address-input', '');
  await page.locator('#address-input').pressSequentially(address);
}

/** Presses a button and waits until the page is idle again, or shows an error. */
async function press(opened, action) {
  const { page } = opened;
  await page.evaluate(() => {
    const status = document.getElementById('status');
    window.seen = { texts: [], fills: [], cancel: false, loading: false };
    window.watch?.disconnect();
    window.watch = new MutationObserver(() => {
      if (status.dataset.state === 'loading') window.seen.loading = true;
      window.seen.texts.push(status.textContent);
      window.seen.fills.push(Number(/scaleX\(([\d.]+)\)/.exec(document.getElementById('strip-fill').style.transform)?.[1]));
      window.seen.cancel ||= !document.getElementById('cancel-button').hidden;
    });
    window.watch.observe(status.parentElement, { subtree: true, attributes: true, childList: true, characterData: true });
  });
  await action();
  await page.waitForFunction(() => window.seen.loading && ['idle', 'ready', 'error'].includes(document.getElementById('status').dataset.state), null, { timeout: 60_000 });
  return { ...(await opened.status()), seen: await page.evaluate(() => window.seen) };
}

const fetchAddress = (opened) => press(opened, () => opened.page.click('#address-button'));

async function chooseEntry(opened, name) {
  return press(opened, async () => {
    if (!(await opened.page.evaluate(() => document.querySelector('#reference-choices').open))) await opened.page.click('#reference-choices > summary');
    await opened.page.click(`#reference-list [data-name="${name}"]`);
  });
}

const complaint = ({ page }) => page.textContent('.failure-message');
const wayOf = ({ page }, name) => page.evaluate((wanted) => document.querySelector(`#reference-list [data-name="${wanted}"] .reference-way`)?.textContent ?? null, name);
const kept = ({ page }) => page.evaluate(() => ({ place: document.querySelector('#kept-bundles').dataset.place, total: document.querySelector('.kept-total').textContent, lines: [...document.querySelectorAll('#kept-bundles li')].map((line) => line.textContent) }));
const open = async ({ page }, details) => {
  if (!(await page.evaluate((each) => document.querySelector(each).open, details))) await page.click(`${details} > summary`);
};

async function fromAnAddress(tools) {
  const { checks, server, context, other, bundle, address, shot } = tools;
  const name = `address:${address}`;
  let opened = await SextantPage.open(context, server.address);
  await opened.until('idle');
  const quiet = quietFrom(tools);
  await context.addCookies([{ name: 'secret', value: 'x', url: other.origin }]);
  await type(opened, address);
  checks.equal('the button names the origin', await opened.page.textContent('#address-button'), `Fetch from ${other.origin}`);
  checks.that('the whole address stands there', (await opened.page.textContent('#address-about')).includes(` ${address} `));
  await shot(opened.page, 'address');
  await opened.page.evaluate(() => document.getElementById('address-button').click());
  await opened.page.waitForTimeout(QUIET_MS);
  checks.none('typing it asks nothing, and a click of a script does not either', other.log);
  quiet('while an address is typed');
  for (const [typed, words] of [['ftp://a.example/x.zip', 'https://'], ['http://a.example/x.zip', 'https://'], ['https://me:word@a.example/x.zip', 'password'], ['x.zip', 'https://']]) {
    await type(opened, typed);
    checks.that(`${typed} is not offered to be fetched`, (await opened.page.isDisabled('#address-button')) && (await opened.page.textContent('#address-about')).includes(words));
  }

  await type(opened, address);
  Object.assign(other, { breaksAfter: 700_000, pause: 60 });
  const broken = await fetchAddress(opened);
  checks.equal('a connection that breaks is told', await complaint(opened), `The connection to ${other.origin} broke off.`);
  checks.that('the bytes were counted meanwhile', broken.seen.texts.some((text) => /^Fetching marrow from http:\/\/127\.0\.0\.1:\d+: 0\.\d of 1\.\d MB$/.test(text)), broken.seen.texts);
  checks.that('the bar moved with them', new Set(broken.seen.fills.filter((fill) => fill > 0 && fill < 1)).size >= 2, broken.seen.fills);
  checks.that('there was a button to cancel', broken.seen.cancel);
  const [first] = other.log;
  checks.equal('one request, a GET from the first byte on', other.log.map(({ method, headers }) => `${method} ${headers.range}`).join(' '), 'GET bytes=0-');
  checks.that('without cookies, referrer or credentials', !['cookie', 'referer', 'authorization'].some((header) => first.headers[header]), first.headers);
  const way = await wayOf(opened, name);
  checks.that('the list has it, to go on', new RegExp(`^Resume, 0\\.\\d of 1\\.\\d MB, from ${other.origin}$`).test(way), way);
  await open(opened, '#reference-choices');
  await shot(opened.page, 'resume');

  await opened.page.reload();
  await opened.until('idle');
  checks.equal('after a reload too, and nothing was asked', `${await wayOf(opened, name)}, ${other.log.length}`, `${way}, 1`);
  other.pause = 0;
  const resumed = await chooseEntry(opened, name);
  checks.equal('it goes on', resumed.state, 'idle');
  const second = other.log[1];
  const from = Number(/^bytes=(\d+)-$/.exec(second.headers.range)?.[1]);
  checks.equal('with one more GET, of what had not come', `${other.log.length} ${second.method} ${second.status} ${from > 0 && from <= first.sent} ${second.sent}`, `2 GET 206 true ${bundle.length - from}`);
  checks.that('nearly all that was sent at first was kept', from >= first.sent - 65536, `${from} of ${first.sent}`);
  checks.equal('what was put together has the bytes of the bundle', await opened.page.textContent('[data-field=checksum]'), sha256(bundle));
  checks.that('no checksum was stated, so the one found is told', (await opened.page.textContent('#reference-note')).includes(sha256(bundle)));
  checks.that('it is called as the bundle says', (await opened.page.textContent('.reference-title')) === tools.shipped.title);
  await open(opened, '#kept-bundles');
  await shot(opened.page, 'kept');
  const now = await kept(opened);
  checks.that('it is listed as kept, in files of the browser', now.place === 'files' && now.lines.length === 1 && now.lines[0].includes(tools.shipped.title) && now.lines[0].includes(other.origin) && now.total.includes('1 reference, 1.'), now);

  await server.stop();
  await other.stop();
  await opened.page.reload();
  await opened.until('idle');
  checks.equal('without any server it is still kept', await wayOf(opened, name), 'Kept in this browser');
  checks.equal('and chosen', `${(await chooseEntry(opened, name)).state} ${await opened.page.textContent('[data-field=checksum]')}`, `idle ${sha256(bundle)}`);
  await open(opened, '#reference-choices');
  await shot(opened.page, 'own-address');
  await opened.page.click('#reference-choices > summary');
  await server.start();
  await other.start();

  await open(opened, '#kept-bundles');
  await opened.page.click('#kept-bundles li button');
  await opened.page.waitForFunction(() => document.querySelectorAll('#kept-bundles li').length === 0);
  checks.equal('it can be deleted, and the address stays', await wayOf(opened, name), other.offered);
  const files = await opened.page.evaluate(async () => {
    const names = [];
    for await (const folder of (await navigator.storage.getDirectory()).values()) for await (const file of folder.keys()) names.push(file);
    return names;
  });
  checks.none('no file is left of it', files);
  await opened.page.reload();
  await opened.until('idle');
  await open(opened, '#reference-choices');
  await opened.page.click('.own-address button');
  await opened.page.waitForFunction(() => !document.querySelector('.own-address'));
  await opened.page.reload();
  await opened.until('idle');
  checks.equal('and is forgotten', await wayOf(opened, name), null);
  checks.equal('in all of this the other origin was asked twice', other.log.length, 2);
  checks.none('nothing went to any other host', tools.proxy.log);
  checks.none('the console shows no error but the broken connection', opened.complaints.filter((text) => !/ERR_INCOMPLETE|ERR_CONTENT_LENGTH|ERR_CONNECTION/.test(text)));
}

/** A catalogue whose bundles lie elsewhere. */
const listing = (...entries) => ({ 'references/catalogue.json': (text) => JSON.stringify([...JSON.parse(text), ...entries.map(([entry, change]) => ({ ...entry, demo: undefined, ...change }))]) });

async function refusals(tools) {
  const { checks, server, context, dist, other, shipped, bundle, address } = tools;
  const changed = Buffer.from(bundle);
  changed[changed.length >> 1] ^= 1;
  Object.assign(other.files, { 'changed.sextant.zip': changed, 'closed.sextant.zip': bundle });
  const stated = '1'.repeat(64); // With that of the bundle, a kept copy from another address would do.
  const next = await editedRelease(dist, listing(
    [shipped, { name: 'far', title: 'Far away', bundle: address }],
    [shipped, { name: 'changed', title: 'Changed', bundle: `${other.origin}/changed.sextant.zip`, sha256: stated }],
    [shipped, { name: 'longer', title: 'Longer', bundle: address, bytes: bundle.length + 1, sha256: '0'.repeat(64) }],
  ));
  try {
    server.root = next.folder;
    const opened = await SextantPage.open(context, server.address);
    await opened.until('idle');
    const { page } = opened;
    checks.equal('a catalogue’s bundle elsewhere is offered with its size and origin', await wayOf(opened, 'far'), other.offered);

    // Nobody but the worker, and that not with a file open.
    const control = await page.evaluate((at) => fetch(at).then(() => 'answered', ({ message }) => message), address);
    checks.that('a script of the page cannot ask the other origin', control !== 'answered' && other.log.length === 0, control);
    const second = await SextantPage.open(context, server.address);
    await second.until('idle');
    await second.loadDemo();
    checks.equal('with a file open in another tab', (await chooseEntry(opened, 'far')).state, 'error');
    checks.equal('it is refused', await complaint(opened), 'A file is open in a tab of Sextant, and no server is asked for anything meanwhile.');
    await chooseEntry(second, 'far').catch(() => {});
    await second.page.waitForSelector('#status[data-state=error]');
    checks.that('in that tab itself too', (await complaint(second)).startsWith('Far away is not stored with the page, and no server is asked for anything while a file is open.'));
    await second.page.goto(`${server.address}icon.svg`);
    checks.equal('a tab that does not answer', (await chooseEntry(opened, 'far')).state, 'error');
    checks.equal('counts as one with a file open', await complaint(opened), 'Another tab of Sextant does not say whether a file is open in it, which counts as if one were.');
    checks.none('so far nothing was asked', other.log);

    await second.page.goto(server.address);
    await second.until('idle');
    other.pause = 700; // Longer than a file takes to be opened on a machine that has other work.
    const stopped = chooseEntry(opened, 'far');
    await page.waitForFunction(() => /: 0\.[2-9]/.test(document.getElementById('status').textContent));
    await second.loadDemo();
    await stopped;
    checks.that('a file that is opened in another tab stops a download', (await complaint(opened)).startsWith('A file was opened in a tab of Sextant, so the download was stopped'), await complaint(opened));
    await page.waitForTimeout(500);
    const { sent } = other.log.at(-1);
    await page.waitForTimeout(1000);
    checks.that('and the connection is closed', sent < bundle.length && other.log.at(-1).sent === sent, `${sent} and then ${other.log.at(-1).sent} of ${bundle.length}`);
    await second.page.close();
    other.pause = 0;
    checks.equal('once that is closed it goes on', (await chooseEntry(opened, 'far')).state, 'idle');
    checks.equal('to its end', await page.textContent('[data-field=checksum]'), sha256(bundle));
    checks.equal('checked against what the catalogue states, so nothing is left to say', await page.textContent('#reference-note'), '');

    // What arrives is looked at.
    await chooseEntry(opened, 'changed');
    checks.equal('a bundle of another checksum is refused', await complaint(opened), `What ${other.origin} sent is not the reference that is listed: its SHA-256 is ${sha256(changed)}, not ${stated}.`);
    await chooseEntry(opened, 'longer');
    checks.that('so is one of another size', (await complaint(opened)).includes(`(${bundle.length} bytes), not the ${bundle.length + 1} bytes that the catalogue states`), await complaint(opened));
    checks.equal('and not kept', (await kept(opened)).lines.length, 1);
    checks.equal('the reference before it stays', await page.textContent('.reference-title'), 'Far away');
    const say = async (name, words) => {
      await type(opened, `${other.origin}/${name}`);
      await fetchAddress(opened);
      const said = await complaint(opened);
      checks.that(`${name}: ${words}`, said.includes(words), said);
      checks.equal(`${name}: it is not listed`, await wayOf(opened, `address:${other.origin}/${name}`), null);
    };
    await say('page.html', 'is no bundle: it does not begin as a ZIP file does');
    await say('missing.zip', 'answered 404');
    other.shares = false;
    await say('closed.sextant.zip', 'does not let other pages read its files');
    other.shares = true;
    const third = await new OtherServer().start();
    third.files = other.files;
    other.redirects = { 'moved.zip': `${third.origin}/marrow.sextant.zip` };
    await type(opened, `${other.origin}/moved.zip`);
    const moved = await fetchAddress(opened);
    await third.stop();
    checks.that('sent on to another origin, it says who answered', moved.state === 'idle' && third.log.length === 1 && (await page.textContent('#reference-note')).startsWith(`${other.origin} sent the request on to ${third.origin}, which answered.`), await page.textContent('#reference-note'));

    // A kept copy that the disk has changed.
    await open(opened, '#kept-bundles');
    await page.click('#kept-delete-all');
    await page.waitForFunction(() => document.querySelectorAll('#kept-bundles li').length === 0);
    await chooseEntry(opened, 'far');
    await damageKept(page);
    await page.evaluate(() => window.history.replaceState(null, '', window.location.pathname)); // So that it is not chosen at once.
    await page.reload();
    await opened.until('idle');
    const before = other.log.length;
    await chooseEntry(opened, 'far');
    checks.that('a kept copy that was damaged is noticed', (await complaint(opened)).startsWith('What this browser kept of Far away was damaged: its SHA-256 is'), await complaint(opened));
    checks.equal('deleted, and not fetched without a click that says so', `${await wayOf(opened, 'far')} ${other.log.length - before}`, `${other.offered} 0`);
    checks.equal('which then fetches it anew', `${(await chooseEntry(opened, 'far')).state} ${await page.textContent('[data-field=checksum]')}`, `idle ${sha256(bundle)}`);
    await damageKept(page);
    await page.reload();
    await opened.until('idle');
    const note = await page.textContent('#reference-note');
    checks.that('where the address names a damaged one, the page starts with its own and says why', note.includes('What this browser kept of Far away was damaged') && (await page.textContent('.reference-title')) === tools.catalogue[0].title, note);
    checks.none('no other way of asking was ever used', other.log.filter(({ method }) => method !== 'GET'));
    checks.none('nothing went to any other host', tools.proxy.log);
  } finally {
    server.root = dist;
    await next.remove();
  }
}

async function places(tools) {
  const { checks, server, browser, dist, other, bundle, address } = tools;
  const lupus = tools.catalogue.find(({ name }) => name === 'pbmc-lupus');
  other.files['large.zip'] = await readFile(path.join(dist, lupus.bundle));
  const visit = async (script) => {
    const context = await browser.newContext();
    if (script) await context.addInitScript(script);
    const opened = await SextantPage.open(context, server.address);
    await opened.until('idle');
    return opened;
  };
  const fetched = async (opened, at, statement) => {
    await type(opened, at);
    const { state } = await fetchAddress(opened);
    const wanted = sha256(other.files[at.split('/').pop()]);
    checks.equal(statement, `${state} ${await opened.page.textContent('[data-field=checksum]')}`, `idle ${wanted}`);
  };
  const again = async (opened, words, statement) => {
    await opened.page.reload();
    await opened.until('idle');
    const way = await wayOf(opened, `address:${address}`);
    checks.that(statement, way.startsWith(words), way);
  };

  const cached = await visit(() => { navigator.storage.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError')); });
  await fetched(cached, address, 'without files of its own a browser keeps it');
  checks.equal('in its cache', (await kept(cached)).place, 'cache');
  await again(cached, 'Kept', 'also over a reload');
  const from = other.log.length;
  checks.equal('and it is chosen without a request', `${(await chooseEntry(cached, `address:${address}`)).state} ${other.log.length - from}`, 'idle 0');
  await open(cached, '#kept-bundles');
  await cached.page.click('#kept-delete-all');
  await cached.page.waitForFunction(() => document.querySelectorAll('#kept-bundles li').length === 0);
  await again(cached, 'Fetch', 'until all is deleted');

  const forgetful = await visit(() => {
    navigator.storage.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'));
    const { open: openCache } = CacheStorage.prototype;
    CacheStorage.prototype.open = function refuse(name) { return name.startsWith('sextant-bundles') ? Promise.reject(new DOMException('no', 'SecurityError')) : openCache.call(this, name); };
  });
  await fetched(forgetful, address, 'without either it is used');
  checks.equal('from memory', (await kept(forgetful)).place, 'memory');
  checks.that('which the page says', (await forgetful.page.textContent('#reference-note')).includes('until the tab is closed'));
  await again(forgetful, 'Fetch', 'and gone after a reload');

  const full = await visit(() => {
    const { write } = FileSystemWritableFileStream.prototype;
    let bytes = 0;
    FileSystemWritableFileStream.prototype.write = function limited(data) {
      bytes += data.size ?? 0;
      return bytes > 4.3e6 ? Promise.reject(new DOMException('No room.', 'QuotaExceededError')) : write.call(this, data);
    };
  });
  await fetched(full, `${other.origin}/large.zip`, 'where the browser has no more room, the rest goes on in memory');
  checks.that('the page says so', (await full.page.textContent('#reference-note')).startsWith('The browser could not store it (No room.), so it is held in memory.'));
  checks.that('and lists it so', (await kept(full)).lines[0].includes('until this tab is closed'));

  const opened = await visit();
  const name = `address:${address}`;
  Object.assign(other, { ranges: false, breaksAfter: 500_000 });
  await type(opened, address);
  await fetchAddress(opened);
  checks.that('from a server that knows no ranges a part is kept', (await wayOf(opened, name)).startsWith('Resume'));
  await chooseEntry(opened, name);
  checks.equal('and fetched as a whole', `${other.log.at(-1).status} ${other.log.at(-1).sent} ${await opened.page.textContent('[data-field=checksum]')}`, `200 ${bundle.length} ${sha256(bundle)}`);
  checks.that('with a sentence', (await opened.page.textContent('#reference-note')).includes('does not send files from the middle on, so it was fetched from its beginning'));

  const empty = async () => {
    await open(opened, '#kept-bundles');
    await opened.page.click('#kept-delete-all');
    await opened.page.waitForFunction(() => document.querySelectorAll('#kept-bundles li').length === 0);
    await opened.page.reload();
    await opened.until('idle');
  };
  await empty();
  Object.assign(other, { ranges: true, breaksAfter: 500_000 });
  await chooseEntry(opened, name);
  other.tag = '"2"';
  const count = other.log.length;
  await chooseEntry(opened, name);
  checks.equal('a file that has changed meanwhile is fetched from its beginning', `${other.log.slice(count).map(({ headers }) => headers.range.replace(/[1-9]\d*/, 'N')).join(' ')} ${await opened.page.textContent('[data-field=checksum]')}`, `bytes=N- bytes=0- ${sha256(bundle)}`);
  checks.that('with a sentence, too', (await opened.page.textContent('#reference-note')).includes('has changed since its first part was fetched'));

  await empty();
  other.pause = 100;
  const { state, text } = await press(opened, async () => {
    await open(opened, '#reference-choices');
    await opened.page.click(`#reference-list [data-name="${name}"]`);
    await opened.page.waitForFunction(() => /: 0\.[3-9]/.test(document.getElementById('status').textContent));
    await tools.shot(opened.page, 'fetching');
    await opened.page.click('#cancel-button');
  });
  checks.that('a cancel stops it', state === 'idle' && /^The download of .* was stopped\. Its button says “Resume, 0\.\d of 1\.\d MB, from /.test(text), text);
  other.pause = 0;
  await chooseEntry(opened, name);
  checks.that('and the next click goes on', other.log.at(-1).status === 206 && !other.log.at(-1).headers.range.endsWith('=0-') && (await opened.page.textContent('[data-field=checksum]')) === sha256(bundle), other.log.at(-1).headers.range);
}

/** What binds the service worker: the policy that comes with it, and the time that browsers give it. */
async function workers(tools) {
  const { checks, server, browser, dist, other, bundle, address } = tools;
  const short = await editedRelease(dist, { 'sw.js': (text) => text.replace('ONE_STRETCH_MS = 4 * 60 * 1000', 'ONE_STRETCH_MS = 400') });
  const open = await editedRelease(dist, {
    'index.html': (text) => text.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''),
    'sw.js': (text) => text.replace(/POLICY = "[^"]+"/, 'POLICY = ""'),
  });
  const policy = /POLICY = "([^"]+)"/.exec(await readFile(path.join(dist, 'sw.js'), 'utf8'))[1];
  const visit = async () => {
    const opened = await SextantPage.open(await browser.newContext(), server.address);
    await opened.until('idle');
    await type(opened, address);
    return opened;
  };
  try {
    server.root = short.folder;
    other.pause = 40;
    const paused = await visit();
    await fetchAddress(paused);
    checks.that('before a browser ends the worker, the rest is asked for anew', other.log.length >= 2 && other.log.slice(1).every(({ status }) => status === 206), other.log.map(({ headers }) => headers.range));
    checks.equal('and put together to the same bytes', await paused.page.textContent('[data-field=checksum]'), sha256(bundle));

    server.root = dist;
    other.pause = 0;
    server.headers = (name) => (name === 'sw.js' ? { 'Content-Security-Policy': policy } : {});
    const before = other.log.length;
    const bound = await visit();
    await fetchAddress(bound);
    checks.that('a host that binds the worker by the page’s policy is named as the reason', (await complaint(bound)).startsWith(`The host of this page forbids its service worker to ask ${other.origin}`), await complaint(bound));
    checks.equal('and nothing was asked', other.log.length, before);
    server.headers = hostHeaders(await readFile(path.join(dist, '_headers'), 'utf8'));
    const named = await visit();
    await fetchAddress(named);
    checks.equal('with the policy of _headers it comes', await named.page.textContent('[data-field=checksum]'), sha256(bundle));

    await named.hardReload();
    await named.until('idle');
    await type(named, address);
    const count = other.log.length;
    checks.that('kept, it needs no worker', (await fetchAddress(named)).state === 'idle' && other.log.length === count);
    await type(named, `${address}?new`);
    await fetchAddress(named);
    checks.that('without a service worker the way over the disk is named', (await complaint(named)).startsWith('No service worker serves this page') && (await named.page.textContent('.failure-next')).includes('open it from disk'), await complaint(named));
    checks.equal('and nothing is asked', other.log.length, count);

    server.headers = () => ({});
    server.root = open.folder;
    const unbound = await visit();
    const reached = await unbound.page.evaluate((at) => fetch(at).then(() => 'answered', ({ message }) => message), address);
    checks.equal('control: without the page’s policy its scripts could ask', reached, 'answered');
  } finally {
    server.root = dist;
    await Promise.all([short.remove(), open.remove()]);
  }
}

export const deliveries = { delivery: withOther(fromAnAddress), 'delivery-refusals': withOther(refusals), 'delivery-places': withOther(places), 'delivery-workers': withOther(workers) };
