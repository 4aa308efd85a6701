// That nothing is asked of any server.

// Browsers look for a new release some time after a page has loaded: a request that came late would come in this time.
export const QUIET_MS = 4000;

/**
 * A browser looks for a new service worker by itself, once after a page has loaded. The page waits for that before it says
 * that it is ready, by a clock, since no script can see it: on a machine that has other work it may come later still. It is a
 * request of the browser's, for the worker's own address, with nothing in it.
 */
const isBrowsersOwn = ({ method, path, search, destination }) =>
  method === 'GET' && path.endsWith('/sw.js') && search === '' && destination === 'serviceworker';

/** Marks this moment; the returned function checks that nothing was asked since, but one late look of the browser's own. */
export function quietFrom({ checks, server, proxy }) {
  const fromServer = server.log.length;
  const fromProxy = proxy.log.length;
  return (when) => {
    const asked = server.log.slice(fromServer);
    const late = asked.findIndex(isBrowsersOwn);
    if (late >= 0) {
      asked.splice(late, 1);
      console.log(`     the browser looked for a new service worker late, ${when}`);
    }
    checks.none(`no request reaches the server ${when}`, asked.map(({ method, path: at, search }) => `${method} ${at}${search}`));
    checks.none(`no request goes to another host ${when}`, proxy.log.slice(fromProxy).map(({ method, url }) => `${method} ${url}`));
  };
}
