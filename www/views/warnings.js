import { element } from './dom.js';

/** Warnings of the engine as a list, or nothing where there are none. */
export function warnings(list) {
  if (!list?.length) return null;
  return element('ul', { class: 'warnings' }, ...list.map(({ code, message }) => element('li', { 'data-code': code }, message)));
}
