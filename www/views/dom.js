// Elements and events, for the views.

/** An element with attributes and children; a child that is a string becomes text, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Tells the controller; every event of the views bubbles up to the document. */
export function say(from, name, detail = {}) {
  from.dispatchEvent(new CustomEvent(`sextant:${name}`, { detail, bubbles: true }));
}

/** A small square of a class's colour. */
export function swatch(color) {
  const made = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  made.style.backgroundColor = color; // By the object model: the policy forbids style attributes.
  return made;
}

/** Where the rail scrolls by itself, its last step lies over what was opened at its end. */
export function uncover(details) {
  const rail = details.closest('.rail');
  if (!rail || getComputedStyle(rail).overflowY !== 'auto') return;
  rail.scrollBy({ top: details.getBoundingClientRect().top - rail.getBoundingClientRect().top - 12 });
}
