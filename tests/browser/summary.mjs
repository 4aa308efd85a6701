// The summary of a result: its counts are those of the command's tables, and what it picks out is what the table of cells shows.

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
const HIGH = 0.75;
const MANY = 1_000_000;

/** The rows of a table by the names of its columns. */
function rowsOf(bytes) {
  const [head, ...lines] = bytes.toString('utf8').trimEnd().split('\n').map((line) => line.split('\t'));
  return lines.map((line) => Object.fromEntries(head.map((name, at) => [name, line[at]])));
}

// The tables have the shortest digits that read back as the same 32-bit number.
const number = (text) => Math.fround(Number(text));

/** Name and number of cells of the four cases, and of the doubts. */
const cases = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.cases dt')].map((each) => [each.querySelector('span').textContent.trim(), Number(each.querySelector('button').dataset.cells)])));
const doubts = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.doubts li')].map((each) => [each.querySelector('.doubt-name').textContent, Number(each.dataset.cells)])));

/** The names of all cells that the table of cells shows, read by scrolling through it. */
async function shownCells(page) {
  return page.evaluate(async () => {
    const scroll = document.querySelector('.cells-scroll');
    const names = new Map();
    for (let top = 0; ; top += 150) {
      scroll.scrollTop = top;
      await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
      for (const row of document.querySelectorAll('.cells-window .cells-row')) names.set(Number(row.getAttribute('aria-rowindex')), row.querySelector('[role=cell]').textContent);
      if (top >= scroll.scrollHeight - scroll.clientHeight) break;
    }
    scroll.scrollTop = 0;
    return [...names].sort(([a], [b]) => a - b).map(([, name]) => name);
  });
}

export async function summary(tools) {
  const { checks, server, context, expected, expectedTables, shot } = tools;
  const rows = rowsOf(expected);
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  checks.that('before there is a result there is no summary', !(await page.isVisible('#findings')));
  await many(checks, page);
  const quiet = quietFrom(tools);
  await opened.loadDemo();
  await opened.map();
  checks.equal('a point stands for each cell', await page.getAttribute('.score-canvas canvas', 'data-drawn'), String(rows.length));
  await explained(checks, page);
  for (const level of ['l1', 'l2', 'l3']) await quadrants(checks, page, rows, level);
  const few = await fewCells(page);
  checks.that('the reference’s card names classes with few cells', few.length > 0, few);
  await doubtful(checks, page, rows, few);
  await selecting(checks, page, rows, few);
  await shot(page, 'summary');
  await keys(checks, page, rows);
  await doublets(checks, opened, rowsOf(expectedTables.doublets));
  await composition(checks, opened, rows);
  quiet('from idle over the summary');
  checks.none('the console shows no error', opened.complaints);
  await samples(tools);
  await narrow(tools);
}

/** What a figure means, opened and closed by the keyboard. */
async function explained(checks, page) {
  const names = await page.evaluate(() => [...document.querySelectorAll('.figures dt')].map((each) => each.textContent));
  for (const name of names) {
    await page.focus(`[data-figure="${name}"]`);
    await page.keyboard.press('Enter');
    const { text, expanded } = await page.evaluate((figure) => ({ text: document.querySelector('#figure-help').innerText, expanded: document.querySelector(`[data-figure="${figure}"]`).ariaExpanded }), name);
    checks.that(`“${name}” is explained`, expanded === 'true' && text.startsWith(name) && text.length > name.length + 60, text);
  }
  const bounds = async (name) => {
    await page.click(`[data-figure="${name}"]`);
    return page.textContent('#figure-help');
  };
  checks.that('with Azimuth’s bounds of anchors', /below 5 % red, from 5 to 15 % yellow, from 15 % green/.test(await bounds('Cells with anchors')));
  checks.that('and of cluster preservation', /below 2 red, from 2 to 3\.75 yellow, from 3\.75 green/.test(await bounds('Cluster preservation')));
  await page.focus('[data-figure="Cluster preservation"]');
  await page.keyboard.press('Space');
  checks.that('pressed again, the explanation closes', !(await page.isVisible('#figure-help')));
}

