// Before anything is computed: the service worker, the isolation that threads need, and news of releases.

const RELOADED = 'sextant.reloaded-for-isolation';
const PATIENCE_MS = 4000;
// Chromium looks for a new service worker by itself 1.9 s after a page has loaded (measured, version 156).
// A page that says earlier that it is ready would make that request afterwards.
const BROWSERS_OWN_LOOK_MS = 2600;
const HOME = new URL('./', document.baseURI).href;

/**
 * Brings the page under its service worker. Reloads once on the first visit, since only a page that
 * the worker has served is isolated; never twice in one tab.
 *
 * @param {{ report: (text: string, fraction?: number) => void, onUpdate: (activate: Function) => void }} hooks
 * @returns {Promise<{ controlled: boolean, isolated: boolean, why: string, settled: Promise<void> }>} `why` says
 *   what keeps threads away; after `settled` neither page nor browser asks the server for anything.
 */
export async function prepare({ report, onUpdate }) {
  const container = navigator.serviceWorker;
  if (!container) {
    return outcome(false, window.isSecureContext
      ? 'this window offers no service worker'
      : 'the page was not served over https or from localhost');
  }
  let failure = '';
  container.addEventListener('message', ({ data }) => {
    if (data?.type === 'precache') {
      report(`Storing Sextant for use without a network: ${megabytes(data.done)} of ${megabytes(data.total)} MB`, data.done / data.total);
    }
    if (data?.type === 'precache-failed') failure = data.message;
  });

  const earlier = await ownRegistration();
  const hadWorker = Boolean(earlier?.active);
  let registration;
  try {
    registration = await container.register('sw.js', { updateViaCache: 'none' });
  } catch (error) {
    // Without a network a known worker serves on; a first visit does without.
    if (!earlier) return outcome(false, `the service worker could not be registered (${error.message})`);
    registration = earlier;
  }
  announceUpdates(registration, onUpdate);

  if (isControlled()) {
    const settled = Promise.all([lookForUpdate(registration), browserHasLooked()]);
    return { ...outcome(true, 'the browser does not isolate this page'), settled };
  }
  if (hadWorker) {
    return outcome(false, 'the page was loaded past its service worker; an ordinary reload brings the threads back');
  }
  try {
    await activated(registration, () => failure);
  } catch (error) {
    return outcome(false, `Sextant could not be stored for isolation (${error.message})`);
  }
  if (!window.crossOriginIsolated && markReload()) {
    report('Reloading once, so that threads can be used …');
    window.location.reload();
    return new Promise(() => {});
  }
  return outcome(isControlled(), 'the browser does not isolate this page');
}

function outcome(controlled, why) {
  const isolated = window.crossOriginIsolated === true && typeof SharedArrayBuffer === 'function';
  return { controlled, isolated, why: isolated ? '' : why, settled: Promise.resolve() };
}

/** The registration of exactly this folder; a parent folder may belong to another application. */
async function ownRegistration() {
  const found = await navigator.serviceWorker.getRegistration(HOME);
  return found?.scope === HOME ? found : undefined;
}

function isControlled() {
  return navigator.serviceWorker.controller?.scriptURL === new URL('sw.js', HOME).href;
}

/** True if this tab has not been reloaded for isolation yet; without storage it is not reloaded at all. */
function markReload() {
  try {
    if (sessionStorage.getItem(RELOADED)) return false;
    sessionStorage.setItem(RELOADED, 'yes');
    return sessionStorage.getItem(RELOADED) === 'yes';
  } catch {
    return false;
  }
}

function activated(registration, failure) {
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker.state === 'activated') resolve();
      if (worker.state === 'redundant') reject(new Error(failure() || 'the service worker was given up by the browser'));
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

function installed(worker) {
  return new Promise((resolve) => {
    const look = () => {
      if (worker.state !== 'installing') resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

async function browserHasLooked() {
  if (document.readyState !== 'complete') await new Promise((resolve) => window.addEventListener('load', resolve, { once: true }));
  await new Promise((resolve) => setTimeout(resolve, BROWSERS_OWN_LOOK_MS));
}

/** Asks for a newer release before the page says that it is ready, so that nothing is asked or fetched afterwards. */
async function lookForUpdate(registration) {
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  await Promise.race([registration.update().catch(() => {}), patience]);
  if (registration.installing) await installed(registration.installing);
}

function announceUpdates(registration, onUpdate) {
  const announce = () => {
    if (registration.waiting && registration.active) onUpdate(() => activate(registration));
  };
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', announce);
  });
  announce();
}

/** Lets the waiting release take over and reloads; resolves with the number of other pages if there are any. */
function activate(registration) {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => resolve(data.others);
    navigator.serviceWorker.addEventListener('controllerchange', () => window.location.reload(), { once: true });
    registration.waiting?.postMessage({ type: 'activate' }, [channel.port2]);
  });
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
