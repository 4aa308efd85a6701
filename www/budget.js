// How much of the engine's memory the counts may take.

// The reference, the mapping of a large query, the names and tables of cells, and what reading needs besides.
const FOR_THE_REST = 1.6e9;
// Of 4 GiB, more than this for counts leaves too little for the mapping of as many cells.
const MOST = 2.2e9;
// Where the memory is small, a small query must still be read.
const LEAST = 0.3e9;

/** Cells that are mapped at a time where a file is mapped in batches: the command's --batch of this size gives the same. */
export const BATCH = 20_000;
/** Of more cells than this, batches are offered even where the counts fit: every cell is compared with every other. */
export const MANY_CELLS = 150_000;

/**
 * Bytes for the counts, of a memory that can grow to `maximum` bytes. `?budget=BYTES` in the address sets another
 * number, to see what happens to a query that does not fit.
 */
export function budgetOf(maximum, address = window.location.href) {
  const wished = Number.parseFloat(new URL(address).searchParams.get('budget') ?? '');
  if (wished > 0) return wished;
  return Math.min(MOST, Math.max(LEAST, maximum - FOR_THE_REST));
}