async function quadrants(checks, page, rows, level) {
  await page.selectOption('#findings-level', level);
  await page.waitForFunction((wanted) => document.querySelector('.composition caption').textContent.endsWith(wanted), level);
  for (const [choice, word, column] of [['score', 'prediction score', 'score'], ['sure', 'confidence', 'confidence']]) {
    await page.selectOption('#score-plot-which', choice);
    const count = (label, mapping) => rows.filter((row) => (number(row[`predicted.${level}.${column}`]) >= HIGH) === label && (number(row['mapping.score']) >= HIGH) === mapping).length;
    const wanted = Object.fromEntries([[true, true], [false, true], [true, false], [false, false]].map(([label, mapping]) => [`${label ? 'High' : 'Low'} ${word}, ${mapping ? 'high' : 'low'} mapping score:`, count(label, mapping)]));
    checks.equal(`${level}, ${word}: the corners have as many cells as predictions.tsv says`, JSON.stringify(await cases(page)), JSON.stringify(wanted));
  }
}

/** Classes that the card calls not validated; a coarser class may consist of one of them alone and is small too. */
async function fewCells(page) {
  const said = await page.evaluate(() => [...document.querySelectorAll('.reference-limits li')].map((each) => each.textContent).find((text) => text.startsWith('Not validated')) ?? '');
  return [...said.matchAll(/([\w.]+) \(\d+\)/g)].map(([, name]) => name);
}

const tests = (few) => ({
  'Called unknown': (row) => row.call === 'unknown',
  Unresolved: (row) => row.call === 'unresolved',
  'Confidence of l3 below 0.5': (row) => number(row['predicted.l3.confidence']) < 0.5,
  'Mapping score below 0.4': (row) => number(row['mapping.score']) < Math.fround(0.4),
  'Label of fewer than 20 reference cells': (row) => few.includes(row['predicted.l3']),
});

async function doubtful(checks, page, rows, few) {
  const wanted = Object.fromEntries(Object.entries(tests(few)).map(([name, test]) => [name, rows.filter(test).length]));
  checks.equal('as many cells deserve doubt as predictions.tsv and the card say', JSON.stringify(await doubts(page)), JSON.stringify(wanted));
}

async function selecting(checks, page, rows, few) {
  for (const [name, test] of Object.entries(tests(few))) {
    const wanted = rows.filter(test).map(({ cell }) => cell);
    if (wanted.length === 0) continue;
    await page.click(`.doubts button[aria-label$="${name}"]`);
    await page.waitForFunction((text) => document.querySelector('#selection-chip').textContent.startsWith(text), `${name}: ${wanted.length.toLocaleString('en')} cells`);
    checks.that(`${name}: the table of cells is shown`, await page.isVisible('#panel-cells'));
    if (wanted.length > 300) checks.that(`${name}: as many cells as said`, (await page.textContent('#cell-count')).startsWith(`${wanted.length.toLocaleString('en')} of`));
    else checks.equal(`${name}: exactly these cells, in the order of the file`, JSON.stringify(await shownCells(page)), JSON.stringify(wanted));
    checks.equal('and its button is pressed', await page.locator('#findings [aria-pressed=true]').count(), 1);
  }
  await page.selectOption('#score-plot-which', 'score');
  await page.click('.cases button >> nth=1');
  const split = rows.filter((row) => number(row['predicted.l3.score']) < HIGH && number(row['mapping.score']) >= HIGH);
  await page.waitForFunction(() => document.querySelector('#selection-chip').textContent.startsWith('Low prediction score of l3, high mapping score'));
  const ofCase = await page.textContent('#cell-count');
  checks.that('a corner’s count picks its cells out', ofCase.startsWith(`${split.length.toLocaleString('en')} of`), ofCase);
  checks.that('with the first of them', (await page.textContent('.cells-window [role=cell]')) === split[0].cell);
  await page.click('.doubts button >> nth=0');
  await page.click('.legend-list button >> nth=0');
  const wider = await page.textContent('#cell-count');
  checks.that('a class that is highlighted leaves only its cells of these', / only /.test(wider), wider);
  await page.waitForTimeout(700); // Not a double click.
  await page.click('.legend-list button >> nth=0');
}

