// Elements from data: every text becomes a text node, never markup.

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'open', 'indeterminate']);

/** An element with these attributes, listeners (`onclick`) and children; null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  for (const [name, value] of Object.entries(attributes)) {
    // After the children: a select takes a value only when it has the option.
    if (PROPERTIES.has(name) && value !== null && value !== undefined) element[name] = value;
  }
  return element;
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false || PROPERTIES.has(name)) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0 || child === ''));
  return element;
}

/** An icon drawn with one path in a square of 24; decoration only. */
export function icon(path) {
  return svg(
    'svg',
    { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: path }),
  );
}

/** Icons by what they mean. */
export const ICONS = {
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6L6 18',
  menu: 'M4 7h16M4 12h16M4 17h16',
  theme: 'M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z',
};

let last = 0;

/** An id that nothing else on the page has: to tie a label to its field. */
export function freshId(name) {
  last += 1;
  return `${name}-${last}`;
}

/** A labelled field, with a place for what is wrong about it. `name` is that of the API. */
export function field(name, label, input, hint) {
  const id = input.id || freshId(name);
  input.id = id;
  input.name = name;
  const wrong = h('p', { class: 'error', id: `${id}-error`, hidden: true });
  const note = hint && h('p', { class: 'hint', id: `${id}-hint` }, hint);
  input.setAttribute('aria-describedby', [note?.id, wrong.id].filter(Boolean).join(' '));
  return h('div', { class: 'field', 'data-field': name }, h('label', { for: id }, label), input, note, wrong);
}
