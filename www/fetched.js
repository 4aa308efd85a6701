// What the page asks of its own server before it is ready; afterwards it asks for nothing.

async function answer(path) {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new Error(`${path} could not be loaded: the server answered ${response.status}.`);
  return response;
}

export async function json(path) {
  return (await answer(path)).json();
}

/** A file of the release, checked against the hash that its entry gives where the browser can compute it. */
export async function checked({ path, sha256 }) {
  const bytes = await (await answer(path)).arrayBuffer();
  if (crypto.subtle && sha256) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (found !== sha256) throw new Error(`${path} arrived damaged: its SHA-256 is ${found}, not ${sha256}. Reload the page.`);
  }
  return new Blob([bytes]);
}