/** All of it without the mouse. */
async function keys(checks, page, rows) {
  await page.focus('.doubts li:nth-child(2) button');
  await page.keyboard.press('Enter');
  const unresolved = rows.filter(({ call }) => call === 'unresolved').length;
  await page.waitForFunction(() => document.querySelector('#selection-chip').textContent.startsWith('Unresolved'));
  checks.equal('Enter on “Show these cells” goes to the table of cells', await page.evaluate(() => document.activeElement.id), 'tab-cells');
  checks.that('which has these', (await page.textContent('#cell-count')).startsWith(`${unresolved} of`));
  for (let press = 0; press < 6 && (await page.evaluate(() => document.activeElement.id)) !== 'selection-chip'; press += 1) await page.keyboard.press('Tab');
  checks.equal('Tab reaches the selection', await page.evaluate(() => document.activeElement.id), 'selection-chip');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('#selection-chip').hidden);
  checks.that('Enter ends it', (await page.textContent('#cell-count')).startsWith(`${rows.length.toLocaleString('en')} of`), await page.textContent('#cell-count'));
  checks.equal('the focus is not lost', await page.evaluate(() => document.activeElement.id), 'cell-filter');
  checks.equal('and no button is pressed', await page.locator('#findings [aria-pressed=true]').count(), 0);
  await page.focus('.doubts li:nth-child(2) button');
  await page.keyboard.press('Enter');
  await page.focus('.doubts li:nth-child(2) button');
  await page.keyboard.press('Enter');
  checks.that('pressed again, the button shows all cells', !(await page.isVisible('#selection-chip')));
}

async function doublets(checks, opened, rows) {
  const { page } = opened;
  checks.that('doublets are not listed before they are scored', !('Doublet score above 0.5' in (await doubts(page))));
  await page.click('#doublets-button');
  await page.waitForSelector('#doublets-button[hidden]', { state: 'attached', timeout: 120_000 });
  await opened.until('done');
  checks.equal('then as many as doublets.tsv says', (await doubts(page))['Doublet score above 0.5'], rows.filter((row) => number(row['doublet.score']) > 0.5).length);
}

/** Counts of a column's values. */
function counted(rows, key) {
  const counts = new Map();
  for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
  return counts;
}

async function composition(checks, opened, rows) {
  const { name, bytes } = await opened.download('#download-composition');
  checks.equal('the composition is saved as', name, 'composition.tsv');
  const table = rowsOf(bytes);
  checks.equal('its columns', Object.keys(table[0]).join(' '), 'level sample class cells share');
  for (const level of ['l1', 'l2', 'l3']) {
    const own = table.filter((row) => row.level === level);
    const wanted = counted(rows, (row) => row[`predicted.${level}`]);
    checks.that(`${level}: the cells of each class`, own.length === wanted.size && own.every((row) => Number(row.cells) === wanted.get(row.class)), own);
    checks.that('and the shares add up', Math.abs(own.reduce((sum, { share }) => sum + Number(share), 0) - 1) < 1e-9);
  }
  const shown = await opened.page.evaluate(() => [...document.querySelectorAll('.composition tbody tr')].map((row) => Number(row.dataset.cells)));
  checks.equal('the bars have the counts of the level that is shown', JSON.stringify(shown), JSON.stringify(table.filter((row) => row.level === 'l3').map((row) => Number(row.cells))));
}

