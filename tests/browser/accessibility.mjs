// What keeps people from using the page, as axe-core finds it, in every part of the page, light and dark, wide and narrow.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SextantPage } from './sextant_page.mjs';

const run = promisify(execFile);
const DATA = path.join(path.dirname(fileURLToPath(import.meta.url)), '../data');
const LOOKS = [1440, 800].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));
const GRAVE = ['serious', 'critical'];

/** Serious and critical findings in what is shown, as `rule: element`. */
async function findings(page) {
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations', 'passes'] }));
  const grave = violations.filter(({ impact }) => GRAVE.includes(impact));
  return { grave: grave.flatMap(({ id, nodes }) => nodes.map(({ target, any }) => `${id}: ${target.join(' ')} ${any[0]?.message ?? ''}`)), passed: passes.length };
}

export async function accessibility(tools) {
  const { checks, server, context, shot } = tools;
  const axe = await readFile(path.join(process.env.SEXTANT_NODE, 'axe-core', 'axe.min.js'), 'utf8');
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-accessibility-'));
  try {
    const labelled = path.join(folder, 'labelled.h5ad');
    await run(process.env.SEXTANT_PYTHON, [path.join(DATA, 'labelled.py'), labelled]);
    const opened = await SextantPage.open(context, server.address);
    const { page } = opened;
    await opened.until('idle');
    await page.evaluate(axe);
    // Colours are looked at as they are in the end, not half-way through a change.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const look = async (part) => {
      for (const { width, colorScheme } of LOOKS) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(100);
        const { grave, passed } = await findings(page);
        checks.none(`${part}, ${width} wide, ${colorScheme}: nothing serious`, grave);
        checks.that('and axe did look', passed > 10, passed);
        await shot(page, `accessibility-${part.replaceAll(' ', '-')}-${width}-${colorScheme}`);
      }
    };
    await look('the start');
    for (const sheet of ['keys', 'requests']) {
      await page.click(`#${sheet}-button`);
      await look(`the sheet ${sheet}`);
      await page.keyboard.press('Escape');
    }
    await page.setInputFiles('#labelled-file', labelled);
    await page.waitForSelector('#builder:not([hidden])');
    await opened.until('idle');
    await look('the builder');
    await page.click('#builder-close');
    await opened.loadDemo();
    await look('a file that is read');
    await opened.map();
    await look('results');
    await page.click('#tab-cells');
    await look('the table of cells');

    await page.setViewportSize({ width: 390, height: 800 });
    checks.that('a window as narrow as a phone is told what to expect', /computer/.test(await page.textContent('#small-window')) && (await page.isVisible('#small-window')));
    checks.equal('and the page is not wider than it', await page.evaluate(() => document.documentElement.scrollWidth), 390);
    checks.none('there nothing is serious either', (await findings(page)).grave);
    await shot(page, 'accessibility-phone');

    // A control: what axe is here for is found.
    await page.evaluate(() => document.querySelector('footer').append(document.createElement('button')));
    checks.that('control: a button without a name is found', (await findings(page)).grave.some((finding) => finding.startsWith('button-name')));
    checks.none('the console shows no error', opened.complaints);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** People who asked for less motion see none, and in forced colours what is chosen can be told. */
export async function preferences(tools) {
  const { checks, server, context, shot } = tools;
  const opened = await SextantPage.open(context, server.address);
  const { page } = opened;
  await opened.until('idle');
  const moving = () => page.evaluate(() => {
    const still = ['0s', '0ms', ''];
    return [...document.querySelectorAll('body *')].filter((each) => {
      const { transitionDuration, transitionProperty, animationName } = getComputedStyle(each);
      return animationName !== 'none' || (transitionProperty !== 'none' && transitionDuration.split(', ').some((time) => !still.includes(time)));
    }).length;
  });
  checks.that('control: as a rule something moves', (await moving()) > 0);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  checks.equal('with less motion nothing does', await moving(), 0);
  await page.emulateMedia({ forcedColors: 'active' });
  await page.waitForTimeout(200);
  await page.click('.legend-list button');
  const outline = await page.evaluate(() => getComputedStyle(document.querySelector('.legend-list [aria-pressed=true]')).outlineStyle);
  checks.equal('in forced colours the class that is highlighted has an outline', outline, 'solid');
  const swatches = await page.evaluate(() => new Set([...document.querySelectorAll('.swatch')].map((each) => getComputedStyle(each).backgroundColor)).size);
  checks.that('and the legend keeps its colours', swatches > 3, swatches);
  await shot(page, 'forced-colors');
  await page.emulateMedia({ forcedColors: 'none', contrast: 'more' });
  const soft = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--soft').trim());
  checks.equal('with more contrast, soft text is darker', soft, '#33414c');
  checks.none('the console shows no error', opened.complaints);
}
