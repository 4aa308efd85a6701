// Every control of the page that has an option of the command for a twin: both give the same bytes.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const FILES = path.join(path.dirname(fileURLToPath(import.meta.url)), 'metadata_files.py');

export async function controls(tools) {
  const { checks, server, context } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-controls-'));
  const opened = await SextantPage.open(context, server.address);
  try {
    await opened.until('idle');
    const quiet = quietFrom(tools);
    await opened.loadDemo();
    await opened.map();
    const cells = await opened.page.textContent('.figures dd');
    await doublets(tools, opened);
    const clustered = await clusters(tools, opened, folder);
    await markers(tools, opened, folder, clustered);
    checks.equal('no cell was removed', await opened.page.textContent('.figures dd'), cells);
    await ownLimits(tools, opened, folder);
    await samples(tools, opened, folder);
    quiet('from idle over every control');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the command and gives a reader of what it wrote. */
async function command({ command: sextant }, folder, name, words) {
  const out = path.join(folder, name);
  await run(sextant, [...words, '--out', out], { maxBuffer: 1 << 28 });
  return (table) => readFile(path.join(out, table));
}

const heads = (page) => page.evaluate(() => [...document.querySelectorAll('#panel-cells .cells-head [role=columnheader]')].map((head) => head.textContent));

async function doublets({ checks, expectedTables, shot }, opened) {
  const { page } = opened;
  checks.that('before they are asked for, no doublet score stands in the table of cells', !(await heads(page)).includes('Doublet score'));
  await page.click('#doublets-button');
  await page.waitForSelector('#doublets-button[hidden]', { state: 'attached', timeout: 120_000 });
  await opened.until('done');
  checks.equal('the cells are coloured by it', await page.textContent('.score-scale bdi, .legend-title bdi'), 'Doublet score');
  checks.that('with a scale', await page.isVisible('.score-scale'));
  await page.click('#tab-cells');
  const columns = await heads(page);
  checks.equal('and it is the last column of the table of cells', columns.at(-1), 'Doublet score');
  const first = await page.evaluate(() => document.querySelector('.cells-window .cells-row').lastElementChild.textContent);
  const line = expectedTables.doublets.toString('utf8').split('\n')[1];
  checks.equal('with the score of the command', first, Math.fround(Number(line.split('\t')[1])).toFixed(3));
  await shot(page, 'doublets');
  await page.selectOption('#color-by', { index: 0 });
  checks.equal('coloured by labels the column stays', (await heads(page)).at(-1), 'Doublet score');
  const table = await opened.download('#download-doublets');
  checks.sameBytes('doublets.tsv has the bytes of the command’s', table.bytes, expectedTables.doublets);
}

async function clusters(tools, opened, folder) {
  const { checks, demo, bundle, shot } = tools;
  const { page } = opened;
  const words = ['map', demo, '--reference', bundle, '--no-own-umap', '--no-preservation', '--markers', 'none', '--clusters=1.6', '--clusters-method', 'leiden'];
  const read = await command(tools, folder, 'clusters', words);
  await page.fill('#resolution', '7');
  await page.click('#cluster-button');
  checks.equal('a resolution above 5 is not taken', await page.getAttribute('#status', 'data-state'), 'done');
  await page.fill('#resolution', '1.6');
  await page.selectOption('#cluster-method', 'leiden');
  await page.click('#cluster-button');
  await page.waitForFunction(() => document.querySelector('.legend-title bdi').textContent === 'Own clusters', null, { timeout: 120_000 });
  await opened.until('done');
  const { sizes, resolution, method } = JSON.parse(await read('summary.json')).clusters;
  checks.equal('the command clustered in the same way', `${resolution} ${method}`, '1.6 leiden');
  const shown = await page.evaluate(() => [...document.querySelectorAll('.legend-list .legend-count')].map((count) => Number(count.textContent.replaceAll(',', ''))));
  checks.equal('by Leiden at resolution 1.6 the clusters are the command’s', JSON.stringify(shown), JSON.stringify(sizes));
  const table = await opened.download('#download-clusters');
  checks.sameBytes('clusters.tsv has the bytes of the command’s', table.bytes, await read('clusters.tsv'));
  await shot(page, 'clusters_leiden');
  return path.join(folder, 'clusters', 'clusters.tsv');
}

async function markers(tools, opened, folder, clustered) {
  const { checks, demo, bundle, shot } = tools;
  const { page } = opened;
  const same = async (statement, name, words, more = async () => {}) => {
    await more();
    const { bytes } = await opened.download('#download-markers');
    const read = await command(tools, folder, name, words);
    checks.sameBytes(statement, bytes, await read('markers.tsv'));
    await opened.until('done');
  };
  const ways = await page.evaluate(() => [...document.querySelectorAll('#markers-by option')].map(({ value }) => value));
  const level = ways.find((way) => way.startsWith('level ')).slice(6);
  const onto = ['map', demo, '--reference', bundle, '--no-preservation'];
  await same('marker genes of one level in Azimuth’s table', 'azimuth', [...onto, '--markers', level, '--markers-method', 'azimuth'], async () => {
    await page.selectOption('#markers-by', `level ${level}`);
    await page.selectOption('#markers-table', 'azimuth');
  });
  await page.selectOption('#markers-table', 'all');
  const types = mostFrequent(tools.expected, `predicted.${level}`);
  await same('all genes of one type against all other cells', 'one', [...onto, '--markers', level, '--markers-top', 'all', '--markers-group', types[0]], () => page.selectOption('#markers-group', types[0]));
  await shot(page, 'markers');
  await page.selectOption('#markers-table', 'normalised');
  await same('one type against another', 'pair', [...onto, '--markers', level, '--markers-group', types[0], '--markers-against', types[1]], () => page.selectOption('#markers-against', types[1]));
  checks.that('a type is not offered against itself', !(await page.evaluate(() => [...document.querySelectorAll('#markers-against option')].map(({ value }) => value))).includes(types[0]));
  await same('marker genes of the own clusters', 'of_clusters', ['markers', demo, '--groups', clustered, '--group-by', 'cluster'], () => page.selectOption('#markers-by', 'clusters'));
  await page.selectOption('#markers-by', 'levels');
  const { bytes } = await opened.download('#download-markers');
  checks.sameBytes('back to every level', bytes, tools.expectedMarkers);
  await opened.until('done');
}

/** The two values that most cells have in a column of a table. */
function mostFrequent(table, column) {
  const [head, ...lines] = table.toString('utf8').trimEnd().split('\n').map((line) => line.split('\t'));
  const cells = new Map();
  for (const line of lines) cells.set(line[head.indexOf(column)], (cells.get(line[head.indexOf(column)]) ?? 0) + 1);
  return [...cells].sort((a, b) => b[1] - a[1]).slice(0, 2).map(([value]) => value);
}

async function ownLimits(tools, opened, folder) {
  const { checks, demo, bundle, shot } = tools;
  const { page } = opened;
  await page.click('#limits > summary');
  const limits = { min_counts: '1500', max_counts: '6000', max_percent_mt: '3.5' };
  const all = await page.textContent('#query-facts dd');
  for (const [name, value] of Object.entries(limits)) await page.fill(`#own-limits input[name=${name}]`, value);
  const remain = (await page.textContent('#own-remain')).match(/^([\d,]+) of/)[1];
  await shot(page, 'own_limits');
  await page.click('#own-filter-button');
  await page.waitForSelector('[data-field=cells_left_out]');
  await opened.until('ready');
  await opened.map();
  checks.equal('as many cells are mapped as the limits said', await page.textContent('.figures dd'), remain);
  const filter = Object.entries(limits).map(([name, value]) => `${name}=${value}`).join(',');
  const read = await command(tools, folder, 'filtered', ['map', demo, '--reference', bundle, '--no-preservation', '--markers', 'none', '--filter', filter]);
  checks.sameBytes('the labels are those of the command’s --filter', (await opened.download()).bytes, await read('predictions.tsv'));
  checks.sameBytes('qc.tsv too', (await opened.download('#download-qc')).bytes, await read('qc.tsv'));
  checks.equal('the limits stay where they were typed', await page.inputValue('#own-limits input[name=max_counts]'), '6000');
  await page.click('#filter-button');
  await page.waitForSelector('[data-field=cells_left_out]', { state: 'detached' });
  await opened.until('ready');
  checks.equal('and there is a way back', await page.textContent('#query-facts dd'), all);
}

/** A file whose table of cells tells donors apart. */
async function samples(tools, opened, folder) {
  const { checks, demo, bundle, shot } = tools;
  const { page } = opened;
  await run(process.env.SEXTANT_PYTHON ?? 'python3', [FILES, demo, folder]);
  const file = path.join(folder, 'metadata.h5ad');
  await opened.reading(() => opened.chooseFile(file));
  if (!(await page.isVisible('#sample-column-select'))) await page.click('#limits > summary');
  await opened.reading(() => page.selectOption('#sample-column-select', 'donor'));
  await page.check('#per-sample');
  await opened.map();
  const onto = ['map', file, '--reference', bundle, '--no-preservation', '--markers', 'none', '--samples', 'donor'];
  const read = await command(tools, folder, 'per_sample', [...onto, '--per-sample']);
  const predictions = (await opened.download()).bytes;
  checks.sameBytes('mapped sample by sample the labels are the command’s', predictions, await read('predictions.tsv'));
  const together = await (await command(tools, folder, 'together', onto))('predictions.tsv');
  checks.that('and other ones than of all samples together', !predictions.equals(together));
  const { samples: outcomes } = JSON.parse(await read('summary.json'));
  const rows = await page.evaluate(() => [...document.querySelectorAll('#samples-outcome tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent)));
  const expected = outcomes.map((each) => [each.sample ?? 'no sample', String(each.cells), each.by_itself ? each.median_mapping_score.toFixed(3) : 'too few cells or anchors', each.median_mapping_score_together.toFixed(3)]);
  checks.equal('each sample comes out as with the command', JSON.stringify(rows), JSON.stringify(expected));
  await shot(page, 'per_sample');
  const donor = await page.evaluate(() => [...document.querySelectorAll('#markers-by option')].find(({ textContent }) => textContent === 'column: donor').value);
  await page.selectOption('#markers-by', donor);
  const found = (await opened.download('#download-markers')).bytes;
  const groups = await command(tools, folder, 'donors', ['markers', file, '--group-by', 'donor']);
  checks.sameBytes('marker genes of a column of the file', found, await groups('markers.tsv'));
  await page.uncheck('#per-sample');
  await opened.map();
  checks.sameBytes('and all together again', (await opened.download()).bytes, together);
}
