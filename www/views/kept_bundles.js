import { progressWords } from '../bundles/delivery.js';
import { bytes as size } from '../words.js';
import { element, say } from './dom.js';
import { isBusy } from './shown.js';

const PLACES = {
  files: 'They lie in files of this browser that only this page reads.',
  cache: 'They lie in this browser’s cache for this page.',
  memory: 'This browser keeps nothing for this page, as in a private window: what is fetched is held until the tab is closed.',
};

/** The bundles that this browser keeps: what they are, how large, since when, and the way to be rid of them. */
export class KeptBundles {
  #root;
  #all;
  #kept = null;

  constructor(root) {
    this.#root = root;
    this.#all = root.querySelector('#kept-delete-all');
    this.#all.addEventListener('click', () => say(root, 'kept-delete-all'));
    root.addEventListener('toggle', () => root.open && say(root, 'kept-look')); // Another tab may have fetched or deleted.
  }

  update(state) {
    const { kept, stored } = state;
    if (kept !== this.#kept) {
      this.#kept = kept;
      this.#show(kept, stored);
    }
    for (const button of this.#root.querySelectorAll('button')) button.disabled = isBusy(state);
  }

  #show({ place, bundles }, stored) {
    const total = size(bundles.reduce((sum, { received }) => sum + received, 0));
    const count = bundles.length === 1 ? '1 reference' : `${bundles.length} references`;
    this.#root.dataset.place = place;
    this.#root.querySelector('.kept-total').textContent = bundles.length > 0 ? `: ${count}, ${total}` : ': none that was fetched';
    this.#root.querySelector('ul').replaceChildren(...bundles.map((bundle) => this.#line(bundle)));
    const page = stored?.now ? `Stored with the page besides, for use without a network: ${stored.count} references, their demos and the engine, ${size(stored.bytes)}; the browser’s settings for this site delete that.` : '';
    this.#root.querySelector('p').textContent = [(bundles.length > 0 || place === 'memory') && PLACES[place], page].filter(Boolean).join(' ');
    this.#all.hidden = bundles.length === 0;
    this.#all.textContent = `Delete all, ${total}`;
  }

  #line({ id, title, address, received, bytes, complete, date, sha256, volatile }) {
    const how = complete ? size(received) : `${bytes ? progressWords(received, bytes) : size(received)}, unfinished`;
    const remove = element('button', { type: 'button', class: 'quiet', 'aria-label': `Delete ${title}` }, 'Delete');
    remove.addEventListener('click', () => say(this.#root, 'kept-delete', { id }));
    const facts = [how, volatile ? 'until this tab is closed' : new Date(date).toLocaleDateString('en', { dateStyle: 'medium' }), `from ${new URL(address).origin}`];
    return element('li', { title: sha256 ? `${address}\nSHA-256 ${sha256}` : address }, element('strong', {}, title), element('span', {}, facts.join(' · ')), remove);
  }
}
