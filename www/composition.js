// How many cells of each sample have each label, counted and as a table.

/**
 * The cells of each sample with each label of a level.
 *
 * @returns {{ samples: { name, missing, cells }[], classes: { name, color, cells }[], counts: Uint32Array }} samples and
 *   classes that have cells, and the counts sample by sample; without a grouping all cells are one sample without a name
 */
export function composed(result, grouping, level) {
  const { classes } = result.levels[level];
  const codes = result.codes[level];
  const of = grouping?.classes ?? [{ name: '' }];
  const wide = classes.length + 1; // The last one has cells without a label.
  const all = new Uint32Array(of.length * wide);
  for (let i = 0; i < result.cells; i += 1) {
    const sample = grouping ? grouping.codes[i] : 0;
    all[sample * wide + Math.min(codes[i], classes.length)] += 1;
  }
  const sum = (keep) => all.reduce((total, cells, at) => total + (keep(at) ? cells : 0), 0);
  const samples = of.map(({ name, key }, at) => ({ at, name, missing: key === 'metadata missing', cells: sum((place) => Math.floor(place / wide) === at) })).filter(({ cells }) => cells > 0);
  const named = [...classes, { name: '–', color: '#888888' }].map(({ name, color }, at) => ({ at, name, color, cells: sum((place) => place % wide === at) })).filter(({ cells }) => cells > 0);
  named.sort((a, b) => b.cells - a.cells || a.at - b.at);
  const counts = Uint32Array.from(samples.flatMap((sample) => named.map((each) => all[sample.at * wide + each.at])));
  return { samples, classes: named, counts };
}

/** composition.tsv: a line for each class of each sample and level, those without cells too where another sample has some. */
export function compositionTable(result, grouping) {
  const lines = ['level\tsample\tclass\tcells\tshare'];
  result.levels.forEach(({ name }, level) => {
    const { samples, classes, counts } = composed(result, grouping, level);
    samples.forEach((sample, row) => classes.forEach((each, column) => {
      const cells = counts[row * classes.length + column];
      lines.push([clean(name), sample.missing ? '' : clean(sample.name), clean(each.name), cells, cells / sample.cells].join('\t'));
    }));
  });
  return `${lines.join('\n')}\n`;
}

/**
 * A name that cannot break a table, as the engine's tables have it: control characters are spaces, and one that begins
 * with a quotation mark is quoted. Besides, an apostrophe keeps spreadsheets from taking a name for a formula.
 */
export function clean(name) {
  const spaced = name.replace(/\p{Cc}/gu, ' ');
  if (spaced.startsWith('"')) return `"${spaced.replaceAll('"', '""')}"`;
  return /^\s*[=+\-@]/.test(spaced) && !Number.isFinite(Number(spaced)) ? `'${spaced}` : spaced;
}
