// Links: mint, search, filter, and all there is as an endless list. What is looked for stands in the address.

import { h } from './dom.js';
import { linkList } from './list.js';
import { mintForm } from './mint.js';
import { go, putQuery } from './router.js';
import { session } from './session.js';
import { codeOf, linkPage } from './ways.js';

/** How long after the last key a search begins, in milliseconds. */
const REST = 200;
const STATES = [
  ['', 'Not deleted'],
  ['active', 'Active'],
  ['disabled', 'Disabled'],
  ['expired', 'Expired'],
  ['deleted', 'Deleted'],
];

/** What is searched for: an address is looked up, which is quick; a `#tag` is a filter; the rest is text. */
function conditions({ q, tag, state, owner }) {
  const text = q.trim();
  const asked = { tag, state, owner };
  if (/^https?:\/\//i.test(text)) asked.target = text;
  else if (text.length > 1 && text.startsWith('#')) asked.tag = text.slice(1);
  else asked.q = text;
  return asked;
}

export function open({ query, signal }) {
  const wanted = { q: '', tag: '', state: '', owner: '' };
  const search = h('input', {
    id: 'search',
    type: 'search',
    placeholder: 'Code, title, target, address, #tag',
    autocomplete: 'off',
    spellcheck: 'false',
    dir: 'auto',
  });
  const tag = h('input', { type: 'text', id: 'tag', dir: 'auto', autocomplete: 'off', maxlength: '64' });
  const state = h(
    'select',
    { id: 'state' },
    STATES.map(([value, text]) => h('option', { value }, text)),
  );
  const owner = h('select', { id: 'owner' }, h('option', { value: '' }, 'Any key'));
  const clear = h(
    'button',
    { type: 'button', class: 'plain', onclick: () => put({ q: '', tag: '', state: '', owner: '' }) },
    'Clear',
  );
  const labelled = (name, input) => h('div', { class: 'field' }, h('label', { for: input.id }, name), input);
  const made = labelled('Made by', owner);
  const list = linkList({ ask: () => conditions(wanted), none: () => nothing(), signal });
  const form = h(
    'form',
    { class: 'filters', role: 'search' },
    h('div', { class: 'field wide' }, h('label', { for: 'search' }, 'Search'), search),
    labelled('Tag', tag),
    labelled('State', state),
    made,
    clear,
  );

  function follow(next) {
    for (const name of Object.keys(wanted)) wanted[name] = next.get(name) ?? '';
    draw();
    list.restart();
  }

  function draw() {
    // Never under the fingers of who is typing.
    if (document.activeElement !== search || search.value.trim() !== wanted.q) search.value = wanted.q;
    tag.value = wanted.tag;
    state.value = wanted.state;
    if (![...owner.options].some((option) => option.value === wanted.owner))
      owner.append(h('option', { value: wanted.owner }, wanted.owner));
    owner.value = wanted.owner;
    // Others know no key but their own.
    made.hidden = !session.isAdmin && !wanted.owner;
    clear.hidden = !Object.values(wanted).some(Boolean);
  }

  function put(next, push = true) {
    Object.assign(wanted, next);
    const filled = Object.entries(wanted).filter(([, value]) => value);
    putQuery(new URLSearchParams(filled), { push });
    draw();
    list.restart();
  }

  let timer = 0;
  // A short URL leads to its link when it was pasted, or with Enter: of what is being typed nobody knows the end.
  const searchNow = (atOnce) => {
    clearTimeout(timer);
    const q = search.value.trim();
    const code = atOnce && codeOf(q);
    // Kept, but not in sight: the address is another's now.
    if (!form.isConnected) return;
    if (code) go(linkPage(code));
    else if (q === wanted.q) return;
    // What was searched for before can be gone back to; what was typed on the way to it can't.
    else put({ q }, wanted.q === '' || q === '');
  };
  search.addEventListener('input', ({ inputType, data }) => {
    const pasted = inputType === 'insertFromPaste' || data?.length > 1;
    clearTimeout(timer);
    timer = setTimeout(() => searchNow(pasted), REST);
  });
  // A form of two fields without a button of its own is not submitted by Enter.
  search.addEventListener('keydown', (event) => event.key === 'Enter' && searchNow(true));
  tag.addEventListener('change', () => put({ tag: tag.value.trim() }));
  state.addEventListener('change', () => put({ state: state.value }));
  owner.addEventListener('change', () => put({ owner: owner.value }));
  signal.addEventListener('abort', () => clearTimeout(timer));

  nameKeys(owner, wanted);
  follow(query);
  const minted = (link, fresh) => {
    if (!link) list.restart();
    else if (fresh && !Object.values(wanted).some(Boolean)) list.prepend(link);
  };
  const node = h(
    'div',
    { class: 'view' },
    h('header', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Links')),
    session.mayMint && mintForm(minted, query.get('mint') ?? ''),
    form,
    list.node,
  );

  function nothing() {
    if (Object.values(wanted).some(Boolean))
      return 'No link fits. A search looks for the text in codes, titles and targets; deleted links are found with the state “Deleted”.';
    return session.mayMint
      ? 'There is no link yet. Paste the address of an article above and press Enter.'
      : 'There is no link yet.';
  }
  return { node, title: 'Links', keep: true, refresh: list.resume, update: follow };
}

/** Offers the keys by their names. */
async function nameKeys(select, wanted) {
  const keys = await session.knownKeys();
  const named = keys.map(({ id, name }) => h('option', { value: id }, `${name} (${id})`));
  select.replaceChildren(select.options[0], ...named);
  if (wanted.owner && !keys.some(({ id }) => id === wanted.owner))
    select.append(h('option', { value: wanted.owner }, wanted.owner));
  select.value = wanted.owner;
}