/** By a column of the file's table of cells, with names that no table should trust. */
async function samples(tools) {
  const { checks, server, context, demo, command, bundle, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-summary-'));
  try {
    await run(process.env.SEXTANT_PYTHON ?? 'python3', [FILES, '--samples', demo, folder]);
    const file = path.join(folder, 'samples.h5ad');
    await run(command, ['map', file, '--reference', bundle, '--out', path.join(folder, 'mapped')]);
    const read = async (name) => rowsOf(await readFile(path.join(folder, 'mapped', name)));
    const rows = await read('predictions.tsv');
    const sampleOf = new Map((await read('metadata.tsv')).map((row) => [row.cell, row.sample]));
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const title = await page.title();
    checks.equal('a file with samples is read', await opened.reading(() => opened.chooseFile(file)), 'ready');
    await opened.map();
    await page.selectOption('#composition-by', { label: 'sample' });
    await page.waitForSelector('.stacked');
    checks.equal('a bar stands for each sample, and for cells of none', await page.locator('.stacked li').count(), new Set(sampleOf.values()).size);
    await page.locator('#download-composition').scrollIntoViewIfNeeded();
    await shot(page, 'summary-samples');
    const { bytes } = await opened.download('#download-composition');
    const table = rowsOf(bytes);
    const plain = (name) => name.replace(/^'/, '');
    for (const level of ['l1', 'l2', 'l3']) {
      const wanted = counted(rows, (row) => `${sampleOf.get(row.cell)}\t${row[`predicted.${level}`]}`);
      const own = table.filter((row) => row.level === level);
      const wrong = own.filter((row) => Number(row.cells) !== (wanted.get(`${plain(row.sample)}\t${row.class}`) ?? 0));
      checks.none(`${level}: each sample has the cells of each class that the command’s tables have`, wrong);
      checks.equal('and all cells are there', own.reduce((sum, row) => sum + Number(row.cells), 0), rows.length);
    }
    checks.none('no value begins a formula', table.flatMap((row) => Object.values(row)).filter((value) => /^[=+@-]/.test(value)));
    checks.that('a name that does is behind an apostrophe', table.some((row) => row.sample.startsWith("'=cmd")), [...new Set(table.map((row) => row.sample))]);
    checks.equal('no letters of the file became markup', await page.locator('#findings img, #findings script').count(), 0);
    checks.equal('and none ran', await page.title(), title);
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A million points are a picture, and each is drawn. */
async function many(checks, page) {
  const made = await page.evaluate(async (n) => {
    const { rasterise } = await import(new URL('plot/raster.js', document.baseURI).href);
    const { quadrantsOf } = await import(new URL('doubts.js', document.baseURI).href);
    const xs = Float32Array.from({ length: n }, (_, i) => (i * 0.6180339887498949) % 1);
    const ys = Float32Array.from({ length: n }, (_, i) => (i * Math.SQRT2) % 1);
    xs[5] = NaN;
    const rgba = new Uint8Array(4 * n).fill(235);
    const from = performance.now();
    const { picture, drawn } = rasterise({ xs, ys, rgba, order: Uint32Array.from({ length: n }, (_, i) => i), width: 700, height: 700, size: 3 });
    const { counts } = quadrantsOf(ys, xs);
    return { ms: performance.now() - from, drawn, counts, empty: picture.filter((_, at) => at % 4 === 3).filter((alpha) => alpha === 0).length };
  }, MANY);
  console.log(`     a million points took ${made.ms.toFixed(0)} ms`);
  checks.equal('of a million points all but the one without a place are drawn', made.drawn, MANY - 1);
  checks.equal('it is in no corner', made.counts[4], 1);
  checks.equal('the others are each in one', made.counts.reduce((sum, count) => sum + count, 0), MANY);
  checks.equal('they fill the picture', made.empty, 0);
}

/** On a phone in the dark. */
async function narrow({ checks, server, browser, shot }) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce' });
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  await opened.loadDemo();
  await opened.map();
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: window.innerWidth }));
  checks.that('on a phone nothing of it sticks out', wide <= screen, `${wide} of ${screen} pixels`);
  await page.locator('#findings').scrollIntoViewIfNeeded();
  await shot(page, 'summary-phone');
}
