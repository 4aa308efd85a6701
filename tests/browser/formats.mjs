// Every kind of file on the page, against what the command says of the same file.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { QUIET_MS, quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));
const FIXTURES = path.join(here, '../data/formats');
/** What the page adds to the engine's words on the file, on how it fits the reference. */
const OF_THE_MATCH = ['few_features_in_common', 'orthologues', 'other_species'];
const FIGURES = ['cells', 'genes', 'nonzeros', 'total_counts', 'median_counts', 'median_features', 'empty_cells'];

/** What the command says of files: its report, or the sentence that it ends with. */
async function inspect(command, files, options = []) {
  try {
    const { stdout } = await run(command, ['inspect', ...files, ...options, '--json'], { maxBuffer: 1 << 28 });
    return { report: JSON.parse(stdout) };
  } catch (error) {
    if (error.stderr === undefined) throw error;
    return { refusal: error.stderr.trim().replace(/^sextant: /, '') };
  }
}

/** What the page shows of what it read. */
async function shown(page) {
  return page.evaluate(() => {
    const text = (selector) => document.querySelector(selector)?.textContent ?? null;
    return {
      fields: Object.fromEntries([...document.querySelectorAll('#query-summary [data-field]')].map((each) => [each.dataset.field, each.textContent])),
      matrix: document.querySelector('#matrix-select')?.value ?? text('#query-matrix code'),
      matrices: [...document.querySelectorAll('#matrix-select option')].map(({ value }) => value),
      columns: [...document.querySelectorAll('#gene-column-select option')].map(({ value }) => value),
      samples: [...document.querySelectorAll('#query-samples li')].map((each) => each.textContent),
      codes: [...document.querySelectorAll('#query-warnings [data-code]')].map(({ dataset }) => dataset.code),
      failure: document.getElementById('failure').hidden ? null : text('.failure-message'),
      title: text('.file-name'),
    };
  });
}

/** Compares what the page shows with the command's report: one check, which says what differs. */
function compare(checks, name, page, report) {
  const whole = (number) => (number === null ? '–' : Math.round(number).toLocaleString('en'));
  const wanted = FIGURES.filter((figure) => figure !== 'empty_cells' || report.empty_cells > 0);
  const pairs = [
    ...wanted.map((figure) => [figure, page.fields[figure], whole(report[figure])]),
    ['format', page.fields.format, report.format],
    ['matrices', page.matrices.join(), report.matrices.length > 1 ? report.matrices.map(({ path: at }) => at).join() : ''],
    ['gene columns', page.columns.join(), report.gene_columns.length > 1 ? report.gene_columns.join() : ''],
    ['samples', page.samples.join(), report.samples.join()],
    ['warnings', page.codes.filter((code) => !OF_THE_MATCH.includes(code)).join(), report.warnings.map(({ code }) => code).join()],
  ];
  if (!report.matrix.split(', ').includes(page.matrix)) pairs.push(['matrix', page.matrix, report.matrix]);
  checks.none(`${name}: the page shows what the command says`, pairs.filter(([, found, expected]) => found !== expected).map(([what, found, expected]) => `${what} ${found} instead of ${expected}`));
}

/**
 * The datasets of formats.json as `{ name, paths }`, paths of files and folders: `files` that are dropped together,
 * `unpacked` for the folder in an archive, or `each` for every member of a folder by itself, but for `except`.
 */
async function datasets(folder) {
  const list = JSON.parse(await readFile(path.join(here, 'formats.json'), 'utf8'));
  const all = [];
  for (const { name, files, unpacked, each, except = [] } of list) {
    if (files) all.push({ name, paths: files.map((file) => path.join(FIXTURES, file)) });
    if (unpacked) {
      const target = path.join(folder, path.basename(unpacked).replace(/\.tar$/, ''));
      await mkdir(target);
      await run('tar', ['-xf', path.join(FIXTURES, unpacked), '-C', target]);
      all.push({ name, paths: [target] });
    }
    if (each) {
      const members = (await readdir(path.join(FIXTURES, each))).filter((member) => !except.includes(member)).sort();
      all.push(...members.map((member) => ({ name: `${name} (${member})`, paths: [path.join(FIXTURES, each, member)] })));
    }
  }
  return all;
}

