// A reference of one's own: built in the page of a labelled file, with the bytes of the command's, and used at once.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const DATA = path.join(path.dirname(fileURLToPath(import.meta.url)), '../data');
const QUERY = path.join(DATA, 'golden/query.h5');

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export async function builder(tools) {
  const { checks, server, context, command, dist, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-builder-'));
  try {
    const [labelled, bundle, out, bad] = ['labelled.h5ad', 'labelled.sextant.zip', 'out', 'bad.csv'].map((name) => path.join(folder, name));
    await run(process.env.SEXTANT_PYTHON, [path.join(DATA, 'labelled.py'), labelled]);
    await run(command, ['reference', 'build', labelled, '--labels', 'coarse,cell_type', '--min-cells', '16', '--out', bundle]);
    await run(command, ['map', QUERY, '--reference', bundle, '--genes', path.join(dist, 'references/genes.sextant.table'), '--out', out, '--no-preservation', '--markers', 'none']);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    const read = (file) => opened.reading(() => page.setInputFiles('#labelled-file', file));
    const readIdle = async (file) => {
      await page.setInputFiles('#labelled-file', file);
      await page.waitForSelector('#builder:not([hidden])');
      await opened.until('idle');
    };

    await readIdle(labelled);
    const facts = await page.textContent('.builder-facts');
    checks.that('what was read is told, with its proteins', ['labelled.h5ad', '500 cells', 'proteins from'].every((words) => facts.includes(words)), facts);
    const offered = await page.evaluate(() => [...document.querySelectorAll('#builder-labels input')].map(({ value, checked }) => `${value}${checked ? '*' : ''}`));
    checks.equal('the column that is called like labels is chosen, others are offered', offered.slice(0, 2).join(' '), 'cell_type* coarse');
    await shot(page, 'builder');
    while ((await page.locator('#builder-labels input:checked').count()) > 0) await page.locator('#builder-labels input:checked').first().uncheck();
    checks.that('without labels nothing is built', await page.isDisabled('#builder-build'));
    for (const name of ['coarse', 'cell_type']) await page.check(`#builder-labels input[value=${name}]`);
    await page.fill('[name=min_cells]', '16');
    await page.click('#builder-build');
    await page.waitForSelector('.builder-built:not([hidden])', { timeout: 120_000 });
    await opened.until('idle');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#builder-save')]);
    checks.equal('the bundle is called as it was named', download.suggestedFilename(), 'labelled.sextant.zip');
    const expected = await readFile(bundle);
    checks.equal('the bundle built in the browser has the bytes of the command’s', sha256(await readFile(await download.path())), sha256(expected));
    checks.equal('it is the reference now', await page.textContent('[data-field=checksum]'), sha256(expected));
    const said = await page.textContent('.builder-built');
    checks.that('what was left out is said, and how right its labels are', said.includes('left out, 29 of 500 cells') && /labels \d+\.\d % at coarse/.test(said), said);
    await shot(page, 'builder-built');

    await page.click('#builder-close');
    checks.that('the panel closes', await page.isHidden('#builder'));
    checks.equal('a query is read', await opened.reading(() => opened.chooseFile(QUERY)), 'ready');
    await opened.map();
    checks.sameBytes('mapped onto it, predictions.tsv has the bytes of the command’s', (await opened.download()).bytes, await readFile(path.join(out, 'predictions.tsv')));

    await writeFile(bad, 'gene,a,b\nCD3E,0.5,1.25\nLYZ,2.5,0.125\n');
    checks.equal('a file without counts is refused', await read(bad), 'error');
    const sentence = await page.textContent('.failure-message');
    checks.that('in a sentence', sentence.length > 40, sentence);
    checks.that('and the result that was there stays', await page.isVisible('#outcome'));
    quiet('from idle over the building and the mapping');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
