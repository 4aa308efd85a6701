import { chosen, dropped } from '../gather.js';
import { say } from './dom.js';

/** Files and folders, from two buttons or from a drop anywhere on the page. */
export class DropZone {
  #inputs;
  #veil;

  constructor(root, veil) {
    this.#inputs = ['#file-input', '#folder-input'].map((selector) => root.querySelector(selector));
    this.#veil = veil;
    for (const input of this.#inputs) {
      input.addEventListener('change', () => {
        const files = chosen(input.files);
        input.value = ''; // So that the same file can be chosen again.
        say(root, 'files', { files });
      });
    }
    const [, folder] = this.#inputs;
    // Some browsers on telephones cannot choose folders.
    if (!('webkitdirectory' in folder)) root.querySelector('label[for=folder-input]').hidden = true;
    this.#acceptDrops(root);
  }

  get #disabled() {
    return this.#inputs[0].disabled;
  }

  #acceptDrops(root) {
    const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
    document.addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = this.#disabled ? 'none' : 'copy';
      this.#veil.hidden = this.#disabled;
    });
    document.addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) this.#veil.hidden = true;
    });
    document.addEventListener('drop', (event) => {
      this.#veil.hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault(); // Whatever is dropped, the browser must not open it in place of the page.
      if (!this.#disabled) say(root, 'drop', dropped(event.dataTransfer));
    });
  }

  update({ busy }) {
    for (const input of this.#inputs) input.disabled = busy;
  }
}
