// Chromium, and the page as a person uses it.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-default-apps', '--disable-extensions',
  '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
  // Chromium's own errands (accounts, updates, the time, help with forms) would stand in the proxy's log
  // beside what the page does, where nothing may be filtered out.
  '--disable-features=AutofillServerCommunication,OptimizationHints,MediaRouter,DialMediaRouteProvider,NetworkTimeServiceQuerying',
  '--gaia-url=http://127.0.0.1:9', '--google-apis-url=http://127.0.0.1:9', '--component-updater=url-source=http://127.0.0.1:9/',
  '--gcm-checkin-url=http://127.0.0.1:9/', '--gcm-registration-url=http://127.0.0.1:9/', '--gcm-mcs-endpoint=http://127.0.0.1:9/'];

/** Starts Chromium with everything but this machine going through the proxy. */
export async function launch(proxy) {
  const folder = process.env.SEXTANT_NODE ?? path.join(process.env.SEXTANT_TOOLS ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'sextant'), 'node');
  const entry = path.join(folder.endsWith('node_modules') ? folder : path.join(folder, 'node_modules'), 'playwright-core', 'index.mjs');
  const { chromium } = await import(pathToFileURL(entry).href);
  return chromium.launch({
    executablePath: process.env.SEXTANT_CHROMIUM ?? '/usr/bin/chromium',
    args: [...ARGUMENTS, `--proxy-server=${proxy.address}`],
  });
}

/** One tab, with what a test asks of it. */
export class SextantPage {
  /** Texts of the console's errors and of uncaught exceptions. */
  complaints = [];

  constructor(page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async open(context, address) {
    const opened = new SextantPage(await context.newPage());
    opened.loads = 0;
    opened.page.on('load', () => { opened.loads += 1; });
    await opened.page.goto(address);
    return opened;
  }

  /** Waits for one of the states; fails with the page's own words when it shows an error instead. */
  async until(states, seconds = 120) {
    const wanted = [states].flat();
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const { state, text } = await this.status();
      if (wanted.includes(state)) return { state, text };
      if (state === 'error') throw new Error(`the page shows an error: ${await this.page.textContent('.failure-message')}`);
      if (Date.now() > end) throw new Error(`after ${seconds} s the page is “${state}” (${text}), not “${wanted.join('” or “')}”`);
      await this.page.waitForTimeout(40);
    }
  }

  /** The state and its words. In the middle of a reload there is none. */
  async status() {
    try {
      return await this.page.evaluate(() => {
        const status = document.getElementById('status');
        return { state: status?.dataset.state ?? 'none', text: status?.textContent ?? '' };
      });
    } catch (error) {
      if (/context was destroyed|navigat/i.test(error.message)) return { state: 'none', text: '' };
      throw error;
    }
  }

  async build() {
    return this.page.evaluate(() => {
      const { build, threads } = document.getElementById('engine-info').dataset;
      return { build, threads: Number(threads), text: document.getElementById('engine-info').textContent, isolated: window.crossOriginIsolated };
    });
  }

  /** Chooses a reference of the page as a person does. */
  async chooseReference(name) {
    await this.page.click('#reference-choices > summary');
    await this.page.click(`#reference-list [data-name="${name}"]`);
    await this.until('loading', 10).catch(() => {}); // A small one may be there at once.
    await this.until('idle');
  }

  async loadDemo() {
    await this.page.click('#demo-button');
    await this.until('ready');
  }

  async chooseFile(file) {
    await this.page.setInputFiles('#file-input', file);
  }

  /** Drops files and folders of the disk onto the page, as the hand does. */
  async drop(paths) {
    const session = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: [paths].flat(), dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 500, y: 300, data });
    await session.detach();
  }

  /** Does what makes the page read, and waits until that is done or refused: “ready” or “error”. */
  async reading(action, seconds = 120) {
    await this.page.evaluate(() => {
      const status = document.getElementById('status');
      window.hasRead = false;
      new MutationObserver((_, observer) => {
        if (status.dataset.state !== 'reading') return;
        window.hasRead = true;
        observer.disconnect();
      }).observe(status, { attributeFilter: ['data-state'] });
    });
    await action();
    await this.page.waitForFunction(() => window.hasRead, null, { timeout: 20_000 });
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const { state, text } = await this.status();
      if (state === 'ready' || state === 'error') return state;
      if (Date.now() > end) throw new Error(`after ${seconds} s the page is “${state}” (${text})`);
      await this.page.waitForTimeout(20);
    }
  }

  async map() {
    await this.page.click('#map-button');
    await this.until('done', 300);
    // The cluster preservation score comes later, and may make the figures taller.
    await this.page.waitForFunction(() => ![...document.querySelectorAll('#outcome .figures dd')].some((each) => each.textContent === '…'), null, { timeout: 60_000 });
  }

  /** Presses a download's button and gives the bytes; some tables are computed first. */
  async download(button = '#download-predictions') {
    const [download] = await Promise.all([this.page.waitForEvent('download', { timeout: 180_000 }), this.page.click(button)]);
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  }

  /** Reloads past the service worker, as Shift and the reload button do. */
  async hardReload() {
    const session = await this.page.context().newCDPSession(this.page);
    const loaded = this.page.waitForEvent('load');
    await session.send('Page.reload', { ignoreCache: true });
    await loaded;
  }
}
