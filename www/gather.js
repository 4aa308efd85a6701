// What was chosen or dropped, as `[{ file, path }]`: files, and those in folders with their paths.

// A folder of more files than this is somebody's whole disk, not a dataset.
const MOST_FILES = 200_000;
const SAY_EVERY = 500;

/** The files of an input; those of a chosen folder have their path in it. */
export function chosen(list) {
  return sorted([...list].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
}

/**
 * What a drop carries. It has to be called while the drop is being handled, since its data is gone afterwards.
 *
 * @returns {{ folder: boolean, gather: (report: (count: number) => void) => Promise<{ file: File, path: string }[]> }}
 *   `folder` says whether there are folders, which take time to walk through
 */
export function dropped({ items, files }) {
  const entries = [...items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.() ?? null);
  // A browser without entries hands over the files themselves.
  if (entries.length === 0 || entries.includes(null)) {
    const found = chosen(files);
    return { folder: false, gather: async () => found };
  }
  return { folder: entries.some(({ isDirectory }) => isDirectory), gather: (report) => walk(entries, report) };
}

/** Every file below the entries. */
async function walk(entries, report) {
  const found = [];
  const waiting = [...entries];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    if (entry.isDirectory) {
      for (const member of await members(entry)) waiting.push(member);
      continue;
    }
    // Paths of entries begin with a slash.
    found.push({ file: await asked((done, failed) => entry.file(done, failed), entry), path: entry.fullPath.replace(/^\//, '') });
    if (found.length > MOST_FILES) throw new Error(`The folder has more than ${MOST_FILES.toLocaleString('en')} files. Drop the folder of one dataset.`);
    if (found.length % SAY_EVERY === 0) report(found.length);
  }
  return sorted(found);
}

/** A folder's members: browsers hand over some at a time (Chrome 100), and none when that was all. */
async function members(folder) {
  const reader = folder.createReader();
  let all = [];
  for (;;) {
    const some = await asked((done, failed) => reader.readEntries(done, failed), folder);
    if (some.length === 0) return all;
    all = all.concat(some);
  }
}

function asked(call, entry) {
  return new Promise((resolve, reject) => {
    call(resolve, (error) => reject(new Error(`“${entry.name}” cannot be read (${error.message || error.name}). Check that it is still where it was and may be read.`)));
  });
}

/** Folder by folder, by name, as the command reads a folder: so the samples are in the same order, and so are the results. */
function sorted(files) {
  const keyed = files.map((each) => ({ each, parts: each.path.split('/') }));
  return keyed.sort((a, b) => comparePaths(a.parts, b.parts)).map(({ each }) => each);
}

function comparePaths(a, b) {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
  }
  return a.length - b.length;
}

/** What people call it: a file by its name, a folder by its name, several by their number. */
export function titleOf(files) {
  if (files.length === 1) return files[0].file.name;
  const [top] = files[0].path.split('/');
  if (files.every(({ path }) => path.startsWith(`${top}/`))) return `${top} (${files.length.toLocaleString('en')} files)`;
  return `${files[0].file.name} and ${(files.length - 1).toLocaleString('en')} other${files.length === 2 ? '' : 's'}`;
}
