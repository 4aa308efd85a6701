// The file's own table of cells: shown, taken away, and as the colours of the map.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { QUIET_MS, quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const SCRIPT = path.join(path.dirname(fileURLToPath(import.meta.url)), 'metadata_files.py');
const python = (...words) => run(process.env.SEXTANT_PYTHON ?? 'python3', [SCRIPT, ...words]);
const CLASSES = 50;

/** What the page's table has, a line for each column. */
async function shownColumns(page) {
  return page.evaluate(() => [...document.querySelectorAll('#metadata tbody tr')].map((row) => ({
    name: row.querySelector('th bdi').title,
    kind: row.querySelector('.kind').textContent,
    values: [...row.querySelectorAll('.values li')].map((item) => [item.querySelector('bdi').title, item.querySelector('.number').textContent]),
    text: row.querySelector('td').textContent,
  })));
}

async function legend(page) {
  return page.evaluate(() => [...document.querySelectorAll('.legend-list button')].map((button) => ({
    key: button.dataset.class, name: button.querySelector('.legend-name').textContent, cells: Number(button.querySelector('.legend-count').textContent.replaceAll(',', '')) })));
}

/** Colours by a column of metadata and waits until the legend says so. */
async function colorBy(page, column, name) {
  await page.selectOption('#color-by', `metadata ${column}`);
  await page.waitForFunction((wanted) => document.querySelector('.legend-title bdi').textContent === wanted, name);
}

/** How many of the first rows of a table have each value of a column. */
function counted(table, column, rows) {
  const lines = table.toString('utf8').trimEnd().split('\n').map((line) => line.split('\t'));
  const counts = new Map();
  for (const line of lines.slice(1, rows + 1)) counts.set(line[column + 1], (counts.get(line[column + 1]) ?? 0) + 1);
  return counts;
}

