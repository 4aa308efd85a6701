/** An error, as the engine words it, and what to do next. */
export class Failure {
  #root;
  #shown = null;

  constructor(root) {
    this.#root = root;
  }

  update({ error }) {
    if (error === this.#shown) return;
    this.#shown = error;
    this.#root.hidden = error === null;
    if (error === null) return;
    this.#root.querySelector('h2').textContent = error.trap ? 'The engine stopped' : 'That did not work';
    this.#root.querySelector('.failure-message').textContent = error.message;
    this.#root.querySelector('.failure-next').textContent = error.next;
  }
}
