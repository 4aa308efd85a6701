// A column of the file's table of cells as classes or as a scale, in the shape that a level of labels has.

import { figure, score, whole } from '../words.js';

// Between the colours of classes and the pale of what is out of focus, on white and on black.
const OTHER = '#77808a';
const MISSING = '#a9b0b6';

/**
 * @param {string} name of the column
 * @param {object} column as the engine hands it over
 * @returns {{ name, classes, codes, scores?, ends?, word }} classes have a `key` beside their name, since values of a
 *   file may be called anything, also as a label is, and some are `named` on the map or lie `under` the others; `scores` from 0 to 1, NaN where missing, and `ends` for a column of numbers; `word(i)` is
 *   the value of a cell, and `value(i)` its number
 */
export function coloring(name, column) {
  return column.kind === 'number' ? ofNumbers(name, column) : ofClasses(name, column);
}

/** The query's own clusters in the same shape. */
export function ofClusters({ clusters, codes }) {
  const classes = clusters.map(({ name, cells, color }) => ({ key: `cluster ${name}`, name, color, cells, named: true }));
  return { name: 'Own clusters', classes, codes, word: (i) => classes[codes[i]]?.name ?? '–' };
}

/** The scores of doublets as a scale from 0. */
export function ofDoublets(scores) {
  const max = scores.reduce((high, score) => Math.max(high, score), 0);
  return { ...ofNumbers('Doublet score', { numbers: scores, min: 0, max, missing: 0 }), word: (i) => score(scores[i]) };
}

// A few cells with very much of a gene would leave all others at the low end.
const CLIPPED = 0.01;

/** Values of a gene as a scale from the lowest to the highest hundredth; of counts it begins at 0. */
export function ofGene(values) {
  const sorted = Float32Array.from(values).sort();
  const above = sorted.subarray(sorted.findLastIndex((value) => value <= 0) + 1);
  const at = (share, of) => of[Math.min(of.length - 1, Math.round(share * (of.length - 1)))] ?? 0;
  const min = sorted[0] >= 0 ? 0 : at(CLIPPED, sorted);
  const max = sorted[0] >= 0 ? at(1 - CLIPPED, above) : at(1 - CLIPPED, sorted);
  const span = max - min;
  return { ends: [min, min + span / 2, max], scores: values.map((value) => (span > 0 ? Math.min(1, Math.max(0, (value - min) / span)) : 0)), values };
}

function ofClasses(name, { values, other_values: others, other_cells: otherCells, missing, codes }) {
  const classes = values.map(({ value, cells, color }, at) => ({ key: `metadata ${at}`, name: value, color, cells, named: true }));
  classes.push({ key: 'metadata other', name: others === 1 ? '1 other value' : `${whole(others)} other values`, color: OTHER, cells: otherCells, under: true });
  classes.push({ key: 'metadata missing', name: 'missing', color: MISSING, cells: missing, under: true });
  return { name, classes, codes, word: (i) => classes[codes[i]]?.name ?? '–' };
}

function ofNumbers(name, { numbers, min, max, missing }) {
  const codes = new Uint16Array(numbers.length);
  const scores = new Float32Array(numbers.length);
  const span = max - min;
  for (let i = 0; i < numbers.length; i += 1) {
    if (Number.isNaN(numbers[i])) codes[i] = 1;
    // Where all numbers are the same they stand in the middle; infinite ones stand at the ends.
    scores[i] = span > 0 || !Number.isFinite(numbers[i]) ? Math.min(1, Math.max(0, (numbers[i] - min) / (span || 1))) : 0.5;
  }
  const classes = [
    { key: 'metadata present', name: 'with a number', color: OTHER, cells: numbers.length - missing },
    { key: 'metadata missing', name: 'missing', color: MISSING, cells: missing, under: true },
  ];
  const ends = typeof min === 'number' ? [min, min + span / 2, max] : null;
  return { name, classes, codes, scores, ends, word: (i) => (codes[i] === 1 ? 'missing' : figure(numbers[i])), value: (i) => (codes[i] === 1 ? -Infinity : numbers[i]) };
}