/** Every dataset of the list, dropped as the hand drops it. */
async function everyKind(tools) {
  const { checks, server, context, command } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-kinds-'));
  try {
    const opened = await SextantPage.open(context, server.address);
    await opened.until('idle');
    const quiet = quietFrom(tools);
    for (const { name, paths } of await datasets(folder)) {
      const { report, refusal } = await inspect(command, paths);
      const state = await opened.reading(() => opened.drop(paths));
      const page = await shown(opened.page);
      if (report) {
        compare(checks, name, page, report);
        // The small files have no genes of the reference, which is told without hiding what was read.
        if (state === 'error') checks.that(`${name}: what keeps it from being mapped is said`, /^(\S+: )?Only \d+ of the [\d,]+ features/.test(page.failure), page.failure);
      } else {
        checks.equal(`${name}: it is refused`, state, 'error');
        checks.that(`${name}: in the words of the command`, page.failure !== null && refusal.startsWith(page.failure), `“${page.failure}” instead of “${refusal}”`);
      }
      checks.equal(`${name}: mapping is offered if it can be done`, await opened.page.isEnabled('#map-button'), state === 'ready');
    }
    await opened.page.waitForTimeout(QUIET_MS);
    quiet('from idle over every kind of file');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes the larger files, and takes them away afterwards. */
async function withLargeFiles({ demo }, use) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-formats-'));
  try {
    await run(process.env.SEXTANT_PYTHON ?? 'python3', [path.join(here, 'large_files.py'), demo, folder]);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function samples(tools) {
  const { checks, server, context, command, bundle, shot } = tools;
  await withLargeFiles(tools, async (folder) => {
    const both = path.join(folder, 'samples');
    const { report } = await inspect(command, [both]);
    await run(command, ['map', both, '--reference', bundle, '--out', path.join(folder, 'mapped')]);
    const expected = await readFile(path.join(folder, 'mapped/predictions.tsv'));
    const opened = await SextantPage.open(context, server.address);
    await opened.until('idle');
    const quiet = quietFrom(tools);
    checks.equal('a dropped folder is read', await opened.reading(() => opened.drop(both)), 'ready');
    compare(checks, 'a dropped folder', await shown(opened.page), report);
    await shot(opened.page, 'samples');
    checks.equal('a chosen folder is read', await opened.reading(() => opened.page.setInputFiles('#folder-input', both)), 'ready');
    compare(checks, 'a chosen folder', await shown(opened.page), report);
    // In the page, at its first stage: from here the click could come when 600 cells are mapped already.
    await opened.page.evaluate(() => new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector('.stages li')) return;
        observer.disconnect();
        document.getElementById('cancel-button').click();
        resolve();
      }).observe(document.body, { subtree: true, childList: true });
      document.getElementById('map-button').click();
    }));
    await opened.until('ready', 5);
    await opened.map();
    const { bytes } = await opened.download();
    checks.sameBytes('after a cancel its export has the bytes of the command’s', bytes, expected);
    const empty = path.join(folder, 'empty');
    await mkdir(empty);
    checks.equal('an empty folder is refused', await opened.reading(() => opened.drop(empty)), 'error');
    checks.that('with a sentence', /no file/i.test((await shown(opened.page)).failure));
    quiet('from idle over the samples to the export');
    checks.none('the console shows no error', opened.complaints);
  });
}

