// How the classes of one column of cells fall together with those of another.

/**
 * @param {{ classes: { name: string, under?: boolean }[], codes: Uint16Array }} rows
 * @param {{ classes: { name: string, under?: boolean }[], codes: Uint16Array }} columns
 * @returns {{ rows, columns, cells }} of both sides the classes that have cells, each `{ name, code, cells }`: the rows by
 *   falling number of cells, what is no value last, each also with its `counts` by column and its `majority`,
 *   `{ name, cells }` or null; the columns in the order of the rows that they are most of, so that what agrees lies along
 *   the diagonal
 */
export function confusion(rows, columns) {
  const wide = columns.classes.length;
  const counts = new Float64Array(rows.classes.length * wide);
  for (let cell = 0; cell < rows.codes.length; cell += 1) counts[rows.codes[cell] * wide + columns.codes[cell]] += 1;
  const total = (code, side) => {
    let sum = 0;
    if (side === 'row') for (let column = 0; column < wide; column += 1) sum += counts[code * wide + column];
    else for (let row = 0; row < rows.classes.length; row += 1) sum += counts[row * wide + code];
    return sum;
  };
  const present = ({ classes }, side) => classes
    .map(({ name, under }, code) => ({ name, under: Boolean(under), code, cells: total(code, side) }))
    .filter(({ cells }) => cells > 0)
    .sort((a, b) => a.under - b.under || b.cells - a.cells || a.code - b.code);
  const across = present(rows, 'row');
  const down = present(columns, 'column');
  for (const column of down) {
    const of = across.map(({ code }) => counts[code * wide + column.code]);
    column.most = of.indexOf(Math.max(...of));
  }
  down.sort((a, b) => a.under - b.under || a.most - b.most || b.cells - a.cells || a.code - b.code);
  for (const row of across) {
    row.counts = down.map(({ code }) => counts[row.code * wide + code]);
    row.majority = majorityOf(row, down);
  }
  return { rows: across, columns: down, cells: rows.codes.length };
}

/** The commonest value of a row; of several the first of their class. What is missing, or many values together, is none. */
function majorityOf({ counts }, columns) {
  let best = null;
  columns.forEach(({ name, under, code }, at) => {
    if (under || counts[at] === 0) return;
    if (best === null || counts[at] > best.cells || (counts[at] === best.cells && code < best.code)) best = { name, code, cells: counts[at] };
  });
  return best;
}

/** The cells of one class of a column, and of one of another, in ascending order; null stands for all. */
export function cellsOf(rows, row, columns, column) {
  const found = [];
  for (let cell = 0; cell < rows.codes.length; cell += 1) {
    if ((row === null || rows.codes[cell] === row) && (column === null || columns.codes[cell] === column)) found.push(cell);
  }
  return Uint32Array.from(found);
}

/** What is written for a count: itself, or how many per cent of its row or its column it is. */
export function shareOf(count, row, column, mode) {
  return mode === 'counts' ? count : (100 * count) / (mode === 'rows' ? row.cells : column.cells);
}

/** compare.tsv: the table as it is shown, numbers with the fewest digits that read back as the same. */
export function compareTable(name, { rows, columns }, mode) {
  const head = unambiguous([name, ...columns.map((column) => column.name), 'cells', 'majority', 'majority.share']);
  const lines = rows.map((row) => [
    clean(row.name),
    ...row.counts.map((count, at) => String(shareOf(count, row, columns[at], mode))),
    String(row.cells), row.majority ? clean(row.majority.name) : '', row.majority ? String(row.majority.cells / row.cells) : '']);
  return `${[head, ...lines].map((line) => line.join('\t')).join('\n')}\n`;
}

/** Names that stand once each, numbered as in metadata.tsv where one stands there already. */
function unambiguous(names) {
  const taken = new Set();
  const cleaned = names.map(clean);
  return cleaned.map((name) => {
    let own = name;
    for (let number = 1; taken.has(own) || (own !== name && cleaned.includes(own)); number += 1) own = `${name}.${number}`;
    taken.add(own);
    return own;
  });
}

/**
 * A name that cannot break the table, as the engine cleans those of its own: control characters become spaces, and one
 * that begins with a quotation mark is quoted. A spreadsheet would compute what begins as a formula, and such a table is
 * opened in one: an apostrophe in front keeps it a text, unless it is a mere number.
 */
function clean(name) {
  const plain = name.replace(/\p{Cc}/gu, ' ');
  if (/^\s*[=+\-@]/.test(plain) && !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return `'${plain}`;
  return plain.startsWith('"') ? `"${plain.replaceAll('"', '""')}"` : plain;
}
