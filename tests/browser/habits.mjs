// Habits of the page: what its address keeps, the keys, and the list of requests that it shows.

import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { QUIET_MS, quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const fragment = (page) => page.evaluate(() => window.location.hash);
const becomes = async (page, wanted) => {
  await page.waitForFunction((text) => window.location.hash === text, wanted, { timeout: 15_000 }).catch(() => {});
  return fragment(page);
};
const shown = (page) => page.evaluate(() => ({
  reference: document.querySelector('#reference-list [aria-pressed=true]')?.dataset.name,
  color: document.querySelector('#color-by').selectedOptions[0]?.textContent,
  labels: document.querySelector('#show-labels').checked,
  tab: document.querySelector('[role=tab][aria-selected=true]').id,
}));

export async function address(tools) {
  const { checks, server, context, catalogue } = tools;
  const [usual] = catalogue;
  const pancreas = catalogue.find(({ name }) => name === 'pancreas');
  const [coarse, fine] = pancreas.levels.map(({ name }) => name);
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  const quiet = quietFrom(tools);
  const entries = await page.evaluate(() => window.history.length);
  checks.equal('what is usual is not in the address', await fragment(page), '');
  await page.uncheck('#show-labels');
  checks.equal('labels that are off are', await becomes(page, '#labels=0'), '#labels=0');
  await page.click('#reference-choices > summary');
  await page.click('#reference-list [data-name=pancreas]');
  await page.waitForFunction(() => document.querySelector('#reference-list [aria-pressed=true]')?.dataset.name === 'pancreas');
  await opened.until('idle');
  checks.equal('so is another reference of the page', await becomes(page, '#reference=pancreas&labels=0'), '#reference=pancreas&labels=0');
  await page.selectOption('#color-by', { label: `Label: ${fine}` });
  await page.fill('#gene-input', 'INS');
  await page.press('#gene-input', 'Enter');
  const full = `#reference=pancreas&color=label:${fine}&gene=INS&labels=0`;
  checks.equal('and the level and the gene', await becomes(page, full), full);
  checks.equal('Back would leave the page: nothing was added to the history', await page.evaluate(() => window.history.length), entries);
  quiet('from idle over these choices');

  const again = await SextantPage.open(context, `${server.address}${full}&tab=cells`);
  await again.until('idle');
  checks.equal('opened with it, the address stays', await becomes(again.page, `${full}&tab=cells`), `${full}&tab=cells`);
  const restored = await shown(again.page);
  checks.equal('and the page shows the same', JSON.stringify(restored), JSON.stringify({ reference: 'pancreas', color: 'Gene: INS', labels: false, tab: 'tab-cells' }));
  checks.equal('the dot plot is of the level', await again.page.getAttribute('.dot-plot svg', 'aria-label').then((text) => text.endsWith(fine)), true);
  await again.page.evaluate((text) => { window.location.hash = text; }, `#reference=pancreas&color=origin:study`);
  await again.page.waitForFunction(() => document.querySelector('.legend-title').textContent.startsWith('study'));
  checks.equal('a fragment that is typed is shown at once', await becomes(again.page, '#reference=pancreas&color=origin:study&labels=0&tab=cells'), '#reference=pancreas&color=origin:study&labels=0&tab=cells');
  checks.that('it is another column than the levels', coarse !== 'study');

  await again.page.close();

  const left = await SextantPage.open(context, 'about:blank');
  await left.page.goto(server.address);
  await left.until('idle');
  await left.page.uncheck('#show-labels');
  await becomes(left.page, '#labels=0');
  await left.page.goBack();
  checks.equal('Back leaves the page', left.page.url(), 'about:blank');
  await left.page.close();

  const hostile = [
    '#reference=nowhere&color=label:nothing&gene=NOSUCHGENE', '#reference=__proto__&color=constructor:toString', `#reference=${'a'.repeat(5000)}`,
    `#gene=${'A'.repeat(150)}`, '#reference=%E0%A4%A&color=%', '#color=metadata:0&tab=../x&labels=2', '#reference=file:pancreas&color=label', '#<script>alert(1)</script>',
    '#reference=pbmc%00&gene=CD3E%0A', '#=&&==&color=:', `#${'&'.repeat(990)}`,
  ];
  // Of the lists of the page: whatever is asked for is one of its references, levels and genes, or nothing.
  const read = await page.evaluate(async (texts) => {
    const { parse } = await import('./address.js');
    return texts.map((text) => parse(text));
  }, hostile);
  const longest = Math.max(...read.flatMap(({ reference = '', gene = '', color }) => [reference.length, gene.length, color?.name.length ?? 0]));
  checks.that('hostile fragments are read without an error, and nothing long is taken from them', longest <= 100, read);
  checks.none('no kind of colouring but the page’s, no tab but the two', read.filter(({ color, tab }) => (color && !['label', 'origin', 'confidence', 'score', 'mapping', 'unknown'].includes(color.kind)) || tab));
  await page.close();
  const tab = await SextantPage.open(context, server.address + hostile[0]);
  for (const text of hostile) {
    if (text !== hostile[0]) await tab.page.evaluate((hash) => { window.location.hash = hash; }, text);
    await tab.until('idle');
    const [after, { reference, color }] = [await becomes(tab.page, ''), await shown(tab.page)];
    checks.that(`${text.slice(0, 60)} does no harm and does not stay`, after === '' && reference === usual.name && color === `Label: ${usual.levels[0].name}`, { after, reference, color });
  }
  checks.none('none of them makes the page complain', tab.complaints);
  checks.none('the console shows no error', [...opened.complaints, ...again.complaints]);
}

/** What is a person's own does not come into the address, whatever is shown. */
export async function addressWithData(tools) {
  const { checks, server, context, bundle, demo, catalogue } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-habits-'));
  try {
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const fragments = [];
    await page.exposeFunction('keepFragment', (text) => fragments.push(text));
    await page.evaluate(() => {
      const replace = window.history.replaceState.bind(window.history);
      window.history.replaceState = (state, title, address) => {
        window.keepFragment(String(address));
        replace(state, title, address);
      };
    });
    const level = catalogue[0].levels[1].name;
    const patient = path.join(folder, 'patient_Miller.csv');
    await writeFile(patient, ownTable());
    checks.equal('a file with names of its own is read, and said to have too few genes to map', await opened.reading(() => opened.chooseFile(patient)), 'error');
    await page.fill('#gene-input', 'MILLERGENE');
    await page.press('#gene-input', 'Enter');
    await page.waitForFunction(() => document.querySelector('#legend').textContent.includes('MILLERGENE'));
    await page.uncheck('#show-labels');
    checks.equal('a gene that only the file has is not in the address', await becomes(page, '#labels=0'), '#labels=0');

    await opened.reading(() => opened.chooseFile(demo));
    await opened.map();
    await page.selectOption('#color-by', { label: `Confidence: ${level}` });
    const confident = `#reference=${catalogue[0].name}&color=confidence:${level}&labels=0`;
    checks.equal('the confidence of a level is', await becomes(page, confident), confident);
    await page.click('#cluster-button');
    await opened.until('mapping', 10).catch(() => {});
    await opened.until('done');
    checks.equal('clusters of the cells are not', await becomes(page, '#labels=0'), '#labels=0');
    await page.click('.legend-list button');
    await page.click('#tab-cells');
    await page.click('.cells-window button');
    checks.equal('nor are classes and cells that were clicked', await becomes(page, '#labels=0&tab=cells'), '#labels=0&tab=cells');

    const mine = path.join(folder, 'Miller_clinic.sextant.zip');
    await copyFile(bundle, mine);
    await page.setInputFiles('#reference-file', mine);
    await page.waitForFunction(() => document.querySelector('.reference-title').textContent.includes('Miller'));
    await opened.until('ready', 60);
    await page.selectOption('#color-by', { label: `Label: ${level}` });
    await page.waitForFunction((text) => document.querySelector('.legend-title').textContent.startsWith(text), level);
    checks.equal('nor is a reference from disk, its level or its gene', await becomes(page, '#labels=0&tab=cells'), '#labels=0&tab=cells');
    await page.waitForTimeout(300);
    checks.that('the address was written several times', fragments.length >= 4, fragments);
    checks.none('and never with a word of the files', fragments.filter((text) => /miller|pbmc3k|AAAC|cluster|file:|clinic/i.test(text)));
    checks.none('the console shows no error', opened.complaints);

    const asked = await SextantPage.open(context, `${server.address}${confident}`);
    await asked.until('idle');
    checks.equal('a colouring of the cells waits for them', await becomes(asked.page, confident), confident);
    await asked.loadDemo();
    await asked.map();
    await asked.page.waitForFunction((text) => document.querySelector('#color-by').selectedOptions[0].textContent === text, `Confidence: ${level}`);
    checks.equal('and is shown when they are mapped', await becomes(asked.page, confident), confident);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A table of counts with genes of the reference and one that nobody else has. */
function ownTable() {
  const genes = ['MILLERGENE', 'CD3D', 'CD3E', 'LYZ', 'MS4A1', 'NKG7', 'GNLY', 'CD8A', 'CD14', 'FCGR3A', 'CST3', 'IL7R', 'CCR7', 'S100A4', 'S100A8', 'S100A9', 'CD79A', 'CD79B', 'PPBP', 'FCER1A', 'LTB', 'IL32', 'CCL5', 'GZMB', 'PRF1', 'CD74', 'HLA-DRA', 'TYROBP', 'FCN1', 'VCAN', 'B2M', 'MALAT1', 'ACTB', 'TMSB4X', 'RPS2', 'RPL10', 'EEF1A1', 'FTL', 'FTH1', 'CD2', 'CD7', 'TRAC', 'LEF1', 'TCF7', 'SELL', 'KLRD1', 'KLRB1', 'GZMK', 'GZMA', 'CD19', 'BANK1', 'CD22', 'IGHM', 'IGHD', 'CD4', 'CD68', 'MS4A7', 'LST1', 'AIF1', 'SAT1', 'COTL1'];
  const cells = Array.from({ length: 60 }, (_, at) => `cell${at}`);
  const lines = genes.map((gene, row) => [gene, ...cells.map((_, at) => ((row * 7 + at * 13) % 11) % 5)].join(','));
  return [['gene', ...cells].join(','), ...lines].join('\n');
}

/** Which share of the pixels of two pictures of the same size differs. */
function differing(page, ...pictures) {
  return page.evaluate(async (texts) => {
    const [one, other] = await Promise.all(texts.map(async (text) => {
      const image = new Image();
      image.src = `data:image/png;base64,${text}`;
      await image.decode();
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      return new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
    }));
    return one.length === other.length ? one.reduce((count, pixel, at) => count + (pixel !== other[at]), 0) / one.length : 1;
  }, pictures.map((picture) => picture.toString('base64')));
}

export async function keys(tools) {
  const { checks, server, context, shot, catalogue } = tools;
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  const quiet = quietFrom(tools);
  const press = (key) => page.keyboard.press(key);
  const isOpen = (id) => page.evaluate((name) => document.getElementById(name).open, id);
  await press('?');
  checks.that('the question mark opens the sheet of keys', await isOpen('keys'));
  await shot(page, 'keys');
  const said = await page.textContent('#keys');
  checks.none('it names every key', ['?', 'd', 'm', 'g', 'r', '1', '9', 'V', 'L', 'B', 'S', 'Esc', '+', '−', '0', 'Shift', 'Enter'].filter((key) => !said.includes(key)));
  await press('d');
  checks.equal('under the sheet no key does anything', (await opened.status()).state, 'idle');
  await press('Escape');
  checks.that('Escape closes it', !(await isOpen('keys')));
  checks.that('the focus goes back', await page.evaluate(() => document.activeElement === document.body || document.activeElement.id === 'keys-button'));
  await page.click('#keys-button');
  checks.that('so does its button open it', await isOpen('keys'));
  await page.click('#keys .sheet-close');

  await press('2');
  await page.waitForFunction((text) => document.querySelector('#color-by').selectedOptions[0].textContent === text, `Label: ${catalogue[0].levels[1].name}`);
  checks.that('a digit colours by that choice', true);
  await press('g');
  checks.equal('g goes to the field for a gene', await page.evaluate(() => document.activeElement.id), 'gene-input');
  await page.keyboard.type('dm?1');
  checks.equal('where letters are letters', await page.inputValue('#gene-input'), 'dm?1');
  checks.that('and nothing else', !(await isOpen('keys')) && (await opened.status()).state === 'idle');
  await press('Escape');
  await page.fill('#gene-input', 'CD3E');
  await press('Enter');
  await page.waitForFunction(() => document.querySelector('#color-by').value === 'gene');
  await page.evaluate(() => document.activeElement.blur());
  await press('1');
  await page.waitForFunction((text) => document.querySelector('#color-by').selectedOptions[0].textContent === text, `Label: ${catalogue[0].levels[0].name}`);
  checks.that('the gene that is shown is not counted among the choices', true);
  for (const key of ['Control+d', 'Alt+d', 'Meta+d', 'Control+m', '9']) await press(key);
  checks.equal('with a modifier, or for a choice that is not there, nothing happens', (await opened.status()).state, 'idle');
  await press('m');
  checks.equal('m does nothing without cells', (await opened.status()).state, 'idle');
  await page.focus('#reference-plot .surface');
  await page.emulateMedia({ reducedMotion: 'reduce' }); // So that the maps are where they go at once.
  await press('0'); // The ring around what has the focus comes with a key.
  const plot = () => page.locator('#reference-plot').screenshot();
  // What is drawn comes a while after the key on a machine that has other work.
  const drawn = async (wanted) => {
    for (let tries = 0; tries < 20; tries += 1) {
      if (await wanted(await plot())) return true;
      await page.waitForTimeout(300);
    }
    return false;
  };
  await page.waitForTimeout(1500);
  const before = await plot();
  for (let at = 0; at < 4; at += 1) await press('+');
  // Where the map's width is no whole number, a handful of points at the edges of pixels is drawn a shade otherwise.
  const share = (picture) => differing(page, before, picture);
  checks.that('plus comes closer', await drawn(async (picture) => (await share(picture)) > 0.02));
  await press('r');
  checks.that('r shows the whole maps again', await drawn(async (picture) => (await share(picture)) < 0.0005));
  await press('d');
  await opened.until('ready');
  checks.that('d loads the demo', true);
  await press('m');
  await opened.until('mapping', 10);
  await press('?');
  await page.waitForFunction(() => document.getElementById('keys').open);
  await press('Escape');
  checks.that('Escape closes the sheet, and only the sheet', !(await isOpen('keys')) && (await opened.status()).state !== 'ready', await opened.status());
  await opened.until('done', 300);
  checks.that('m maps', true);
  quiet('from idle over all keys');
  checks.none('the console shows no error', opened.complaints);
}

const requests = (page) => page.evaluate(() => ({
  ready: document.querySelector('#requests [data-field=ready]').textContent,
  total: document.querySelector('#requests [data-field=total]').textContent,
  rows: [...document.querySelectorAll('#requests tbody tr')].map((row) => [...row.cells].map(({ textContent }) => textContent)),
}));

export async function requestLog(tools) {
  const { checks, server, context, demo, shot, release } = tools;
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  await page.click('#requests-button');
  await shot(page, 'requests');
  const first = await requests(page);
  checks.that('since it was ready the page has asked for nothing', /: none\.$/.test(first.ready), first.ready);
  checks.that('what it asked for is listed', first.rows.length > 40 && first.rows.some(([, place]) => place.endsWith('/main.js')) && first.rows.some(([, place]) => place.endsWith('.sextant.zip')), first.rows.length);
  checks.that('with the time of day', first.rows.every(([time]) => /^\d\d:\d\d:\d\d$/.test(time)));
  checks.none('all of it came out of this browser', first.rows.filter(([, , from]) => from !== 'this browser'));
  checks.that('none from elsewhere', first.total.includes('none of them from other places'), first.total);
  const plain = await page.textContent('#requests');
  checks.none('it says what binds the page, and what nothing binds', ['content security policy', 'service worker', 'WebRTC', 'airplane mode', 'developer tools'].filter((words) => !plain.includes(words)));
  await page.keyboard.press('Escape');
  await opened.chooseFile(demo);
  await opened.until('ready');
  await opened.map();
  await page.click('#requests-button');
  const after = await requests(page);
  checks.that('nor, of a server, over a file that was mapped', /: none(\.| to a server; \d+ of the page’s own files came out of this browser\.)$/.test(after.ready), after.ready);
  await page.keyboard.press('Escape');

  // Controls: a request of the page is listed, and one that reaches the server is told from one that does not.
  await page.evaluate(() => fetch('release.json'));
  await page.click('#requests-button');
  await page.waitForFunction(() => document.querySelector('#requests tbody td:nth-child(2)').textContent.endsWith('release.json'));
  const kept = await requests(page);
  checks.that('control: what the browser keeps is told as such', /: none to a server; \d+ of/.test(kept.ready) && kept.rows[0][2] === 'this browser', kept.ready);
  await page.evaluate(() => fetch('nowhere.txt'));
  await page.waitForFunction(() => document.querySelector('#requests tbody td:nth-child(2)').textContent.endsWith('nowhere.txt'));
  const sent = await requests(page);
  checks.that('control: one that reaches the server is counted', /: 1 to a server; /.test(sent.ready) && sent.rows[0][2].startsWith('the server'), [sent.ready, sent.rows[0]]);

  // Without a service worker each file comes from the server or the browser's cache, and views change without a request all the same.
  const bare = await SextantPage.open(context, server.address);
  await bare.until('idle');
  await bare.hardReload();
  await bare.until('idle');
  const quiet = quietFrom(tools);
  await bare.page.uncheck('#show-labels');
  await bare.page.keyboard.press('2');
  await bare.page.waitForFunction(() => window.location.hash.includes('color=label'));
  await bare.page.waitForTimeout(QUIET_MS);
  quiet('when the address changes past the service worker');
  await bare.page.click('#requests-button');
  const past = await requests(bare.page);
  checks.that('past the service worker files are told to be from the server', past.rows.some(([, , from]) => from.startsWith('the server')), past.rows.slice(-3));
  checks.that('the page is of this release', release.files.length > 40);
}
