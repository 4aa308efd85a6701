// A reference from disk: the one that Azimuth publishes is imported in the page, and so is one of Symphony, and each is the
// command's, byte for byte.

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
const PUBLISHED = path.join(DATA, 'azimuth/proteins.Rds');
const SYMPHONY = path.join(DATA, 'symphony/reference.rds');
const QUERY = path.join(DATA, 'golden/query.h5');

export async function referenceFromDisk(tools) {
  const { checks, server, context, command, dist, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-references-'));
  try {
    const [about, bundle, out] = ['about.json', 'proteins.sextant.zip', 'out'].map((name) => path.join(folder, name));
    await writeFile(about, JSON.stringify({ name: 'proteins', title: 'proteins' }));
    await run(command, ['reference', 'import', PUBLISHED, '--out', bundle, '--about', about]);
    await run(command, ['map', QUERY, '--reference', bundle, '--genes', path.join(dist, 'references/genes.sextant.table'), '--out', out, '--no-preservation']);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    const choose = async (file, facts) => {
      await page.setInputFiles('#reference-file', file);
      await page.waitForFunction((words) => document.querySelector('.reference-facts').textContent.includes(words), facts);
      await opened.until(['idle', 'ready']);
    };
    await choose(PUBLISHED, '250 cells');
    const card = await page.textContent('.reference-facts');
    checks.that('the card tells what was imported', card.includes('460 genes') && card.includes('9 proteins') && card.includes('celltype.l1 (3), celltype.l2 (8)'), card);
    checks.equal('it is chosen', await page.evaluate(() => document.querySelector('.reference-title').textContent), 'proteins (from disk)');
    const sum = createHash('sha256').update(await readFile(bundle)).digest('hex');
    checks.equal('the bundle has the bytes of the command’s', await page.textContent('[data-field=checksum]'), sum);
    checks.that('there is no demo of it', await page.isDisabled('#demo-button'));
    await shot(page, 'reference-from-disk');
    checks.equal('a query is read', await opened.reading(() => opened.chooseFile(QUERY)), 'ready');
    await opened.map();
    const table = await opened.download();
    checks.sameBytes('mapped onto it, predictions.tsv has the bytes of the command’s', table.bytes, await readFile(path.join(out, 'predictions.tsv')));

    await page.setInputFiles('#reference-file', QUERY);
    await page.waitForSelector('.failure-message:not(:empty)');
    const said = await page.textContent('.failure-message');
    checks.that('what is no reference is refused with a sentence', said.includes('This cannot be imported as a reference: it is no file that R'), said);
    const [aboutSymphony, symphony] = ['about_symphony.json', 'symphony.sextant.zip'].map((name) => path.join(folder, name));
    await writeFile(aboutSymphony, JSON.stringify({ name: 'reference', title: 'reference' }));
    await run(command, ['reference', 'import', SYMPHONY, '--out', symphony, '--about', aboutSymphony]);
    await choose(SYMPHONY, '300 cells');
    const sumOfSymphony = createHash('sha256').update(await readFile(symphony)).digest('hex');
    checks.equal('the bundle of a Symphony reference has the bytes of the command’s', await page.textContent('[data-field=checksum]'), sumOfSymphony);
    await choose(bundle, '250 cells');
    checks.equal('a bundle from disk is opened as it is', await page.textContent('[data-field=checksum]'), sum);
    quiet('from idle over the references from disk');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
