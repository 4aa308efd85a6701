// Reads a 10x HDF5 file with scran.js as its application does: the whole File into memory, then into the module's
// file system, then the counts into a sparse matrix.
import * as scran from '/node_modules/scran.js/browser/index.js';

self.onmessage = async ({ data: { threads, file } }) => {
  const stages = [];
  const timed = (name, work) => {
    const start = performance.now();
    const value = work();
    stages.push([name, (performance.now() - start) / 1000]);
    return value;
  };
  try {
    const start = performance.now();
    await scran.initialize({ numberOfThreads: threads });
    stages.push(['start the engine', (performance.now() - start) / 1000]);
    const from = performance.now();
    const bytes = timed('  read: file to memory', () => new Uint8Array(new FileReaderSync().readAsArrayBuffer(file)));
    timed("  read: memory to the engine's file system", () => scran.writeFile('query.h5', bytes));
    const matrix = new scran.H5File('query.h5').open('matrix');
    const features = matrix.open('features');
    const ids = timed('  read: gene names', () => {
      features.open('name', { load: true });
      return features.open('id', { load: true }).values;
    });
    const cells = Number(matrix.open('shape', { load: true }).values[1]);
    const counts = timed('  read: counts', () => scran.initializeSparseMatrixFromHdf5Group('query.h5', 'matrix', ids.length, cells, false, { layered: true }));
    stages.push(['read', (performance.now() - from) / 1000]);
    self.postMessage({ stages, about: `${counts.numberOfColumns()} cells, ${counts.numberOfRows()} genes, isolated ${self.crossOriginIsolated}` });
  } catch (error) {
    self.postMessage({ error: error.message });
  }
};
