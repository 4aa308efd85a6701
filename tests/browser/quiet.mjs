// That nothing is asked of any server.

// Browsers look for a new release some time after a page has loaded: a request that came late would come in this time.
export const QUIET_MS = 4000;

/** Marks this moment; the returned function checks that nothing was asked since. */
export function quietFrom({ checks, server, proxy }) {
  const fromServer = server.log.length;
  const fromProxy = proxy.log.length;
  return (when) => {
    checks.none(`no request reaches the server ${when}`, server.log.slice(fromServer).map(({ method, path: at }) => `${method} ${at}`));
    checks.none(`no request goes to another host ${when}`, proxy.log.slice(fromProxy).map(({ method, url }) => `${method} ${url}`));
  };
}
