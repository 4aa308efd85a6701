// Cancelling in the middle of every kind of work, and how often work says where it stands. Times are printed, not checked.

import { SextantPage } from './sextant_page.mjs';

// What is long enough that one report more is worth it.
const RARE_MS = 500;

/** Notes when workers report: `[time, stage]`, without a stage where a call ends. */
function listen() {
  window.reports = [];
  window.Worker = class extends Worker {
    constructor(...words) {
      super(...words);
      this.addEventListener('message', ({ data }) => {
        if (data.progress) window.reports.push([performance.now(), data.progress.stage]);
        else if (data.id) window.reports.push([performance.now(), null]);
      });
    }
  };
}

/** Presses a button, and Cancel as soon as the stage is there; the milliseconds until the page says so, or null where the work was done before. */
async function cancelDuring(page, button, stage) {
  return page.evaluate(([start, wanted]) => new Promise((resolve) => {
    const status = document.getElementById('status');
    let begun = false;
    let pressed = null;
    const look = () => {
      begun ||= status.dataset.state === 'mapping';
      const last = [...document.querySelectorAll('.stages li .stage-name')].at(-1)?.textContent ?? '';
      if (pressed === null && status.dataset.state === 'mapping' && last.toLowerCase().includes(wanted)) {
        pressed = performance.now();
        document.getElementById('cancel-button').click();
      } else if (begun && status.dataset.state !== 'mapping') {
        observer.disconnect();
        resolve(pressed === null ? null : performance.now() - pressed);
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    document.querySelector(start).click();
  }), [button, stage]);
}

/** The longest time without a report in each stage since the reports were emptied. */
async function gaps(page) {
  const reports = await page.evaluate(() => window.reports.splice(0));
  const longest = {};
  reports.forEach(([time, stage], at) => {
    const next = reports[at + 1];
    if (stage !== null && next) longest[stage] = Math.max(longest[stage] ?? 0, next[0] - time);
  });
  return longest;
}

export async function cancels(tools) {
  const { checks, server, context, expected } = tools;
  await context.addInitScript(listen);
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  await opened.loadDemo();
  await opened.map();
  await page.click('#cluster-button');
  await opened.until('done', 120);
  await page.click('#doublets-button');
  await page.waitForSelector('#doublets-button[hidden]', { state: 'attached', timeout: 120_000 });
  await opened.download('#download-markers');
  await opened.until('done', 120);
  await page.check('#own-map');
  await page.waitForSelector('#download-umap-own:enabled', { timeout: 300_000 });
  const all = await gaps(page);
  for (const [stage, ms] of Object.entries(all)) console.log(`     longest without a report in “${stage}”: ${ms.toFixed(0)} ms${ms > RARE_MS ? ', too long' : ''}`);
  const expectedStages = ['Reading', 'Finding anchors', 'Own components', 'Clustering', 'Looking for doublets', 'Finding markers', 'Own map', 'Cluster preservation'];
  checks.none('every kind of work reports', expectedStages.filter((stage) => !(stage in all)));

  const during = async (name, button, stage, state, words) => {
    const took = await cancelDuring(page, button, stage);
    console.log(`     cancelled during ${name} after ${took === null ? 'nothing: it was done before' : `${took.toFixed(0)} ms`}`);
    const status = await opened.until([state], 120);
    if (took !== null) checks.that(`cancelled during ${name}, the page says so`, words.test(status.text), status.text);
    checks.that(`after a cancel during ${name} nothing can be cancelled`, await page.isHidden('#cancel-button'));
  };
  await during('the mapping', '#map-button', 'finding anchors', 'ready', /Mapping cancelled/);
  await opened.map();
  for (const [name, button, stage] of [['the clustering', '#cluster-button', 'clustering'], ['the search for doublets', '#doublets-button', 'looking for doublets'], ['the search for markers', '#download-markers', 'finding markers']]) {
    const click = button === '#download-markers' ? '#marker-choice #download-markers' : button;
    await during(name, click, stage, 'done', /^Cancelled/);
    checks.that(`after a cancel during ${name} it can be asked for again`, await page.isEnabled(button));
    checks.that('the result is still there', await page.isVisible('#outcome') && await page.isDisabled('#download-clusters'));
  }
  await page.click('#cluster-button');
  await page.waitForSelector('#own-map-row:not([hidden])', { timeout: 120_000 });
  await opened.until('done', 120);
  await during('the own map', '#own-map', 'own map', 'done', /^Cancelled/);
  checks.that('of cancelled work nothing is left', await page.isHidden('#own-map-row') && await page.isDisabled('#download-umap-own') && (await page.textContent('.legend-title bdi')) !== 'Own clusters');
  checks.sameBytes('after all that the labels are what they were', (await opened.download()).bytes, expected);
  checks.none('the console shows no error', opened.complaints);
}
