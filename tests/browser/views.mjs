// The maps, the legend and the tables, with the mouse, on a phone, and with the keyboard alone.

import { SextantPage } from './sextant_page.mjs';

/** How many different colours a part of the screen shows, in steps of 16, and which share of it is not its most common colour. */
async function picture(page, selector) {
  const png = await page.locator(selector).screenshot();
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height).data;
    const counts = new Map();
    for (let at = 0; at < pixels.length; at += 4) {
      const key = ((pixels[at] >> 4) << 8) | ((pixels[at + 1] >> 4) << 4) | (pixels[at + 2] >> 4);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const all = pixels.length / 4;
    return { colors: [...counts.values()].filter((n) => n > all / 5000).length, painted: 1 - Math.max(...counts.values()) / all };
  }, png.toString('base64'));
}

const REFERENCE = '#reference-plot .surface';
const QUERY = '#query-plot .surface';

export async function views({ checks, server, browser, context, expected, shot }) {
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  checks.equal('the maps are drawn by', await page.getAttribute('#reference-plot canvas', 'data-renderer'), 'webgl2');
  const before = await picture(page, REFERENCE);
  checks.that('the reference is on the map', before.colors >= 4 && before.painted > 0.02, before);
  checks.that('the licence and the citation stand on the card', (await page.textContent('[data-field=license]')).length > 2 && (await page.textContent('[data-field=citation]')).length > 5);
  await opened.loadDemo();
  const facts = await page.textContent('#query-summary');
  for (const word of ['Cells', 'Genes', 'Non-zeros', 'Genes in common', 'Median counts', 'Median genes', 'Median percent_mt', 'Median percent_ribo', 'suggested limits', 'Matrix']) {
    checks.that(`the summary says: ${word}`, facts.includes(word), facts);
  }
  await opened.map();
  const cells = expected.toString('utf8').trimEnd().split('\n').length - 1;
  const after = await picture(page, QUERY);
  checks.that('the query is on the map', after.colors >= 4 && after.painted > 0.02, after);

  const counted = await page.evaluate(() => [...document.querySelectorAll('.labels-table tbody tr')].map((row) => Number(row.children[1].textContent.replaceAll(',', ''))));
  checks.equal('the counts of the labels add up to the cells', counted.reduce((sum, n) => sum + n, 0), cells);
  await hover(checks, page);
  await legend(checks, page);
  await camera(checks, page);
  await table(checks, page, cells);
  await page.selectOption('#color-by', { index: await page.evaluate(() => [...document.querySelectorAll('#color-by option')].findIndex((option) => option.dataset.kind === 'score')) });
  checks.that('coloured by score, there is a scale', await page.isVisible('.score-scale'));
  await shot(page, 'score');
  await methods(checks, opened, cells);
  checks.none('the console shows no error', opened.complaints);
  await small({ checks, server, browser, shot });
}

/** Sextant's own labels come with confidence, doubt and a call; Seurat's, with the same button, do not. */
async function methods(checks, opened, cells) {
  const { page } = opened;
  const colorings = () => page.evaluate(() => [...document.querySelectorAll('#color-by option')].map((option) => option.dataset.kind));
  const figures = () => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#outcome .figures > div')].map((each) => [each.querySelector('dt').textContent, each.querySelector('dd').textContent])));
  const heads = () => page.evaluate(() => [...document.querySelectorAll('#panel-cells .cells-head [role=columnheader]')].map((head) => head.textContent));
  const ours = await figures();
  checks.that('the outcome says how sure the labels are, and how many cells have a call', Number(ours['Median confidence']) > 0.5 && /^\d+\.\d %$/.test(ours.Called ?? ''), ours);
  checks.that('cells can be coloured by confidence and by doubt', (await colorings()).includes('confidence') && (await colorings()).includes('unknown'), await colorings());
  for (const kind of ['confidence', 'unknown']) {
    await page.selectOption('#color-by', { index: (await colorings()).indexOf(kind) });
    checks.that(`coloured by ${kind}, there is a scale`, await page.isVisible('.score-scale'));
  }
  const columns = await heads();
  checks.that('the table of cells has the call', ['Unknown', 'Call'].every((name) => columns.includes(name)), columns);
  await page.selectOption('#method', 'seurat');
  await opened.map();
  const theirs = await figures();
  checks.that('as Seurat labels them there are prediction scores instead', 'Median prediction score' in theirs && !('Called' in theirs), theirs);
  checks.equal('of the same cells', theirs['Cells mapped'], cells.toLocaleString('en'));
  checks.that('and no colours of confidence', !(await colorings()).includes('confidence'), await colorings());
  await page.selectOption('#method', 'sextant');
  await opened.map();
  checks.equal('and back', (await figures())['Median confidence'], ours['Median confidence']);
}

