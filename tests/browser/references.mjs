// Every reference that the page offers, and another one than the first used from its choice to its labels.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { quietFrom } from './quiet.mjs';
import { editedRelease } from './releases.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const OTHER = 'mouse-marrow';

export async function references(tools) {
  const { checks, server, context, dist, catalogue, command, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-references-'));
  try {
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    await page.click('#reference-choices > summary');
    const offered = await page.evaluate(() => [...document.querySelectorAll('#reference-list button')].map((button) => ({ name: button.dataset.name, text: button.textContent, chosen: button.getAttribute('aria-pressed') === 'true' })));
    checks.equal('all references of the catalogue are offered', offered.map(({ name }) => name).join(' '), catalogue.map(({ name }) => name).join(' '));
    checks.equal('the first one is chosen', offered.filter(({ chosen }) => chosen).map(({ name }) => name).join(' '), catalogue[0].name);
    for (const [at, { title, tissue, species, cells, levels, bytes }] of catalogue.entries()) {
      const facts = [title, tissue, species, cells.toLocaleString('en'), ...levels.map(({ name, classes }) => `${name} ${classes}`), `${(bytes / 1e6).toFixed(1)} MB`];
      checks.none(`${title}: its title, tissue, species, cells, classes and size are told`, facts.filter((fact) => !offered[at].text.includes(fact)));
    }
    await shot(page, 'references');
    await page.click('#reference-choices > summary');

    for (const { name, title, cells, demo } of catalogue.toReversed()) {
      await opened.chooseReference(name);
      checks.equal(`${name}: the list closes, and says which was chosen`, await page.evaluate(() => [document.querySelector('#reference-choices').open, document.querySelector('.reference-title').textContent].join(' ')), `false ${title}`);
      const summary = await page.textContent('.reference-summary');
      checks.that(`${name}: its card says how large it is, how right, and what it lacks`, new RegExp(`^Starter reference: ${cells.toLocaleString('en')} cells, .* accuracy 0\\.\\d\\d, macro-F1 0\\.\\d\\d at .* Does not contain: .* For publication, import the Azimuth reference or build your own\\.$`).test(summary), summary);
      checks.that(`${name}: and what to be careful with`, (await page.locator('.reference-limits li').count()) >= 3);
      checks.that(`${name}: its own demo is offered`, (await page.textContent('#demo-about')).startsWith(demo.title));
    }

    const entry = catalogue.find(({ name }) => name === OTHER);
    await opened.chooseReference(OTHER);
    await opened.loadDemo();
    await opened.map();
    const out = path.join(folder, 'out');
    await run(command, ['map', path.join(dist, entry.demo.path), '--reference', path.join(dist, entry.bundle), '--no-preservation', '--markers', 'none', '--out', out], { maxBuffer: 1 << 28 });
    const { bytes } = await opened.download();
    const predictions = await readFile(path.join(out, 'predictions.tsv'));
    checks.sameBytes('mapped onto another reference, the export has the bytes of the command’s', bytes, predictions);
    const [head, ...lines] = predictions.toString('utf8').trimEnd().split('\n').map((line) => line.split('\t'));
    const level = entry.levels[0].name;
    const called = new Set(lines.map((line) => line[head.indexOf(`predicted.${level}`)]));
    const legend = await page.evaluate(() => [...document.querySelectorAll('.legend-list button:not([data-empty]) .legend-name')].map((name) => name.textContent));
    checks.equal('its labels stand in the legend', legend.toSorted().join(' '), [...called].sort().join(' '));
    await shot(page, 'another-reference');
    quiet('from idle over the choice of every reference to the export');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One that stands beside the page and is not stored with it, as those that a hosted page imports. */
export async function referenceBesideThePage(tools) {
  const { checks, server, context, dist, catalogue } = tools;
  const { bundle } = catalogue.find(({ name }) => name === OTHER);
  const beside = 'references/azimuth/beside.sextant.zip';
  const entry = { ...catalogue.find(({ name }) => name === OTHER), name: 'beside', title: 'Beside the page', bundle: beside, demo: undefined };
  const next = await editedRelease(dist, { 'references/catalogue.json': (text) => JSON.stringify([...JSON.parse(text), entry]) });
  try {
    await mkdir(path.join(next.folder, path.dirname(beside)), { recursive: true });
    await copyFile(path.join(dist, bundle), path.join(next.folder, beside));
    server.root = next.folder;
    const opened = await SextantPage.open(context, server.address);
    await opened.until('idle');
    const quiet = quietFrom(tools);
    await opened.loadDemo();
    await opened.page.click('#reference-choices > summary');
    await opened.page.click('#reference-list [data-name="beside"]');
    await opened.until('error');
    checks.equal('while a file is open it is refused', await opened.page.textContent('.failure-message'), 'Beside the page is not stored with the page, and no server is asked for anything while a file is open. Reload the page and choose the reference before the file.');
    quiet('from idle over the refusal');
    await opened.page.reload();
    await opened.until('idle');
    const from = server.log.length;
    await opened.chooseReference('beside');
    checks.equal('before that it is fetched, and nothing else', server.log.slice(from).map(({ path: at }) => path.basename(at)).filter((at) => at !== 'sw.js').join(' '), 'beside.sextant.zip');
    checks.equal('and chosen', await opened.page.textContent('.reference-title'), 'Beside the page');
  } finally {
    server.root = dist;
    await next.remove();
  }
}
