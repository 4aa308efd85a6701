// What the page asks of its own server before it is ready. Afterwards it asks for nothing but a bundle that a person has
// chosen by its button, see bundles/.

async function answer(path) {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new Error(`${path} could not be loaded: the server answered ${response.status}.`);
  return response;
}

export async function json(path) {
  return (await answer(path)).json();
}

/** The SHA-256 of bytes in hexadecimal digits; null where the page was not served in a way that lets it compute one. */
export async function sha256(bytes) {
  if (!crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A file of the release, checked against the hash that its entry gives where the browser can compute it. */
export async function checked({ path, sha256: stated }) {
  const bytes = await (await answer(path)).arrayBuffer();
  const found = stated && (await sha256(bytes));
  if (found && found !== stated) throw new Error(`${path} arrived damaged: its SHA-256 is ${found}, not ${stated}. Reload the page.`);
  return new Blob([bytes]);
}

/** A file that is stored with the page: the service worker answers from its cache. */
export async function stored(path) {
  return (await answer(path)).blob();
}