async function unfiltered(tools) {
  const { checks, server, context, command, shot } = tools;
  await withLargeFiles(tools, async (folder) => {
    const file = path.join(folder, 'unfiltered.h5');
    const { report } = await inspect(command, [file]);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    checks.equal('an unfiltered file is read', await opened.reading(() => opened.drop(file)), 'ready');
    compare(checks, 'at the suggested limit', await shown(page), report);
    checks.that('the curve is drawn', await page.isVisible('#droplets svg .rank-line'));
    const words = await page.getAttribute('#droplets svg', 'aria-label');
    checks.that('and put into words', words.includes(report.droplets.barcodes.toLocaleString('en')), words);
    checks.equal('the limit is the suggested one', Number(await page.inputValue('#min-counts')), report.droplets.suggested);
    checks.equal('with its number of cells', await page.textContent('#min-counts-cells'), `${report.droplets.cells.toLocaleString('en')} cells`);
    await shot(page, 'unfiltered');

    const { report: lower } = await inspect(command, [file], ['--min-counts', '120']);
    await page.fill('#min-counts', '120');
    const about = await page.textContent('#min-counts-cells');
    const guess = Number(about.replace(/\D/g, ''));
    const real = lower.cells - lower.empty_cells;
    checks.that('another limit says about how many cells it gives', about.startsWith('about') && Math.abs(guess - real) < 0.05 * real, `${about}, in truth ${real}`);
    await opened.reading(() => page.click('#min-counts-button'));
    compare(checks, 'at another limit', await shown(page), lower);
    checks.equal('then the number is exact', await page.textContent('#min-counts-cells'), `${real.toLocaleString('en')} cells`);

    await page.fill('#min-counts', '10000000');
    checks.equal('a limit that no barcode reaches is refused', await opened.reading(() => page.press('#min-counts', 'Enter')), 'error');
    const { refusal } = await inspect(command, [file], ['--min-counts', '10000000']);
    checks.that('in the words of the command', refusal.startsWith((await shown(page)).failure), (await shown(page)).failure);
    await page.click('#min-counts-suggested');
    checks.equal('from there the suggested limit leads back', await opened.reading(() => page.click('#min-counts-button')), 'ready');
    compare(checks, 'back at the suggested limit', await shown(page), report);
    await page.fill('#min-counts', '5');
    checks.that('a limit below 100 is not offered', await page.isDisabled('#min-counts-button'));
    await opened.reading(() => opened.loadDemo());
    checks.that('a filtered file shows no such thing', await page.isHidden('#droplets'));
    quiet('from idle over the limits');
    checks.none('the console shows no error', opened.complaints);
  });
}

async function memory(tools) {
  const { checks, server, context, demo, expected, shot } = tools;
  // The demo takes 9 MB, with the reference's genes only 7.
  const opened = await SextantPage.open(context, `${server.address}?budget=8e6`);
  const { page } = opened;
  await opened.until('idle');
  const quiet = quietFrom(tools);
  checks.equal('what does not fit is refused', await opened.reading(() => opened.drop(demo)), 'error');
  const { failure } = await shown(page);
  checks.that('with the figures', /need 9 MB of memory and 8 MB are there/.test(failure), failure);
  checks.that('what the file is stands there all the same', (await shown(page)).fields.cells === '2,700');
  await shot(page, 'memory');
  checks.equal('the reference’s genes alone are read', await opened.reading(() => page.click('#reference-genes-button')), 'ready');
  const kept = await page.textContent('#genes-kept');
  checks.that('and the summary says so', /^Of 32,738 genes, the [\d,]+ of the reference are kept/.test(kept), kept);
  await shot(page, 'genes-kept');
  await opened.map();
  const { bytes } = await opened.download();
  checks.sameBytes('the labels have the bytes of the command’s', bytes, expected);
  checks.equal('all genes do not fit', await opened.reading(() => page.click('#all-genes-button')), 'error');
  checks.equal('in batches they do', await opened.reading(() => page.click('#batches-button')), 'ready');
  const batches = await page.textContent('#query-batches');
  checks.that('and the summary says so', /^Mapped in 1 batch of at most 20,000 cells/.test(batches), batches);
  await shot(page, 'batches');
  await opened.map();
  checks.sameBytes('one batch has the bytes of the usual mapping', (await opened.download()).bytes, expected);
  const markers = await opened.download('#download-markers');
  checks.sameBytes('and its marker genes those of all counts', markers.bytes, tools.expectedMarkers);
  quiet('from idle over the refusal to the export');
  checks.none('the console shows no error', opened.complaints);
}

