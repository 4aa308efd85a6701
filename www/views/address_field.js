import { readAddress } from '../bundles/addresses.js';
import { say } from './dom.js';
import { isBusy } from './shown.js';

/** The address of a person's own bundle. Nothing is asked of anyone before the button with the origin's name is pressed. */
export class AddressField {
  #root;
  #input;
  #button;
  #busy = true;

  constructor(root) {
    this.#root = root;
    this.#input = root.querySelector('#address-input');
    this.#button = root.querySelector('#address-button');
    this.#input.addEventListener('input', () => this.#show());
    this.#input.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter' && !this.#button.disabled) this.#button.focus(); // There it can be read whom the next key asks.
    });
    this.#button.addEventListener('click', ({ isTrusted }) => say(root, 'address', { text: this.#input.value, trusted: isTrusted }));
    this.#show();
  }

  update(state) {
    this.#busy = state.phase === 'loading' || isBusy(state);
    this.#input.disabled = this.#busy;
    this.#show();
  }

  #show() {
    const { address, origin, problem } = readAddress(this.#input.value);
    this.#button.disabled = this.#busy || !address;
    this.#set(this.#button, address ? `Fetch from ${origin}` : 'Fetch');
    const about = address
      ? `The button asks ${origin} for ${address} without cookies or any data of yours. Nothing is asked before, not even its size.`
      : problem || 'It is fetched when you press the button, which says from where, and kept in this browser.';
    this.#set(this.#root.querySelector('#address-about'), about);
    const link = this.#root.querySelector('#address-link');
    link.hidden = !address;
    if (address) link.href = address;
  }

  #set(part, text) {
    if (part.textContent !== text) part.textContent = text;
  }
}
