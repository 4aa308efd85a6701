// Cells that are selected on the maps, with the mouse and with the keyboard, and the comparison of two columns of cells.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const SCRIPT = path.join(path.dirname(fileURLToPath(import.meta.url)), 'metadata_files.py');
const REFERENCE = '#reference-plot .surface';
const QUERY = '#query-plot .surface';
// Corners in shares of the plot, further apart than the page thins a lasso; they cross, so that even and odd differ.
const LASSO = [[0.1, 0.12], [0.9, 0.2], [0.32, 0.86], [0.5, 0.05], [0.85, 0.92], [0.08, 0.6], [0.55, 0.45]];

/** What the page hears of its workers and says to its controller, kept for the test. */
function record() {
  window.heard = [];
  window.selected = null;
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(...words) {
      super(...words);
      this.addEventListener('message', ({ data }) => { if (data.value?.layout) window.heard.push(data.value); });
    }
  };
  document.addEventListener('sextant:select', ({ detail }) => { window.selected = detail.cells && { name: detail.name, cells: [...detail.cells] }; });
}

/** The cells inside of a polygon on the screen by the textbook's rule, each edge tried on each cell, in the view of everything. */
async function naive(page, surface, corners) {
  return page.evaluate(async ({ at, ring }) => {
    const [{ Camera }, { boundsOf }] = await Promise.all([import('./plot/camera.js'), import('./plot/grid.js')]);
    const reference = window.heard.findLast(({ about }) => about).layout;
    const query = window.heard.findLast(({ mappingScores }) => mappingScores)?.layout;
    const box = document.querySelector(at).getBoundingClientRect();
    const { width, height } = box; // They need not be whole, as clientWidth is.
    const camera = new Camera();
    const first = document.querySelector('#reference-plot .surface');
    camera.setHome(boundsOf(reference, query ?? []), first.clientWidth, first.clientHeight);
    const layout = at.startsWith('#query') ? query : reference;
    const outline = ring.map(([x, y]) => camera.toLayout(x - box.left, y - box.top, width, height));
    const found = [];
    for (let i = 0; i < layout.length / 2; i += 1) {
      let inside = false;
      outline.forEach(([x, y], corner) => {
        const [toX, toY] = outline.at(corner - 1);
        if ((y > layout[2 * i + 1]) !== (toY > layout[2 * i + 1]) && layout[2 * i] < ((toX - x) * (layout[2 * i + 1] - y)) / (toY - y) + x) inside = !inside;
      });
      if (inside) found.push(i);
    }
    return found;
  }, { at: surface, ring: corners });
}

async function toScreen(page, surface, shares) {
  await page.evaluate((at) => document.querySelector(at).scrollIntoView({ block: 'center', behavior: 'instant' }), surface);
  const box = await page.locator(surface).boundingBox();
  return shares.map(([x, y]) => [Math.round(box.x + x * box.width), Math.round(box.y + y * box.height)]);
}

/** Draws along places on the screen with the mouse held down. */
async function drag(page, places, held = null) {
  if (held) await page.keyboard.down(held);
  await page.mouse.move(...places[0]);
  await page.mouse.down();
  for (const place of places.slice(1)) await page.mouse.move(...place);
  await page.mouse.up();
  if (held) await page.keyboard.up(held);
}

const corners = ([[left, top], [right, bottom]]) => [[left, top], [right, top], [right, bottom], [left, bottom]];
const chosen = (page) => page.evaluate(() => window.selected?.cells ?? null);
const words = (page, map = 'query') => page.textContent(`[data-map=${map}] .selection-count`);
const tool = (page) => page.getAttribute('[data-tool-choice][aria-pressed=true]', 'data-tool-choice');
const said = (map, count, all) => `${map}: ${count.toLocaleString('en')} of ${all.toLocaleString('en')} selected (${((100 * count) / all).toFixed(1)} %)`;

/** The lines of a table, each by the names of its columns. */
function table(bytes) {
  const [head, ...lines] = bytes.toString('utf8').trimEnd().split('\n').map((line) => line.split('\t'));
  return { head, lines: lines.map((line) => Object.fromEntries(line.map((value, at) => [head[at], value]))) };
}