async function hover(checks, page) {
  const box = await page.locator(QUERY).boundingBox();
  let text = null;
  for (let step = 0; step < 2500 && text === null; step += 1) {
    await page.mouse.move(box.x + box.width * (0.1 + 0.8 * ((step * 0.618) % 1)), box.y + box.height * (0.1 + 0.8 * ((step * 0.414) % 1)));
    if (await page.isVisible('#query-plot .hover-box')) text = await page.textContent('#query-plot .hover-box');
  }
  checks.that('hovering names the cell, its label and its scores', /\(\d\.\d{3}\)/.test(text ?? '') && /mapping score \d\.\d{3}/.test(text ?? ''), text ?? 'no box');
}

async function legend(checks, page) {
  const first = page.locator('.legend-list button').first();
  const name = await first.getAttribute('data-class');
  await first.click();
  checks.equal('a click in the legend highlights', await first.getAttribute('aria-pressed'), 'true');
  const others = await picture(page, QUERY);
  await page.waitForTimeout(700); // Not a third click of the same series.
  await first.click();
  checks.equal('a second click ends it', await first.getAttribute('aria-pressed'), 'false');
  await page.waitForTimeout(700);
  await first.dblclick();
  checks.equal(`a double click isolates ${name}`, await first.getAttribute('data-isolated'), 'true');
  await page.uncheck('#show-behind');
  const alone = await picture(page, QUERY);
  checks.that('isolated, the others are gone', alone.painted < others.painted, { alone, others });
  await page.check('#show-behind');
  await page.click('[data-all]');
  checks.equal('Show all shows all', await page.locator('.legend-list button[aria-pressed=true]').count(), 0);
}

async function camera(checks, page) {
  // Always from the same place on the screen, where the strip at its top hides nothing.
  const shots = async () => {
    await page.evaluate((map) => document.querySelector(map).scrollIntoView({ block: 'center', behavior: 'instant' }), REFERENCE);
    return [await page.locator(REFERENCE).screenshot(), await page.locator(QUERY).screenshot()];
  };
  const home = await shots();
  const box = await page.locator(REFERENCE).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(200);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 60, box.y + box.height / 2 + 30, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(200);
  const moved = await shots();
  checks.that('wheel and drag over one map move both', !moved[0].equals(home[0]) && !moved[1].equals(home[1]));
  await page.click('#zoom-reset');
  await page.mouse.move(0, 0);
  await page.waitForTimeout(600);
  const back = await shots();
  checks.that('Reset shows everything again, to the pixel', back[0].equals(home[0]) && back[1].equals(home[1]));
}

async function table(checks, page, cells) {
  await page.click('#tab-cells');
  const count = () => page.textContent('#cell-count');
  checks.that('the table of cells has them all', (await count()).startsWith(`${cells.toLocaleString('en')} of`), await count());
  const rows = await page.locator('.cells-window .cells-row').count();
  checks.that('but only those in sight exist', rows > 5 && rows < 80, rows);
  const first = await page.textContent('.cells-window [role=cell]');
  await page.evaluate(() => { const scroll = document.querySelector('.cells-scroll'); scroll.scrollTop = scroll.scrollHeight; });
  await page.waitForTimeout(100);
  const last = await page.evaluate(() => Number([...document.querySelectorAll('.cells-window .cells-row')].at(-1).getAttribute('aria-rowindex')));
  checks.equal('scrolled to its end it shows the last row', last, cells + 1);
  await page.fill('#cell-filter', first);
  await page.waitForFunction(() => document.querySelectorAll('.cells-window .cells-row').length === 1);
  checks.that('the filter finds a cell by its name', (await count()).startsWith('1 of'), await count());
  await page.click('.cells-window button');
  checks.equal('a click marks it', await page.getAttribute('.cells-window .cells-row', 'data-marked'), 'true');
  await page.fill('#cell-filter', '');
}

