// Which of the two builds of the engine runs, and on how many threads.

const MOST_THREADS = 16;
// The smallest module that uses a 128-bit vector: () -> v128.const; drop.
const SIMD_PROBE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0,
  253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 11]);

/**
 * Chooses the build. `?build=single` and `?threads=N` in the address ask for less than the browser can.
 *
 * @returns {{ name: 'threads' | 'single', threads: number, why: string }}
 */
export function chooseBuild({ isolated, why }, address = window.location.href) {
  const wish = new URL(address).searchParams;
  if (wish.get('build') === 'single') return single('asked for in the address');
  if (!isolated) return single(why);
  const cores = Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS);
  const wished = Number.parseInt(wish.get('threads') ?? '', 10);
  return { name: 'threads', threads: wished >= 1 ? Math.min(wished, MOST_THREADS) : cores, why: '' };
}

/** The single-threaded build, and the reason for it. */
export function single(why) {
  return { name: 'single', threads: 0, why };
}

/** The folder of a build. It carries the release's name, so that glue and wasm of two releases never meet. */
function folderOf(release, build) {
  return new URL(`engine/${release.release}/${build.name}/`, document.baseURI);
}

/** The module that wasm-bindgen wrote for a build. */
export function glueOf(release, build) {
  return new URL('sextant.js', folderOf(release, build)).href;
}

/** Fetches and compiles the engine once; every worker is handed the compiled module. */
export async function compile(release, build) {
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw new Error('This browser does not run WebAssembly with SIMD, which the engine needs. Chrome 91, Firefox 89 and Safari 16.4 and everything later do.');
  }
  const wasm = new URL('sextant_bg.wasm', folderOf(release, build));
  const response = await fetch(wasm);
  if (!response.ok) throw new Error(`The engine could not be loaded: the server answered ${response.status} for ${wasm.pathname}.`);
  const bytes = await response.arrayBuffer();
  return { ...build, glue: glueOf(release, build), module: await WebAssembly.compile(bytes), memoryPages: release.memory_pages };
}

/** In words, for the foot of the page. */
export function describe(build) {
  if (build.name === 'threads') return `Threaded build on ${build.threads} thread${build.threads === 1 ? '' : 's'}`;
  return `Single-threaded build${build.why ? `: ${build.why}` : ''}`;
}
