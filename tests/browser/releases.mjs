// Changed copies of dist/: the next release, and one without its policy.

import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Copies a release, changes some of its files and lists it anew, as the build does.
 *
 * @param {string} dist
 * @param {Record<string, (text: string) => string>} edits by path
 * @returns {Promise<{ folder: string, release: string, remove: () => Promise<void> }>}
 */
export async function editedRelease(dist, edits) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sextant-release-'));
  await cp(dist, folder, { recursive: true });
  const listing = JSON.parse(await readFile(path.join(folder, 'release.json'), 'utf8'));
  for (const [name, edit] of Object.entries(edits)) {
    const before = await readFile(path.join(folder, name), 'utf8');
    const after = edit(before);
    if (after === before) throw new Error(`the edit of ${name} changed nothing`);
    await writeFile(path.join(folder, name), after);
    const listed = listing.files.find((file) => file.path === name);
    if (!listed) continue;
    listed.sha256 = createHash('sha256').update(after).digest('hex');
    listed.bytes = Buffer.byteLength(after);
  }
  const old = listing.release;
  const release = createHash('sha256').update(JSON.stringify(listing.files)).digest('hex').slice(0, 16);
  await rename(path.join(folder, 'engine', old), path.join(folder, 'engine', release));
  for (const file of listing.files) file.path = file.path.replace(`engine/${old}/`, `engine/${release}/`);
  await writeFile(path.join(folder, 'release.json'), JSON.stringify({ ...listing, release }));
  const worker = await readFile(path.join(folder, 'sw.js'), 'utf8');
  await writeFile(path.join(folder, 'sw.js'), worker.replaceAll(old, release));
  return { folder, release, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** What a host that reads _headers sends with a file of the page: a function of its path. */
export function hostHeaders(text) {
  const rules = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const [, name, value] = /^\s+([\w-]+): (.*)$/.exec(line) ?? [];
    if (name) rules.at(-1).headers[name] = value;
    else rules.push({ pattern: new RegExp(`^${line.trim().split('*').map((part) => part.replace(/[.]/g, '\\.')).join('.*')}$`), headers: {} });
  }
  // The document of the folder is called by either name.
  return (name) => Object.assign({}, ...rules.filter(({ pattern }) => pattern.test(`/${name}`)).map(({ headers }) => headers));
}
