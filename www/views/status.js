import { say } from './dom.js';

/** The strip that always says where things stand. Its text waits a little between two announcements of progress. */
export class Status {
  #status;
  #cancel;
  #fill;

  constructor(status, cancel, fill) {
    this.#status = status;
    this.#cancel = cancel;
    this.#fill = fill;
    cancel.addEventListener('click', () => say(cancel, 'cancel'));
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !cancel.hidden) say(cancel, 'cancel');
    });
  }

  update({ phase, text, fraction, fetching }) {
    if (this.#status.textContent !== text) this.#status.textContent = text;
    if (this.#status.dataset.state !== phase) this.#status.dataset.state = phase;
    const busy = phase === 'reading' || phase === 'mapping' || fetching;
    const hadFocus = document.activeElement === this.#cancel;
    this.#cancel.hidden = !busy;
    if (hadFocus && !busy) document.getElementById('map-button').focus();
    this.#fill.parentElement.dataset.busy = String(busy || phase === 'loading');
    this.#fill.style.transform = `scaleX(${fraction ?? 0})`;
  }
}
