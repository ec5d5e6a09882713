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

/**
 * Puts these children, each with a `data-key`, in the place of those that are there. What is there already for a
 * key is made to look like the new one instead: so neither focus nor selection nor a press on it is lost.
 */
export function renew(parent, children) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const kept = children.map((fresh) => liken(known.get(fresh.dataset.key), fresh));
  for (const child of [...parent.children]) if (!kept.includes(child)) child.remove();
  kept.forEach((child, index) => {
    const there = parent.children[index] ?? null;
    if (there === child) return;
    if (child.isConnected && parent.moveBefore) parent.moveBefore(child, there);
    else parent.insertBefore(child, there);
  });
}

/** Gives `old`, changed to what `fresh` is, or `fresh` where they are too different. */
function liken(old, fresh) {
  if (!old || old.nodeName !== fresh.nodeName || old.childNodes.length !== fresh.childNodes.length)
    return fresh;
  if (old.isEqualNode(fresh)) return old;
  if (old.nodeType === Node.TEXT_NODE) {
    old.data = fresh.data;
    return old;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    // The policy of the page lets no text become style.
    if (name === 'style') old.style.cssText = fresh.style.cssText;
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const pairs = [...old.childNodes].map((child, index) => [child, fresh.childNodes[index]]);
  // Paired first: what is taken over from the new one leaves it.
  for (const [child, other] of pairs) {
    const next = liken(child, other);
    if (next !== child) child.replaceWith(next);
  }
  return old;
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

/** When what was put into the page has been drawn. */
export const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

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
