// Keys that work wherever the focus is, but in a field. What each does is what its button does.

const press = (id) => () => document.getElementById(id).click(); // A button that is disabled does nothing.

const ACTIONS = {
  d: press('demo-button'),
  m: press('map-button'),
  g: focusGene,
  r: press('zoom-reset'),
  '?': press('keys-button'),
};

/** Whether letters go into it: an input other than a box or a button, a list, or text that can be changed. */
function takesLetters(target) {
  if (!(target instanceof Element)) return false;
  if (target.matches('select, textarea')) return true;
  if (target.matches('input')) return !['checkbox', 'radio', 'button', 'submit', 'file', 'range'].includes(target.type);
  return target.isContentEditable;
}

export function listenToShortcuts() {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (takesLetters(event.target) || document.querySelector('dialog[open]')) return;
    const action = /^[1-9]$/.test(event.key) ? () => colorBy(Number(event.key)) : Object.hasOwn(ACTIONS, event.key) ? ACTIONS[event.key] : null;
    if (!action) return;
    event.preventDefault(); // Else a field that takes the focus takes the letter too.
    action();
  });
}

function focusGene() {
  const field = document.getElementById('gene-input');
  if (field.disabled || field.checkVisibility?.() === false) return;
  field.scrollIntoView({ block: 'nearest' });
  field.focus();
}

/** The n-th choice of the list of colourings, counted without the gene that is shown. */
function colorBy(n) {
  const list = document.getElementById('color-by');
  const option = [...list.options].filter(({ dataset }) => dataset.kind !== 'gene')[n - 1];
  if (!option || list.disabled || list.checkVisibility?.() === false) return;
  option.selected = true;
  list.dispatchEvent(new Event('change', { bubbles: true }));
}
