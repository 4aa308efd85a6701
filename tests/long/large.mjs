// Files larger than a browser's memory, on the page: what they take of time and of the tab's memory.
//
//   node tests/long/large.mjs --dist dist --atlas ATLAS.h5ad --raw RAW.h5 [--flex FILE.h5]
//
// The memory is the largest resident size of any of Chromium's page processes, as Linux tells it. A tab is to stay
// under 2.5 GB.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Checks } from '../browser/checks.mjs';
import { CatchAllProxy, StaticServer } from '../browser/server.mjs';
import { launch, SextantPage } from '../browser/sextant_page.mjs';

const LIMIT_MB = 2500;
const BATCHES_LIMIT_MB = 2000;
const PATIENCE_S = 900;
const MAPPING_PATIENCE_S = 3600;

const { values } = parseArgs({ options: { dist: { type: 'string', default: 'dist' }, atlas: { type: 'string' }, raw: { type: 'string' }, flex: { type: 'string' } } });

/** The largest resident size so far of every page process, in MB. */
async function peakOfTabs() {
  const peaks = [0];
  for (const process of await readdir('/proc')) {
    try {
      if (!(await readFile(`/proc/${process}/cmdline`, 'utf8')).includes('--type=renderer')) continue;
      const status = await readFile(`/proc/${process}/status`, 'utf8');
      peaks.push(Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1e3);
    } catch {
      // It ended meanwhile, or is no process.
    }
  }
  return Math.max(...peaks);
}

const checks = new Checks();

/** Gives the page a file; where it does not fit, the reference's genes only are taken or, of `expect.batches`, it is mapped in batches, as the page offers. */
async function read(name, file, expect) {
  checks.begin(name);
  const server = await new StaticServer(path.resolve(values.dist)).start();
  const proxy = await new CatchAllProxy().start();
  const browser = await launch(proxy);
  try {
    const opened = await SextantPage.open(await browser.newContext(), server.address);
    const { page } = opened;
    await page.waitForSelector('#status[data-state=idle]', { timeout: 120_000 });
    let from = Date.now();
    await page.setInputFiles('#file-input', file);
    await page.waitForSelector('#status:is([data-state=ready], [data-state=error])', { timeout: PATIENCE_S * 1000 });
    const first = await opened.status();
    console.log(`     ${name}: ${((Date.now() - from) / 1000).toFixed(1)} s until “${first.text}”`);
    if (expect.refused) {
      checks.that('what does not fit is refused with the figures', first.state === 'error' && /need [\d,]+ MB of memory/.test(first.text), first.text);
      from = Date.now();
      await page.click(expect.batches ? '#batches-button' : '#reference-genes-button');
      await page.waitForSelector('#status[data-state=reading]');
      await page.waitForSelector('#status:is([data-state=ready], [data-state=error])', { timeout: PATIENCE_S * 1000 });
      console.log(`     ${name}: ${expect.batches ? 'projected' : "the reference's genes only"}: ${((Date.now() - from) / 1000).toFixed(1)} s`);
    }
    const { state, text } = await opened.status();
    checks.that('is read', state === 'ready' && text.includes(expect.cells), text);
    if (expect.batches) await map(name, page, opened, expect.cells);
    const limit = expect.batches ? BATCHES_LIMIT_MB : LIMIT_MB;
    const peak = await peakOfTabs();
    console.log(`     ${name}: the tab took at most ${peak.toFixed(0)} MB`);
    checks.that(`the tab stays under ${limit} MB`, peak < limit, `${peak.toFixed(0)} MB`);
  } catch (error) {
    checks.that('runs to its end', false, error.stack ?? String(error));
  } finally {
    await browser.close();
    await server.stop();
    await proxy.stop();
  }
}

/** Maps what was read; the progress has to move at least every second as the page sees it. */
async function map(name, page, opened, cells) {
  await page.evaluate(() => {
    window.gaps = { last: performance.now(), longest: 0 };
    new MutationObserver(() => {
      const now = performance.now();
      window.gaps.longest = Math.max(window.gaps.longest, now - window.gaps.last);
      window.gaps.last = now;
    }).observe(document.getElementById('strip-fill'), { attributes: true });
  });
  const from = Date.now();
  await page.click('#map-button');
  await page.waitForSelector('#status[data-state=mapping]');
  await page.waitForSelector('#status:is([data-state=done], [data-state=error])', { timeout: MAPPING_PATIENCE_S * 1000 });
  const { state, text } = await opened.status();
  checks.that('is mapped', state === 'done' && text.includes(cells), text);
  const longest = await page.evaluate(() => window.gaps.longest);
  console.log(`     ${name}: mapped in ${((Date.now() - from) / 1000).toFixed(1)} s; the progress stood still for ${longest.toFixed(0)} ms at most`);
}

if (values.raw) await read('unfiltered 10x, 6 million barcodes', values.raw, { cells: '8,000 cells' });
if (values.flex) await read('10x Flex, 62 million entries', values.flex, { cells: '10,700 cells' });
if (values.atlas) await read('H5AD of 5 GB', values.atlas, { refused: true, cells: '853,364 cells' });
if (values.atlas) await read('H5AD of 5 GB, in batches', values.atlas, { refused: true, batches: true, cells: '853,364 cells' });
console.log(`large: ${checks.passed} passed, ${checks.failed} failed`);
process.exit(checks.failed > 0 || checks.passed === 0 ? 1 : 0);
