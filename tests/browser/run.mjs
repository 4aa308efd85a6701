// The page in a real browser, served as the plainest of hosts would serve it.
//
//   node tests/browser/run.mjs --dist dist --expected predictions.tsv [--only NAME] [--screenshots FOLDER]
//                              [--command SEXTANT]
//
// `--expected` is the table that the command writes for the demo; the command is that of cargo's release build unless
// another is given, and Python for the files that tests make is $SEXTANT_PYTHON. Chromium is /usr/bin/chromium or
// $SEXTANT_CHROMIUM; playwright-core is looked for in $SEXTANT_NODE and then in the tools folder.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Checks } from './checks.mjs';
import { scenarios } from './scenarios.mjs';
import { CatchAllProxy, StaticServer } from './server.mjs';
import { launch } from './sextant_page.mjs';

const PATIENCE_MS = 10 * 60 * 1000;

const { values } = parseArgs({ options: {
  dist: { type: 'string', default: 'dist' },
  expected: { type: 'string' },
  only: { type: 'string', multiple: true },
  screenshots: { type: 'string' },
  command: { type: 'string', default: path.join(process.env.CARGO_TARGET_DIR ?? 'target', 'release', 'sextant') },
} });

if (!values.expected) {
  console.error('Say with --expected which predictions.tsv the command wrote for the demo.');
  process.exit(2);
}
const chosen = Object.entries(scenarios).filter(([name]) => !values.only || values.only.includes(name));
if (chosen.length === 0) {
  console.error(`There is no such scenario. There are: ${Object.keys(scenarios).join(', ')}.`);
  process.exit(2);
}

const dist = path.resolve(values.dist);
const expected = await readFile(values.expected);
const expectedMarkers = await readFile(path.join(path.dirname(values.expected), 'markers.tsv'));
const expectedTables = {};
for (const name of ['qc', 'scores', 'doublets']) expectedTables[name] = await readFile(path.join(path.dirname(values.expected), `${name}.tsv`));
const release = JSON.parse(await readFile(path.join(dist, 'release.json'), 'utf8'));
const catalogue = JSON.parse(await readFile(path.join(dist, 'references/catalogue.json'), 'utf8'));
if (values.screenshots) await mkdir(values.screenshots, { recursive: true });

const checks = new Checks();
for (const [name, scenario] of chosen) {
  checks.begin(name);
  const began = Date.now();
  const server = await new StaticServer(dist).start();
  const proxy = await new CatchAllProxy().start();
  const browser = await launch(proxy);
  let timer;
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
    const tools = {
      checks, server, proxy, browser, context, dist, catalogue, expected, expectedMarkers, expectedTables, release,
      command: path.resolve(values.command),
      demo: path.join(dist, catalogue[0].demo.path),
      bundle: path.join(dist, catalogue[0].bundle),
      shot: (page, file) => (values.screenshots ? page.screenshot({ path: path.join(values.screenshots, `${file}.png`) }) : undefined),
    };
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not finished after ${PATIENCE_MS / 1000} s`)), PATIENCE_MS); });
    await Promise.race([scenario(tools), late]);
  } catch (error) {
    checks.that('runs to its end', false, error.stack ?? String(error));
  } finally {
    clearTimeout(timer);
    await browser.close().catch(() => {});
    await server.stop();
    await proxy.stop();
  }
  console.log(`     ${name} took ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
console.log(`browser: ${checks.passed} passed, ${checks.failed} failed`);
process.exit(checks.failed > 0 || checks.passed === 0 ? 1 : 0);
