import { element, say } from './dom.js';

const MOST_SHOWN = 12;

/** A field that completes the symbols of genes: those that begin with what was typed, then those that contain it. */
export class GeneSearch {
  #root;
  #input;
  #list;
  #symbols = [];
  #lower = [];
  #active = -1;

  constructor(root) {
    this.#root = root;
    this.#input = root.querySelector('input');
    this.#list = root.querySelector('[role=listbox]');
    this.#input.addEventListener('input', () => this.#offer());
    this.#input.addEventListener('focus', () => this.#input.select());
    this.#input.addEventListener('blur', () => this.#close());
    this.#input.addEventListener('keydown', (event) => this.#key(event));
    // Before the field loses the focus, which closes the list.
    this.#list.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      const option = event.target.closest('[role=option]');
      if (option) this.#choose(option.textContent);
    });
  }

  /** `symbols`: all that can be found, those of the file and of the reference. */
  update({ symbols, value, disabled }) {
    if (symbols !== this.#symbols) {
      this.#symbols = symbols;
      this.#lower = symbols.map((symbol) => symbol.toLowerCase());
    }
    this.#root.hidden = symbols.length === 0;
    this.#input.disabled = disabled;
    if (document.activeElement !== this.#input) this.#input.value = value ?? '';
  }

  #offer() {
    const words = this.#input.value.trim().toLowerCase();
    const begin = [];
    const contain = [];
    for (let at = 0; words && at < this.#lower.length && begin.length < MOST_SHOWN; at += 1) {
      const found = this.#lower[at].indexOf(words);
      if (found === 0) begin.push(this.#symbols[at]);
      else if (found > 0 && contain.length < MOST_SHOWN) contain.push(this.#symbols[at]);
    }
    // The symbol itself before those that only begin with it.
    begin.sort((a, b) => a.length - b.length || a.localeCompare(b, 'en', { numeric: true }));
    const shown = [...begin, ...contain].slice(0, MOST_SHOWN);
    const none = words && shown.length === 0;
    this.#list.replaceChildren(...shown.map((symbol, at) => element('li', { role: 'option', id: `${this.#list.id}-${at}`, 'aria-selected': 'false' }, symbol)),
      ...(none ? [element('li', { class: 'none' }, 'No gene is called that')] : []));
    this.#list.hidden = shown.length === 0 && !none;
    this.#input.setAttribute('aria-expanded', String(shown.length > 0));
    this.#activate(shown.length > 0 ? 0 : -1);
  }

  #activate(at) {
    this.#active = at;
    [...this.#list.children].forEach((option, index) => option.setAttribute('aria-selected', String(index === at)));
    if (at >= 0) this.#input.setAttribute('aria-activedescendant', this.#list.children[at].id);
    else this.#input.removeAttribute('aria-activedescendant');
  }

  #key(event) {
    const options = this.#list.querySelectorAll('[role=option]');
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length > 0) {
      event.preventDefault();
      this.#activate((this.#active + step + options.length) % options.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (this.#active >= 0 && !this.#list.hidden) this.#choose(options[this.#active].textContent);
      else if (this.#input.value.trim() === '') say(this.#root, 'gene', { symbol: null });
    } else if (event.key === 'Escape') {
      event.stopPropagation(); // Else it would cancel what the engine does.
      this.#close();
    }
  }

  #choose(symbol) {
    this.#input.value = symbol;
    this.#close();
    say(this.#root, 'gene', { symbol });
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute('aria-expanded', 'false');
    this.#activate(-1);
  }
}