/** A phone, dark, without WebGL 2. */
async function small({ checks, server, browser, shot }) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce', hasTouch: true });
  const opened = await SextantPage.open(context, `${server.address}?renderer=2d`);
  const { page } = opened;
  await opened.until('idle');
  await opened.loadDemo();
  await opened.map();
  checks.equal('without WebGL 2 the maps are drawn by', await page.getAttribute('#query-plot canvas', 'data-renderer'), '2d');
  const seen = await picture(page, QUERY);
  checks.that('and the query is on them', seen.colors >= 4 && seen.painted > 0.02, seen);
  const { wide, high } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, high: window.innerWidth }));
  checks.that('on a phone nothing sticks out to the side', wide <= high, `${wide} of ${high} pixels`);
  await page.locator('#maps').scrollIntoViewIfNeeded();
  await shot(page, 'phone');
}

export async function keyboard({ checks, server, context }) {
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  checks.none('every control has a name', await page.evaluate(() => [...document.querySelectorAll('button, input, select, [tabindex="0"]')]
    .filter((each) => !(each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length || each.getAttribute('aria-labelledby')))
    .map((each) => each.outerHTML.slice(0, 90))));
  const reached = async (selector, key = 'Tab') => {
    for (let press = 0; press < 80; press += 1) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return true;
      await page.keyboard.press(key);
    }
    return false;
  };
  checks.that('Tab reaches the choice of a file', await reached('#file-input'));
  checks.that('Tab reaches the demo', await reached('#demo-button'));
  await page.keyboard.press('Enter');
  await opened.until('ready');
  checks.that('Tab reaches the levels', await reached('#levels input'));
  await page.keyboard.press('Space');
  await page.keyboard.press('Space');
  checks.that('Tab reaches Map', await reached('#map-button'));
  await page.keyboard.press('Enter');
  await opened.until(['mapping', 'done']);
  await page.waitForSelector('.stages li');
  await page.keyboard.press('Escape');
  await opened.until('ready', 5);
  checks.that('Escape cancels', /cancelled/i.test((await opened.status()).text));
  checks.that('Tab reaches Map again', await reached('#map-button'));
  await page.keyboard.press('Enter');
  await opened.until('done', 300);

  checks.that('Tab reaches the download', await reached('#download-predictions'));
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  checks.equal('and Enter downloads', download.suggestedFilename(), 'predictions.tsv');
  checks.that('Tab reaches the reference’s map', await reached(REFERENCE));
  const ring = await page.evaluate((selector) => getComputedStyle(document.querySelector(selector)).outlineStyle, REFERENCE);
  checks.that('where the focus is can be seen', ring !== 'none', ring);
  const before = await page.locator(QUERY).screenshot();
  for (const key of ['+', 'ArrowRight', 'ArrowUp']) await page.keyboard.press(key);
  await page.waitForTimeout(200);
  checks.that('keys move the maps', !(await page.locator(QUERY).screenshot()).equals(before));
  await page.keyboard.press('0');
  await page.waitForTimeout(600);
  checks.that('0 shows everything again', (await page.locator(QUERY).screenshot()).equals(before));
  checks.that('Tab reaches the legend', await reached('.legend-list button'));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+Enter');
  checks.equal('Shift+Enter isolates the second class', await page.getAttribute('.legend-list button:nth-child(2)', 'data-isolated'), 'true');
  await page.keyboard.press('Enter');
  checks.that('Tab reaches the tables', await reached('#tab-labels'));
  await page.keyboard.press('ArrowRight');
  checks.that('and the arrows change them', await page.isVisible('#panel-cells'));
}
