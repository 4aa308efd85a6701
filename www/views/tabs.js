/** Tables, one shown: arrows move between the tabs. */
export class Tabs {
  #root;
  #tabs;

  constructor(root) {
    this.#root = root;
    this.#tabs = [...root.querySelectorAll('[role=tab]')];
    for (const tab of this.#tabs) tab.addEventListener('click', () => this.#select(tab));
    root.querySelector('[role=tablist]').addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = this.#tabs.indexOf(document.activeElement);
      const next = this.#tabs[(at + step + this.#tabs.length) % this.#tabs.length];
      this.#select(next);
      next.focus();
    });
  }

  update({ result }) {
    this.#root.hidden = !result;
  }

  /** Brings a tab to the front and into sight. */
  show(id) {
    const tab = this.#tabs.find((each) => each.id === id);
    this.#select(tab);
    tab.focus({ preventScroll: true });
    this.#root.scrollIntoView({ block: 'nearest' });
  }

  #select(chosen) {
    for (const tab of this.#tabs) {
      const selected = tab === chosen;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute('aria-controls'));
      panel.hidden = !selected;
      if (selected) panel.dispatchEvent(new Event('shown'));
    }
  }
}