async function changedFile(tools) {
  const { checks, server, context, demo } = tools;
  await withLargeFiles(tools, async (folder) => {
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    for (const [how, change] of [['changed', (file) => truncate(file, 1000)], ['removed', (file) => rm(file)]]) {
      const file = path.join(folder, `${how}.h5ad`);
      await copyFile(path.join(folder, 'two_matrices.h5ad'), file);
      checks.equal(`a file that will be ${how} is read`, await opened.reading(() => opened.drop(file)), 'ready');
      const other = await page.evaluate(() => [...document.querySelectorAll('#matrix-select option')].find(({ selected }) => !selected).value);
      await change(file);
      checks.equal(`a file that was ${how} meanwhile is refused`, await opened.reading(() => page.selectOption('#matrix-select', other)), 'error');
      const { failure } = await shown(page);
      checks.that(`${how}: with a sentence`, /cannot (be )?read/.test(failure) && failure.startsWith(`${how}.h5ad: `) && /[.!]$/.test(failure), failure);
    }

    const cancelled = opened.page.evaluate(() => new Promise((resolve) => {
      const button = document.getElementById('cancel-button');
      const look = () => {
        if (button.hidden) return;
        observer.disconnect();
        button.click();
        resolve(document.getElementById('status').textContent);
      };
      const observer = new MutationObserver(look);
      observer.observe(button, { attributeFilter: ['hidden'] });
    }));
    await opened.drop(demo);
    await cancelled;
    await opened.until('idle', 10);
    checks.that('cancelled while it was opened, the file is forgotten', await page.isHidden('#query-summary'));
    const second = path.join(folder, 'second.h5');
    await copyFile(demo, second);
    checks.equal('and then it is read', await opened.reading(() => opened.drop([demo, second])), 'ready');
    checks.equal('with another as two samples', (await shown(page)).samples.length, 2);
    checks.equal('beside a sample that does not fit nothing can be mapped', await opened.reading(() => opened.drop([demo, path.join(FIXTURES, 'tenx_v3.h5')])), 'error');
    const { failure } = await shown(page);
    checks.that('which is named', failure.startsWith('tenx_v3: Only '), failure);
    quiet('from idle over the changed files');
    checks.none('the console shows no error', opened.complaints);
  });
}

async function geneNames(tools) {
  const { checks, server, context, command, demo, release, dist, shot } = tools;
  await withLargeFiles(tools, async (folder) => {
    const file = path.join(folder, 'two_columns.h5ad');
    const { report } = await inspect(command, [file]);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    await opened.reading(() => opened.drop(file));
    compare(checks, 'names of genes in a column', await shown(page), report);
    if (report.gene_columns.length > 1) {
      const [used] = report.gene_columns;
      checks.that('the column with names is found, and the genes by it', await page.isEnabled('#map-button'), used);
      const other = report.gene_columns.find((name) => name !== used && name !== 'gene_symbols');
      checks.equal('from another column too few genes are found', await opened.reading(() => page.selectOption('#gene-column-select', other)), 'error');
      const { fields, failure } = await shown(page);
      checks.that('which is said', /^(\S+: )?Only \d+ of the [\d,]+ features/.test(failure), failure);
      checks.equal('what was read stands there all the same', fields.cells, '100');
      checks.that('but cannot be mapped', await page.isDisabled('#map-button'));
      checks.equal('the first column leads back', await opened.reading(() => page.selectOption('#gene-column-select', used)), 'ready');
      await shot(page, 'gene-names');
    }
    await opened.reading(() => opened.drop(demo));
    const match = await page.textContent('#gene-match');
    checks.that('how many genes were found is said', /Genes in common [\d,]+ of [\d,]+ \(\d+\.\d %\)/.test(match), match);
    const routes = await page.textContent('#gene-routes');
    checks.that('and by which routes', /[\d,]+ by symbol.*\.$/.test(routes), routes);
    if (release.files.some(({ path: at }) => at === 'references/genes.json')) {
      const { name, bytes } = await opened.download('#download-genes');
      const lines = bytes.toString('utf8').trimEnd().split('\n');
      const found = Number(/common ([\d,]+)/.exec(match)[1].replaceAll(',', ''));
      const matched = lines.filter((line) => / (id|symbol|genome|spelling|table|previous|alias|orthologue)$/.test(line.replaceAll('\t', ' '))).length;
      checks.equal('the report has a line for each of them', matched, found);
      checks.equal('and is called', name, 'genes.tsv');
      checks.that('the table of gene names finds more than symbols', /alias|previous/.test(routes), routes);
      const { sources } = JSON.parse(await readFile(path.join(dist, 'references/genes.json'), 'utf8'));
      const about = await page.textContent('#gene-table');
      checks.that('its sources are named with their versions', sources.length > 0 && sources.every(({ name, version }) => about.includes(`${name}, ${version}`)), about);
    }
    quiet('from idle over the columns');
    checks.none('the console shows no error', opened.complaints);
  });
}

export const formats = {
  formats: everyKind, samples, 'gene-names': geneNames, unfiltered, memory, 'changed-file': changedFile,
};
