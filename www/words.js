// Sentences and numbers as the page writes them.

const NEXT = {
  input: 'Choose another file, or another matrix of this one. Your file has not been changed and has not left this computer.',
  reference: 'Reload the page. If that does not help, the reference on this server is damaged: tell whoever runs it.',
  mapping: 'Check that the file and the reference are of the same species and tissue, or choose another file.',
  usage: 'Change the choice above and try again.',
  trap: 'The engine stopped in the middle of its work and was started anew. If memory ran out, close other tabs, try a smaller file, or use the command “sextant map”, which has the same engine and all of the machine’s memory.',
};

/** What the person can do after an error. */
export function nextStep(error, during) {
  if (during === 'starting') return 'Reload the page. If this stays, update the browser or try Chrome, Edge or Firefox.';
  if (during === 'loading') return 'Check the connection and reload the page.';
  return NEXT[error.kind] ?? 'Reload the page and try again; if it happens again, please report it with the version at the foot of the page.';
}

export const whole = (number) => (Number.isFinite(number) ? Math.round(number).toLocaleString('en') : '–');

export const percent = (part, all) => (all > 0 ? `${((100 * part) / all).toFixed(1)} %` : '–');

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
