// Proteins that are imputed from the reference: the colours of the map, and the tables.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const CHOSEN = 'CD19';
const BATCH = 1000;

export async function proteins(tools) {
  const { checks, server, context, demo, command, bundle, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-proteins-'));
  const tables = async (name, ...words) => {
    const out = path.join(folder, name);
    await run(command, ['map', demo, '--reference', bundle, '--out', out, '--proteins', '--no-preservation', ...words], { maxBuffer: 1 << 28 });
    return Promise.all(['proteins.tsv', 'protein_markers.tsv'].map((table) => readFile(path.join(out, table))));
  };
  try {
    const [values, markers] = await tables('whole');
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    const head = values.toString('utf8').split('\n')[0].split('\t').slice(1);
    checks.that('the card of the reference says that it has proteins', (await page.textContent('.reference-facts')).includes(`${head.length} proteins`));
    await opened.loadDemo();
    await opened.map();
    const offered = await page.evaluate(() => [...document.querySelectorAll('#color-by optgroup')].filter(({ label }) => label.startsWith('Imputed')).map(({ label, children }) => [label, ...[...children].map((each) => each.textContent)]));
    checks.equal('each protein is offered as a colour, and called imputed', JSON.stringify(offered), JSON.stringify([['Imputed proteins, not measured', ...head]]));
    const before = await page.locator('#query-plot .surface').screenshot();
    await page.selectOption('#color-by', { label: CHOSEN });
    await page.waitForFunction((name) => document.querySelector('.legend-title bdi').textContent === name, `${CHOSEN} (imputed)`);
    const scale = await page.evaluate(() => [document.querySelector('.score-scale bdi').textContent, ...[...document.querySelectorAll('.scale-ends span')].map((end) => end.textContent)]);
    const column = values.toString('utf8').trimEnd().split('\n').slice(1).map((line) => Number(line.split('\t')[head.indexOf(CHOSEN) + 1]));
    const ends = [Math.min(...column), Math.max(...column)];
    checks.equal('the legend says of which protein its scale is', scale[0], `${CHOSEN} (imputed)`);
    const near = (text, number) => Math.abs(Number(text) - number) <= 1e-3 * Math.abs(number) + 1e-9;
    checks.that('and ends at the least and the most of it', near(scale[1], ends[0]) && near(scale[3], ends[1]), `${scale} and ${ends}`);
    checks.that('the map has other colours', !before.equals(await page.locator('#query-plot .surface').screenshot()));
    await shot(page, 'proteins');
    const table = await opened.download('#download-proteins');
    checks.equal('the values are called', table.name, 'proteins.tsv');
    checks.sameBytes('proteins.tsv has the bytes of the command’s', table.bytes, values);
    const ofTypes = await opened.download('#download-protein-markers');
    checks.equal('the markers are called', ofTypes.name, 'protein_markers.tsv');
    checks.sameBytes('protein_markers.tsv has the bytes of the command’s', ofTypes.bytes, markers);
    quiet('from idle over the proteins to the export');
    checks.none('the console shows no error', opened.complaints);
    await batches(tools, opened, await tables('batches', '--batch', String(BATCH)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In batches they are kept while the weights are there. */
async function batches({ checks }, opened, [values, markers]) {
  const { page } = opened;
  await opened.reading(() => page.evaluate((batch) => document.dispatchEvent(new CustomEvent('sextant:options', { detail: { batch } })), BATCH));
  await opened.map();
  const table = await opened.download('#download-proteins');
  checks.sameBytes('of batches, too, proteins.tsv has the bytes of the command’s', table.bytes, values);
  const ofTypes = await opened.download('#download-protein-markers');
  checks.sameBytes('and so has protein_markers.tsv', ofTypes.bytes, markers);
}
