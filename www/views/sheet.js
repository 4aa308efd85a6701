/** A dialog over the page, with the button that opens it: Escape, its own button and a click beside it close it. */
export class Sheet {
  constructor(dialog, opener, opens = () => {}) {
    opener.addEventListener('click', () => {
      if (dialog.open) return;
      opens();
      dialog.showModal();
    });
    dialog.querySelector('.sheet-close').addEventListener('click', () => dialog.close());
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close(); // The sheet lies in an element of its own: this is the room around it.
    });
    dialog.addEventListener('keydown', (event) => {
      event.stopPropagation(); // Else Escape would also cancel what the engine does.
    });
  }

  update() {}
}