export async function selection(tools) {
  const { checks, server, context, demo, command, bundle, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-selection-'));
  try {
    await run(process.env.SEXTANT_PYTHON ?? 'python3', [SCRIPT, demo, folder]);
    const file = path.join(folder, 'metadata.h5ad');
    await run(command, ['map', file, '--reference', bundle, '--out', path.join(folder, 'mapped'), '--markers', 'none'], { maxBuffer: 1 << 28 });
    const [predictions, metadata] = (await Promise.all(['predictions', 'metadata'].map((name) => readFile(path.join(folder, `mapped/${name}.tsv`))))).map(table);
    await context.addInitScript(record);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    await ofReference(checks, page);
    await opened.reading(() => opened.drop(file));
    await opened.map();
    const cells = predictions.lines.length;
    const picked = await withMouse(checks, page, cells, shot);
    await withKeys(checks, page, predictions, cells, picked);
    await compared(checks, opened, predictions, metadata.lines.slice(0, cells), shot);
    quiet('from idle over selections to the comparison');
    await opened.map();
    checks.equal('another mapping begins without a selection', await words(page), '');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Before there is a query, cells of the reference are counted by class. */
async function ofReference(checks, page) {
  await page.click('[data-tool-choice=box]');
  const places = await toScreen(page, REFERENCE, [[0.2, 0.2], [0.7, 0.8]]);
  await drag(page, places);
  const expected = await naive(page, REFERENCE, corners(places));
  const { all, most } = await page.evaluate((found) => {
    const { codes, about } = window.heard.findLast((each) => each.about);
    const counts = new Map();
    for (const cell of found) counts.set(codes[0][cell], (counts.get(codes[0][cell]) ?? 0) + 1);
    const [code, count] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
    return { all: codes[0].length, most: `${about.levels[0].classes[code].name} ${count.toLocaleString('en')}` };
  }, expected);
  checks.equal('a box on the reference’s map counts its cells', await words(page, 'reference'), said('Reference', expected.length, all));
  checks.equal('by class, the most frequent first', await page.textContent('[data-map=reference] .selection-class >> nth=0'), most);
  checks.equal('they are no cells of the query', await chosen(page), null);
  await page.click('[data-map=reference] [data-act=clear]');
  checks.equal('and can be let go', await words(page, 'reference'), '');
}

async function withMouse(checks, page, cells, shot) {
  const equal = async (statement, expected) => checks.equal(statement, JSON.stringify(await chosen(page)), JSON.stringify(expected));
  const drawn = await toScreen(page, QUERY, LASSO);
  await page.click('[data-tool-choice=lasso]');
  const before = await page.locator(QUERY).screenshot();
  await toScreen(page, QUERY, LASSO);
  await drag(page, drawn);
  const lasso = await naive(page, QUERY, drawn);
  checks.that('the lasso holds some cells and not all', lasso.length > 10 && lasso.length < cells - 10, lasso.length);
  await equal('a lasso selects what lies inside of it, by the rule of even and odd', lasso);
  checks.equal('the count is said', await words(page), said('Your cells', lasso.length, cells));
  await page.mouse.move(2, 2);
  checks.that('the others turn pale', !before.equals(await page.locator(QUERY).screenshot()));
  await shot(page, 'selection-lasso');
  await page.keyboard.press('b');
  checks.equal('the key B takes the box', await tool(page), 'box');
  const more = await toScreen(page, QUERY, [[0.05, 0.05], [0.5, 0.5]]);
  await drag(page, more, 'Shift');
  const box = await naive(page, QUERY, corners(more));
  const both = [...new Set([...lasso, ...box])].sort((a, b) => a - b);
  checks.that('the box adds some', both.length > lasso.length, both.length);
  await equal('with Shift a box adds to the selection', both);
  const fewer = await toScreen(page, QUERY, [[0.3, 0.15], [0.8, 0.6]]);
  await drag(page, fewer, 'Alt');
  const gone = new Set(await naive(page, QUERY, corners(fewer)));
  const rest = both.filter((cell) => !gone.has(cell));
  checks.that('the next box takes some away', rest.length < both.length && rest.length > 0, rest.length);
  await equal('with Alt it takes away', rest);
  await drag(page, [fewer[0], fewer[0].map((at) => at + 1)]);
  await equal('a click changes nothing', rest);
  await page.click('[data-map=query] [data-act=invert]');
  const others = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => !rest.includes(cell));
  await equal('Invert selects all others', others);
  return others;
}

async function withKeys(checks, page, predictions, cells, before) {
  // Escape in the middle of a drag drops it, and once more ends the tool.
  const places = await toScreen(page, QUERY, [[0.2, 0.2], [0.6, 0.6]]);
  await page.mouse.move(...places[0]);
  await page.mouse.down();
  await page.mouse.move(...places[1]);
  await page.waitForFunction(() => /inside$/.test(document.querySelector('[data-map=query] .selection-count').textContent));
  const inside = (await naive(page, QUERY, corners(places))).length;
  checks.equal('while it is drawn the count is live', await words(page), `Your cells: ${inside.toLocaleString('en')} inside`);
  await page.keyboard.press('Escape');
  await page.mouse.up();
  checks.equal('Escape drops what is being drawn', JSON.stringify(await chosen(page)), JSON.stringify(before));
  checks.equal('and leaves the tool', await tool(page), 'box');
  await page.keyboard.press('Escape');
  checks.equal('pressed again it ends the tool', await tool(page), 'pan');
  await page.keyboard.press('l');
  checks.equal('the key L takes the lasso', await tool(page), 'lasso');
  await page.keyboard.press('v');
  checks.equal('the key V moves the maps again', await tool(page), 'pan');
  await page.click('[data-map=query] [data-act=clear]');
  checks.equal('Clear selects none', await chosen(page), null);

  const level = await page.textContent('.legend-title bdi');
  const names = await page.evaluate(() => [...document.querySelectorAll('.legend-list button')].map((button) => button.dataset.class));
  const of = (name) => predictions.lines.flatMap((line, cell) => (line[`predicted.${level}`] === name ? [cell] : []));
  await page.focus('.legend-list button >> nth=0');
  await page.keyboard.press('s');
  checks.equal('S on a class of the legend selects its cells', JSON.stringify(await chosen(page)), JSON.stringify(of(names[0])));
  checks.equal('under its name', await page.evaluate(() => window.selected.name), names[0]);
  checks.that('and does not highlight it', (await page.locator('.legend-list button[aria-pressed=true]').count()) === 0);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+S');
  const two = [...of(names[0]), ...of(names[1])].sort((a, b) => a - b);
  checks.equal('Shift and S add another class', JSON.stringify(await chosen(page)), JSON.stringify(two));
  checks.equal('and both are counted', await words(page), said('Your cells', two.length, cells));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Alt+S');
  checks.equal('Alt and S take one away', JSON.stringify(await chosen(page)), JSON.stringify(of(names[1])));
  await page.fill('#gene-input', 'vlb');
  checks.equal('letters in a field of text are letters', await tool(page), 'pan');
  await page.fill('#gene-input', '');
  await page.click('[data-map=query] [data-act=clear]');
}

const shownTable = (page) => page.evaluate(() => ({
  head: [...document.querySelectorAll('.compare-table thead bdi')].map((name) => name.textContent),
  rows: [...document.querySelectorAll('.compare-table tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent)),
}));

async function compared(checks, opened, predictions, metadata, shot) {
  const { page } = opened;
  const levels = predictions.head.filter((name) => /^predicted\.[^.]+$/.test(name));
  const fine = levels.at(-1);
  await page.click('#tab-compare');
  await page.waitForSelector('.compare-table');
  checks.equal('at first a column of the file stands beside the finest label', (await shownTable(page)).head[0], 'donor');
  const donors = metadata.map(({ donor }) => donor || 'missing');
  const labels = predictions.lines.map((line) => line[fine]);
  const count = (row, column) => donors.filter((donor, cell) => donor === row && labels[cell] === column).length;
  const { head, rows } = await shownTable(page);
  checks.equal('each of its values is a row, what is missing last', JSON.stringify([rows.map(([name]) => name).sort(), rows.at(-1)[0]]), JSON.stringify([[...new Set(donors)].sort(), 'missing']));
  checks.equal('each label is a column', JSON.stringify(head.slice(1, -2).sort()), JSON.stringify([...new Set(labels)].sort()));
  checks.none('the counts are those of predictions.tsv and the file', rows.flatMap(([name, ...numbers]) => head.slice(1, -2).flatMap((label, at) => (Number(numbers[at].replaceAll(',', '')) === count(name, label) ? [] : [[name, label, numbers[at]]]))));
  checks.none('the commonest label of each row stands at its end, with its share', rows.filter(([name, ...rest]) => {
    const all = donors.filter((donor) => donor === name).length;
    const most = Math.max(...labels.map((label) => count(name, label)));
    const [, label, share] = /^(.*) ([\d.]+ %)$/.exec(rest.at(-1));
    return count(name, label) !== most || share !== `${((100 * most) / all).toFixed(1)} %`;
  }));
  await page.locator('#tables').scrollIntoViewIfNeeded();
  await shot(page, 'compare');
  await clicked(checks, page, count);
  await shares(checks, opened, rows.length);

  const sortedBy = async (name) => {
    await page.locator('.compare-table thead button', { hasText: new RegExp(`^${name}$`) }).click();
    return (await shownTable(page)).rows.slice(0, -1).map(([first]) => first);
  };
  await page.selectOption('#compare-mode', 'counts');
  checks.equal('a head sorts the rows', JSON.stringify(await sortedBy('donor')), JSON.stringify(['anna', 'ben', 'zoë']));
  checks.equal('pressed again the other way', JSON.stringify(await sortedBy('donor')), JSON.stringify(['zoë', 'ben', 'anna']));

  await page.selectOption('#compare-rows', 'call');
  await page.waitForFunction(() => document.querySelector('.compare-table thead bdi').textContent === 'call');
  const calls = (await shownTable(page)).rows.map(([name, ...rest]) => [name, Number(rest.at(-2).replaceAll(',', ''))]);
  checks.none('calls have the cells of predictions.tsv', calls.filter(([name, cells]) => predictions.lines.filter(({ call }) => call === name).length !== cells));
  checks.equal('which are all cells', calls.reduce((sum, [, cells]) => sum + cells, 0), labels.length);
  await page.selectOption('#compare-rows', { label: 'clone' });
  await page.waitForFunction(() => document.querySelector('.compare-table thead bdi').textContent === 'clone');
  const clones = (await shownTable(page)).rows.map(([name]) => name);
  checks.that('of many values fifty are rows, then the others and those missing', clones.length === 52 && / other values$/.test(clones[50]) && clones[51] === 'missing', clones.slice(48));
  checks.equal('measurements are not offered', await page.locator('#compare-rows option', { hasText: /^depth$/ }).count(), 0);
  await hostile(checks, opened);
  await ofClusters(checks, opened);
}

/** A number, or the name of a row, selects its cells. */
async function clicked(checks, page, count) {
  const [row, column] = await page.evaluate(() => {
    const button = document.querySelector('.compare-table td button');
    const { textContent: label } = document.querySelectorAll('.compare-table thead bdi')[button.closest('td').cellIndex];
    button.click();
    return [button.closest('tr').cells[0].textContent, label];
  });
  checks.equal('a click on a number selects its cells', (await chosen(page)).length, count(row, column));
  checks.equal('under the names of both', await page.evaluate(() => window.selected.name), `${row} × ${column}`);
  await page.focus('.compare-table td button[tabindex="0"]');
  const from = await page.evaluate(() => document.activeElement.closest('td').cellIndex);
  await page.keyboard.press('ArrowRight');
  const to = await page.evaluate(() => document.activeElement.closest('td')?.cellIndex);
  checks.that('arrows move to the next number', to > from, [from, to]);
  checks.equal('one number alone is a stop of the Tab key', await page.locator('.compare-table td button[tabindex="0"]').count(), 1);
  await page.keyboard.press('Enter');
  checks.that('and Enter selects', /×/.test(await page.evaluate(() => window.selected.name)));
}

async function shares(checks, opened, rows) {
  const { page } = opened;
  await page.selectOption('#compare-mode', 'rows');
  const shown = (await shownTable(page)).rows.map(([, ...rest]) => rest.slice(0, -2).reduce((sum, text) => sum + Number.parseFloat(text), 0));
  checks.none('per cent of a row add up to 100, as they are rounded', shown.filter((sum) => Math.abs(sum - 100) > 0.05 * 40));
  const { name, bytes } = await opened.download('#download-compare');
  const { head, lines } = table(bytes);
  checks.equal('the table is called', name, 'compare.tsv');
  checks.equal('it has a line for each row', lines.length, rows);
  const within = head.slice(1, -3);
  checks.none('in which they add up to 100', lines.map((line) => within.reduce((sum, each) => sum + Number(line[each]), 0)).filter((sum) => Math.abs(sum - 100) > 1e-9));
  await page.selectOption('#compare-mode', 'columns');
  const { lines: down } = table((await opened.download('#download-compare')).bytes);
  checks.none('and those of each column, too', within.map((each) => down.reduce((sum, line) => sum + Number(line[each]), 0)).filter((sum) => Math.abs(sum - 100) > 1e-9));
}

/** Names that are markup, or would break a table. */
async function hostile(checks, opened) {
  const { page } = opened;
  const key = await page.evaluate(() => [...document.querySelectorAll('#compare-rows option')].find(({ textContent }) => textContent.startsWith('<img')).value);
  await page.selectOption('#compare-rows', key);
  await page.waitForFunction(() => document.querySelector('.compare-table thead bdi').textContent.startsWith('<img'));
  checks.equal('no letters of the file became markup', await page.locator('#panel-compare img, #panel-compare b, #selection img').count(), 0);
  const { lines, head } = table((await opened.download('#download-compare')).bytes);
  checks.equal('nor lines of the table', lines.length, 4);
  checks.none('every line has all columns', lines.filter((line) => Object.keys(line).length !== head.length));
  const guarded = await page.evaluate(async () => {
    const { compareTable } = await import('./confusion.js');
    const names = ['=1+1', '+A1', '-2', '-x', '@SUM(A1)', '\t=2', '"quoted"', 'plain'];
    const rows = names.map((name) => ({ name, cells: 1, counts: [1], majority: { name, cells: 1 } }));
    return compareTable('row', { rows, columns: [{ name: '=B2', cells: 8 }] }, 'counts').trimEnd().split('\n').map((line) => line.split('\t').slice(0, 2));
  });
  checks.equal('no name is a formula', JSON.stringify(guarded), JSON.stringify([['row', '\'=B2'], ['\'=1+1', '1'], ['\'+A1', '1'], ['-2', '1'], ['\'-x', '1'], ['\'@SUM(A1)', '1'], ['\' =2', '1'], ['"""quoted"""', '1'], ['plain', '1']]));
}

async function ofClusters(checks, opened) {
  const { page } = opened;
  await page.click('#cluster-button');
  await opened.until('done', 120);
  const sizes = await page.evaluate(() => [...document.querySelectorAll('.legend-list .legend-count')].map((count) => Number(count.textContent.replaceAll(',', ''))));
  await page.selectOption('#compare-rows', 'clusters');
  await page.waitForFunction(() => document.querySelector('.compare-table thead bdi').textContent === 'Own clusters');
  const cells = (await shownTable(page)).rows.map((row) => Number(row.at(-2).replaceAll(',', '')));
  checks.equal('own clusters are rows of their sizes', JSON.stringify(cells), JSON.stringify(sizes));
  await page.click('#compare-swap');
  await page.waitForFunction(() => document.querySelector('.compare-table thead bdi').textContent !== 'Own clusters');
  checks.equal('swapped they are columns', (await shownTable(page)).head.slice(1, -2).length, sizes.length);
}
