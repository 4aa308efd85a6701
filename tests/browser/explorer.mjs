// A reference by itself before any query: its classes, where its cells are from, its genes; and which reference a query is like.

import path from 'node:path';
import { quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const PANCREAS = 'pancreas';

const dots = (page) => page.evaluate(() => ({
  genes: [...document.querySelectorAll('.dot-gene')].map((each) => each.firstChild.textContent),
  classes: [...document.querySelectorAll('.dot-plot > svg > .dot-class')].map((each) => each.textContent),
  titles: [...document.querySelectorAll('.dot-plot circle title')].map((each) => each.textContent),
}));

export async function explorer(tools) {
  const { checks, server, context, catalogue, shot } = tools;
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  const quiet = quietFrom(tools);
  await opened.chooseReference(PANCREAS);
  await page.waitForSelector('.dot-plot circle');
  const first = await dots(page);
  checks.equal('a dot stands for each gene in each class', first.titles.length, first.genes.length * first.classes.length);
  checks.equal('every class of the level has a row', first.classes.length, catalogue.find(({ name }) => name === PANCREAS).levels[0].classes);
  checks.none('each class has markers of its own', ['GCG', 'SST', 'PPY', 'REG1A'].filter((gene) => !first.titles.some((title) => title.includes(gene)) && !first.genes.some((each) => ['GCG', 'SST', 'PPY', 'REG1A', 'PRSS1', 'INS'].includes(each))));
  await shot(page, 'explorer');

  await page.fill('#dot-genes', 'INS gcg NOSUCHGENE SST');
  await page.click('#dot-show');
  await page.waitForFunction(() => document.querySelectorAll('.dot-gene').length === 3);
  const written = await dots(page);
  checks.equal('genes that were written are shown, whatever their capitals', written.genes.join(' '), 'INS GCG SST');
  checks.that('one that is not there is named', (await page.textContent('.dot-note')).includes('NOSUCHGENE'));
  const share = (gene, type) => Number(/in (\d+) % of/.exec(written.titles.find((title) => title.startsWith(`${gene} in ${type}`)))[1]);
  checks.that('insulin is of beta cells, glucagon of alpha cells', share('INS', 'type B') > 80 && share('GCG', 'pancreatic A') > 80 && share('GCG', 'pancreatic A') > share('GCG', 'pancreatic ductal'), written.titles);

  const origins = await page.evaluate(() => [...document.querySelectorAll('#color-by option[data-kind=origin]')].map(({ textContent }) => textContent));
  checks.that('where its cells are from can colour the map', origins.includes('study'), origins);
  await page.selectOption('#color-by', { label: 'study' });
  await page.waitForFunction(() => document.querySelector('.legend-title').textContent.startsWith('study'));
  const studies = await page.evaluate(() => [...document.querySelectorAll('.legend-list .legend-name')].map(({ textContent }) => textContent));
  checks.equal('the legend names the four studies', studies.length, 4);
  await shot(page, 'explorer-study');

  await page.fill('#gene-input', 'ins');
  await page.waitForSelector('#gene-list [role=option]');
  checks.equal('the symbol itself is completed first', await page.textContent('#gene-list [role=option]'), 'INS');
  await page.press('#gene-input', 'Enter');
  await page.waitForFunction(() => document.querySelector('#legend').textContent.includes('INS in the reference'));
  await shot(page, 'explorer-gene');
  await page.fill('#gene-input', '');
  await page.press('#gene-input', 'Enter');
  await page.waitForFunction(() => !document.querySelector('#legend').textContent.includes('INS in the reference'));
  await page.click('.dot-gene >> nth=1');
  await page.waitForFunction(() => document.querySelector('#legend').textContent.includes('GCG in the reference'));
  checks.that('a gene of the dot plot colours the map', true);
  quiet('from idle over all of it');
  checks.none('the console shows no error', opened.complaints);
}

/** A query of brain on a reference of blood, and one of pancreas on its own. */
export async function likeness(tools) {
  const { checks, server, context, dist, catalogue, shot } = tools;
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  const quiet = quietFrom(tools);
  const demo = (name) => path.join(dist, catalogue.find((entry) => entry.name === name).demo.path);
  checks.equal('nuclei of brain are read for a reference of blood', await opened.reading(() => opened.chooseFile(demo('brain'))), 'ready');
  await page.waitForSelector('#advice:not([hidden]) .warnings');
  const said = await page.textContent('#advice:not([hidden]) .warnings');
  checks.that('it is said that they look like brain', said.startsWith('Your cells look like brain, and the reference is of blood'), said);
  await shot(page, 'another-tissue');
  await page.click('#better-reference');
  await opened.until('ready');
  checks.equal('the better reference is chosen with a click', await page.getAttribute('#reference-list [aria-pressed=true]', 'data-name'), 'brain');
  await page.waitForSelector('#query-likeness details');
  checks.equal('and nothing is left to say', await page.locator('#advice:not([hidden]) .warnings').count(), 0);

  checks.equal('progenitors of mouse are read for a reference of human brain', await opened.reading(() => opened.chooseFile(demo('mouse-marrow'))), 'ready');
  await page.waitForSelector('#advice:not([hidden]) .warnings');
  const species = await page.textContent('#advice:not([hidden]) .warnings');
  checks.that('it is said that they are of mouse', species.startsWith('The genes of your file are those of mouse, and the reference is of human'), species);
  for (const name of ['pbmc', PANCREAS]) {
    await page.evaluate(() => document.querySelector('#query-likeness').replaceChildren());
    await page.click('#reference-choices > summary');
    await page.click(`#reference-list [data-name="${name}"]`);
    await opened.until('reading', 20).catch(() => {});
    await opened.until(['ready', 'error']).catch(() => {}); // Genes of mouse may be too few for a reference of human.
    await opened.reading(() => opened.chooseFile(demo(name)));
    await page.waitForSelector('#query-likeness details', { state: 'attached', timeout: 20_000 });
    const said = await page.evaluate(() => document.querySelector('#advice:not([hidden]) .warnings')?.textContent ?? '');
    // Of the same blood, the reference of lupus is closer to it in technology.
    const expected = name === 'pbmc' ? /^What the classes of “.*lupus.*” express explains your cells better/i : /^$/;
    checks.that(`${name}: of its own demo is said what is so`, expected.test(said), said);
  }
  quiet('from idle over the comparisons');
  checks.none('the console shows no error', opened.complaints);
}