export async function metadata(tools) {
  const { checks, server, context, demo, command, bundle, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-metadata-'));
  try {
    await python(demo, folder);
    const file = path.join(folder, 'metadata.h5ad');
    const { stdout } = await run(command, ['inspect', file, '--json'], { maxBuffer: 1 << 28 });
    await run(command, ['map', file, '--reference', bundle, '--out', path.join(folder, 'mapped')]);
    const columns = JSON.parse(stdout).metadata;
    const expected = await readFile(path.join(folder, 'mapped/metadata.tsv'));
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    const title = await page.title();
    checks.equal('a file with a table of cells is read', await opened.reading(() => opened.drop(file)), 'ready');
    await table(checks, page, columns);
    await shot(page, 'metadata');
    const { name, bytes } = await opened.download('#download-metadata');
    checks.equal('before anything is mapped it can be taken away as', name, 'metadata.tsv');
    checks.sameBytes('it has the bytes of the command’s', bytes, expected);
    const taken = path.join(folder, 'taken.tsv');
    await writeFile(taken, bytes);
    const said = await python('--compare', file, taken).then(() => '', (error) => error.stderr);
    checks.equal('pandas reads from it what anndata reads from the file', said, '');
    await opened.map();
    await colors(checks, page, columns, expected, shot);
    checks.equal('no letters of the file became markup', await page.locator('#query-metadata img, #query-metadata script, .legend img, #color-by b, #maps img').count(), 0);
    checks.equal('and none ran', await page.title(), title);
    await many(checks, opened, folder);
    await page.waitForTimeout(QUIET_MS);
    quiet('from idle over the metadata');
    checks.none('the console shows no error', opened.complaints);
    await small(tools, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function table(checks, page, columns) {
  checks.equal('how many columns there are is said', await page.textContent('#metadata summary'), `${columns.length} columns of metadata`);
  await page.click('#metadata summary');
  const shown = await shownColumns(page);
  checks.equal('the table has the columns of the command’s report', JSON.stringify(shown.map(({ name }) => name)), JSON.stringify(columns.map(({ name }) => name)));
  const by = (name) => shown.find((column) => column.name === name);
  checks.equal('categories stand with their cells, the most frequent first', JSON.stringify(by('donor').values), JSON.stringify([['anna', '200'], ['ben', '100'], ['zoë', '100']]));
  checks.that('missing values are counted', by('donor').text.endsWith('100 missing'), by('donor').text);
  checks.that('of many values the others are counted', /and [\d,]+ more values/.test(by('clone').text), by('clone').text);
  checks.that('numbers have a range', /^-12\.375 to 49\.875median [\d.]+ missing$/.test(by('depth').text), by('depth').text);
  checks.equal('truth is told from categories', by('passed').kind, 'true or false');
  checks.equal('text that differs for each cell is not listed', by('note').text, 'another value for each cell');
  const hostile = shown.find(({ name }) => name.startsWith('<img'));
  checks.that('markup of the file is text', hostile !== undefined && hostile.values.some(([value]) => value.startsWith('<img src=x')), hostile);
}

async function colors(checks, page, columns, expected, shot) {
  const cells = 499; // One of the 500 has no counts.
  const at = (name) => columns.findIndex((column) => column.name === name);
  const donors = counted(expected, at('donor'), cells);
  await colorBy(page, at('donor'), 'donor');
  const rows = await legend(page);
  checks.equal('the legend has every value', JSON.stringify(rows.map(({ name }) => name)), JSON.stringify(['anna', 'ben', 'zoë', 'missing']));
  checks.none('with its cells', rows.filter(({ name, cells: count }) => count !== donors.get(name === 'missing' ? '' : name)));
  await shot(page, 'metadata-colors');
  await page.click('.legend-list button >> nth=1');
  await page.click('#tab-cells');
  const shown = await page.textContent('#cell-count');
  checks.equal('a click on one keeps its cells in the table', shown, `${donors.get('ben')} of ${cells} cells, only ben`);
  checks.equal('which shows the column', await page.textContent('.cells-head [role=columnheader]:last-child'), 'donor');
  checks.none('for each cell', await page.evaluate(() => [...document.querySelectorAll('.cells-window .cells-row')].map((row) => row.lastChild.textContent).filter((text) => text !== 'ben')));
  await page.click('[data-all]');

  await colorBy(page, at('clone'), 'clone');
  const clones = await legend(page);
  const different = [...counted(expected, at('clone'), cells).keys()].filter((value) => value !== '').length;
  checks.equal('of many values fifty have a colour', clones.length, CLASSES + 2);
  checks.equal('the others are one', clones[CLASSES].name, `${different - CLASSES} other values`);
  checks.equal('and what is missing is another', clones[CLASSES + 1].cells, counted(expected, at('clone'), cells).get(''));
  checks.equal('together they are all cells', clones.reduce((sum, row) => sum + row.cells, 0), cells);

  await colorBy(page, at('depth'), 'depth');
  checks.that('numbers have a scale', await page.isVisible('.score-scale'));
  checks.equal('from the least to the greatest', await page.textContent('.scale-ends'), '-12.37518.7549.875');
  const missing = await legend(page);
  checks.equal('and what is missing is counted', missing.at(-1).cells, counted(expected, at('depth'), cells).get(''));
  await shot(page, 'metadata-numbers');
  const hostile = columns.findIndex(({ name }) => name.startsWith('<img'));
  await colorBy(page, hostile, columns[hostile].name);
  checks.equal('a value that is markup is a class as any other', (await legend(page)).length, 4);
  await page.click('#tab-labels');
  const label = await page.getAttribute('.labels-table tbody button', 'data-class');
  await page.click('.labels-table tbody button');
  await page.waitForSelector('.legend-list button[aria-pressed=true]');
  checks.equal('a click on a label colours by labels again', await page.getAttribute('.legend-list button[aria-pressed=true]', 'data-class'), label);
}

async function many(checks, opened, folder) {
  const { page } = opened;
  await opened.reading(() => opened.drop(path.join(folder, 'columns.h5ad')));
  checks.equal('of thousands of columns', await page.textContent('#metadata summary'), '2,000 columns of metadata');
  await page.click('#metadata summary');
  const rows = await page.locator('#metadata tbody tr').count();
  checks.that('some are listed', rows > 20 && rows < 200, rows);
  checks.equal('and the others counted', await page.textContent('#metadata-more'), `And ${(2000 - rows).toLocaleString('en')} more columns; all are in metadata.tsv.`);
  const { bytes } = await opened.download('#download-metadata');
  const [head] = bytes.toString('utf8').split('\n', 1);
  checks.equal('all are taken away', head.split('\t').length, 2001);
  await opened.reading(() => opened.drop(['metadata.h5ad', 'other.h5ad'].map((file) => path.join(folder, file))));
  await page.click('#metadata summary');
  const [sample] = await shownColumns(page);
  checks.equal('of several samples the first column tells them apart', JSON.stringify([sample.name, sample.values]), JSON.stringify(['sample', [['metadata', '500'], ['other', '100']]]));
}

/** A phone. */
async function small({ checks, server, browser, shot }, file) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce', hasTouch: true });
  const opened = await SextantPage.open(context, `${server.address}?renderer=2d`);
  const { page } = opened;
  await opened.until('idle');
  await opened.reading(() => opened.chooseFile(file));
  await page.click('#metadata summary');
  await page.locator('#metadata').scrollIntoViewIfNeeded();
  await shot(page, 'metadata-phone');
  await opened.map();
  await colorBy(page, 1, 'donor');
  await page.locator('#maps').scrollIntoViewIfNeeded();
  await shot(page, 'metadata-phone-colors');
  const { wide, high } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, high: window.innerWidth }));
  checks.that('on a phone nothing sticks out to the side', wide <= high, `${wide} of ${high} pixels`);
}
