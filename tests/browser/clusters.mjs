// The query by itself: the cluster preservation score, its clusters, and a map of its own.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { quietFrom } from './quiet.mjs';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);

export async function clusters(tools) {
  const { checks, server, context, demo, command, bundle, expected, shot } = tools;
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-clusters-'));
  try {
    await run(command, ['map', demo, '--reference', bundle, '--out', folder, '--clusters', '--markers', 'none'], { maxBuffer: 1 << 28 });
    const summary = JSON.parse(await readFile(path.join(folder, 'summary.json'), 'utf8'));
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    const quiet = quietFrom(tools);
    await opened.loadDemo();
    checks.that('before a mapping there is nothing to cluster', await page.isHidden('#cluster-button'));
    await opened.map();
    const score = summary.cluster_preservation.score.toFixed(2);
    await page.waitForFunction(() => /\d \/ 5/.test(document.querySelector('.figures').textContent), null, { timeout: 60_000 });
    const figures = await page.textContent('.figures');
    checks.that('the cluster preservation score is the command’s', figures.includes(`${score} / 5`), figures);
    checks.that('the tables of clusters are not there yet', await page.isDisabled('#download-clusters') && await page.isDisabled('#download-umap-own'));

    await page.click('#cluster-button');
    await opened.until('done', 120);
    checks.equal('the cells are coloured by their own clusters', await page.textContent('.legend-title bdi'), 'Own clusters');
    const sizes = await page.evaluate(() => [...document.querySelectorAll('.legend-list .legend-count')].map((count) => Number(count.textContent.replaceAll(',', ''))));
    checks.equal('the clusters have the sizes of the command’s', JSON.stringify(sizes), JSON.stringify(summary.clusters.sizes));
    const table = await opened.download('#download-clusters');
    checks.sameBytes('clusters.tsv has the bytes of the command’s', table.bytes, await readFile(path.join(folder, 'clusters.tsv')));
    await shot(page, 'clusters');

    const before = await page.locator('#query-plot .surface').screenshot();
    await page.check('#own-map');
    await page.waitForSelector('.stages li');
    await opened.until('done', 300);
    const places = await opened.download('#download-umap-own');
    checks.equal('the places of the own map are called', places.name, 'umap_own.tsv');
    checks.sameBytes('and have the bytes of the command’s', places.bytes, await readFile(path.join(folder, 'umap_own.tsv')));
    const after = await page.locator('#query-plot .surface').screenshot();
    checks.that('the own map is another one', !before.equals(after));
    await shot(page, 'own_map');
    await page.uncheck('#own-map');
    await page.selectOption('#color-by', { index: 0 });
    checks.that('back to the labels', (await page.textContent('.legend-title bdi')) !== 'Own clusters');
    const predictions = await opened.download();
    checks.sameBytes('the labels are what they were', predictions.bytes, expected);

    // Cancelled in the middle, the mapping is made again, since the engine that held it is gone.
    await opened.map();
    await page.click('#cluster-button');
    await opened.until('done', 120);
    await page.check('#own-map');
    await page.waitForSelector('.stages li');
    await page.click('#cancel-button');
    await page.waitForSelector('#cluster-button:not([hidden])', { timeout: 120_000 });
    await opened.until('done', 120);
    const again = await opened.download();
    checks.sameBytes('after a cancel the labels are there again', again.bytes, expected);
    checks.that('and the clusters can be asked for again', await page.isEnabled('#cluster-button') && await page.isHidden('#own-map-row'));
    quiet('from idle over the clusters to the export');
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
