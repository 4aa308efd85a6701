// Sentences and numbers as the page writes them.

const NEXT = {
  input: 'Choose another file, or another matrix of this one. Your file has not been changed and has not left this computer.',
  memory: 'Your file is whole, and has not left this computer.',
  reference: 'Reload the page. If that does not help, the reference on this server is damaged: tell whoever runs it.',
  mapping: 'Check that the file and the reference are of the same species and tissue, take the gene names from another column if the file has one, or choose another file.',
  usage: 'Change the choice above and try again.',
  trap: 'The engine stopped in the middle of its work and was started anew. If memory ran out, close other tabs, try a smaller file, or use the command “sextant map”, which has the same engine and all of the machine’s memory.',
};

const STAGES = {
  'Looking into the file': (title) => `Looking into ${title} …`,
  Reading: (title) => `Reading ${title} …`,
};

/** What the page says while files are opened and read. */
export function readingWords(stage, title) {
  return STAGES[stage]?.(title) ?? `Reading ${title}: ${stage} …`;
}

/** What the person can do after an error. */
export function nextStep(error, during) {
  if (during === 'starting') return 'Reload the page. If this stays, update the browser or try Chrome, Edge or Firefox.';
  if (during === 'loading') return 'Check the connection and reload the page.';
  return NEXT[error.kind] ?? 'Reload the page and try again; if it happens again, please report it with the version at the foot of the page.';
}

export const whole = (number) => (Number.isFinite(number) ? Math.round(number).toLocaleString('en') : '–');

/** 12 kB, 3.4 MB, 1.2 GB. */
export function bytes(number) {
  const [unit, size] = [['GB', 1e9], ['MB', 1e6]].find(([, each]) => number >= each) ?? ['kB', 1e3];
  return `${(number / size).toFixed(number < 10 * size && unit !== 'kB' ? 1 : 0)} ${unit}`;
}

export const percent = (part, all) => (all > 0 ? `${((100 * part) / all).toFixed(1)} %` : '–');

/** Any number as people read it: 12,345, 0.1235, 1.20e-9. */
export function figure(number) {
  const size = Math.abs(number);
  if (!Number.isFinite(number)) return number === Infinity ? '∞' : number === -Infinity ? '−∞' : '–';
  if (size !== 0 && (size < 1e-3 || size >= 1e12)) return number.toExponential(2);
  return Number.isInteger(number) || size >= 1e5 ? whole(number) : number.toLocaleString('en', { maximumSignificantDigits: 5 });
}

export const score = (number) => (Number.isFinite(number) ? number.toFixed(3) : '–');

/** 830 ms, 4.2 s, 2 min 05 s. */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function median(values) {
  const sorted = Float32Array.from(values).filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
