// How long a reference takes to build in the browser and natively, in turn, and whether both are the same bytes.
//
//   node tests/bench/build_in_browser.mjs LABELLED LEVEL,… [--dist dist] [--command SEXTANT] [--rounds N]
//
// LEVEL are columns of the file, coarse before fine. Both use two threads; small classes stay.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CatchAllProxy, StaticServer } from '../browser/server.mjs';
import { launch, SextantPage } from '../browser/sextant_page.mjs';

const { values, positionals: [file, levels] } = parseArgs({ allowPositionals: true, options: {
  dist: { type: 'string', default: 'dist' },
  command: { type: 'string', default: path.join(process.env.CARGO_TARGET_DIR ?? 'target', 'release', 'sextant') },
  rounds: { type: 'string', default: '3' },
} });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const name = path.basename(file).replace(/\..*$/, '');

async function inBrowser() {
  const server = await new StaticServer(path.resolve(values.dist)).start();
  const proxy = await new CatchAllProxy().start();
  const browser = await launch(proxy);
  try {
    const opened = await SextantPage.open(await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true }), server.address);
    const { page } = opened;
    await opened.until('idle');
    const from = Date.now();
    await page.setInputFiles('#labelled-file', file);
    await page.waitForSelector('#builder:not([hidden])', { timeout: 120_000 });
    await opened.until('idle');
    const read = Date.now();
    while ((await page.locator('#builder-labels input:checked').count()) > 0) await page.locator('#builder-labels input:checked').first().uncheck();
    for (const level of levels.split(',')) await page.check(`#builder-labels input[value="${level}"]`);
    await page.fill('[name=min_cells]', '0');
    const begun = Date.now();
    await page.click('#builder-build');
    await page.waitForSelector('.builder-built:not([hidden])', { timeout: 600_000 });
    await opened.until('idle');
    const built = Date.now();
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#builder-save')]);
    const { threads } = await opened.build();
    return { read: (read - from) / 1000, build: (built - begun) / 1000, threads, bytes: sha256(await readFile(await download.path())) };
  } finally {
    await browser.close();
    await server.stop();
    await proxy.stop();
  }
}

async function natively(folder) {
  const out = path.join(folder, `${name}.sextant.zip`);
  const from = Date.now();
  execFileSync(values.command, ['reference', 'build', file, '--labels', levels, '--threads', '2', '--out', out], { stdio: 'ignore' });
  return { whole: (Date.now() - from) / 1000, bytes: sha256(await readFile(out)) };
}

const folder = await mkdtemp(path.join(tmpdir(), 'sextant-build-'));
try {
  console.log('round  browser: reading, building (s)  native: both (s)  same bytes');
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const native = await natively(folder);
    const page = await inBrowser();
    console.log(`${round}      ${page.read.toFixed(1)}, ${page.build.toFixed(1)} on ${page.threads} threads           ${native.whole.toFixed(1)}           ${native.bytes === page.bytes}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
