// Attempts to send something to another host, by every way that a page or a worker has.

const HOST = 'http://leak.example';
const WORKER_PATIENCE_MS = 3000;

/** Runs in the page. Each attempt asks for an address that names it; whether it is answered does not matter. */
async function leakFromPage(host) {
  const settle = (promise) => Promise.race([Promise.resolve(promise).catch(() => {}), new Promise((resolve) => setTimeout(resolve, 3000))]);
  const image = new Image();
  const script = Object.assign(document.createElement('script'), { src: `${host}/page-script` });
  const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: `${host}/page-style` });
  const ended = (target) => new Promise((resolve) => { target.onload = resolve; target.onerror = resolve; });
  image.src = `${host}/page-image`;
  document.head.append(script, style);
  navigator.sendBeacon?.(`${host}/page-beacon`, 'x');
  const source = `fetch(${JSON.stringify(`${host}/blob-worker`)}).then(() => postMessage(1), () => postMessage(0))`;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  const answered = new Promise((resolve) => { worker.onmessage = resolve; worker.onerror = resolve; });
  await Promise.all([settle(fetch(`${host}/page-fetch`, { mode: 'no-cors' })), settle(ended(image)), settle(ended(script)), settle(ended(style)), settle(answered)]);
  worker.terminate();
}

/** Tries everything, the engine's own workers included; returns the names of the attempts that went out, and how many workers tried. */
export async function leaks(page, proxy) {
  const from = proxy.log.length;
  await page.evaluate(leakFromPage, HOST);
  const attempts = page.workers().map((worker) => Promise.race([
    worker.evaluate((address) => fetch(address, { mode: 'no-cors' }).then(() => true, () => true), `${HOST}/engine-worker`).catch(() => false),
    new Promise((resolve) => { setTimeout(resolve, WORKER_PATIENCE_MS, false); }), // The pool's threads wait for work and hear nothing.
  ]));
  const engines = (await Promise.all(attempts)).filter(Boolean).length;
  await page.waitForTimeout(500);
  const out = proxy.log.slice(from).map(({ url }) => new URL(url).pathname.slice(1));
  return { out: [...new Set(out)].sort(), engines };
}
