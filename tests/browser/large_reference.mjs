// A reference as large as those that Azimuth publishes, opened in the page.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const MAKER = path.join(path.dirname(fileURLToPath(import.meta.url)), '../data/large_bundle.py');
const CELLS = 160_000;
const MOST_MEMORY = 150e6;

export async function largeReference({ checks, server, context, shot }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-large-'));
  try {
    const bundle = path.join(folder, 'large.sextant.zip');
    await run(process.env.SEXTANT_PYTHON, [MAKER, bundle, String(CELLS)]);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    await page.setInputFiles('#reference-file', bundle);
    await page.waitForFunction(() => document.querySelector('.reference-facts').textContent.includes('160,000 cells'), null, { timeout: 60_000 });
    await opened.until('idle');
    const { loadedMs, memory } = await page.evaluate(() => ({ ...document.querySelector('#reference-step').dataset }));
    console.log(`     a reference of ${CELLS.toLocaleString('en')} cells: the engine took ${loadedMs} ms, and its memory is ${(memory / 1e6).toFixed(0)} MB`);
    checks.that('a reference of 160,000 cells takes less than 150 MB of the engine’s memory', Number(memory) > 50e6 && Number(memory) < MOST_MEMORY, memory);
    const classes = await page.evaluate(() => document.querySelectorAll('.legend-list button').length);
    checks.equal('its classes stand in the legend', classes, 8);
    await shot(page, 'large-reference');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
