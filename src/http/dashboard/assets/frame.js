// What stands around every view: the brand, the ways to the views, light and dark, the way out, and keys.

import { openDialog } from './dialog.js';
import { ICONS, h, icon, painted } from './dom.js';
import { moment, safe, time } from './format.js';
import { notices, say } from './notice.js';
import { go } from './router.js';
import { session } from './session.js';
import { DOCS, ROOT } from './ways.js';
import { ownZone } from './zone.js';

const SHORTCUTS = [
  ['n', 'Mint a link'],
  ['/', 'Search the links'],
  ['g', 'Go to the overview'],
  ['?', 'Show these keys'],
  ['Esc', 'Close what is open'],
];

/** Builds the frame into the page; gives its `main`, its `name` and `mark`, which shows where one is. */
export function buildFrame() {
  const brand = document.body.dataset;
  const name = brand.name || 'Slugline';
  const links = ways();
  const nav = h(
    'nav',
    { 'aria-label': 'Main', id: 'ways' },
    h(
      'ul',
      {},
      links.map((link) => h('li', {}, link)),
    ),
    account(),
  );
  const menu = h(
    'button',
    { class: 'plain menu', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'ways' },
    icon(ICONS.menu),
    ' Menu',
  );
  const fold = (open) => {
    menu.setAttribute('aria-expanded', String(open));
    nav.classList.toggle('open', open);
  };
  menu.addEventListener('click', () => fold(menu.getAttribute('aria-expanded') !== 'true'));
  const main = h('main', { id: 'main', tabindex: '-1' });
  const skip = h('a', { class: 'skip', href: '#main' }, 'Skip to content');
  skip.addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  const header = h('header', { class: 'side' }, h('div', { class: 'brand' }, logo(brand, name), menu), nav);
  header.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || menu.getAttribute('aria-expanded') !== 'true') return;
    fold(false);
    menu.focus();
  });
  document.body.append(skip, header, h('div', { class: 'content' }, notices[0], main), notices[1]);
  document.addEventListener('keydown', shortcut);
  const mark = (pathname) => {
    fold(false);
    for (const link of links) {
      const here = link.pathname === ROOT ? pathname === ROOT : pathname.startsWith(link.pathname);
      if (here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  return { main, name, mark };
}

function logo({ logo: image, home }, name) {
  const shown = image ? h('img', { src: image, alt: name, class: 'logo' }) : name;
  const address = home && safe(home);
  return h('a', { class: 'name', href: address ?? ROOT }, shown);
}

function ways() {
  const way = (path, text) => h('a', { href: ROOT + path }, text);
  const all = [way('', 'Overview'), way('/links', 'Links')];
  if (session.mayReadAll) all.push(way('/orphans', 'Orphans'));
  if (session.isAdmin) all.push(way('/keys', 'Keys'), way('/settings', 'Settings'));
  return all;
}

function account() {
  const keys = h('button', { type: 'button', class: 'plain', onclick: showShortcuts }, 'Keyboard');
  const docs = h('a', { href: DOCS, target: '_blank', rel: 'noopener' }, 'API');
  const out = h(
    'form',
    { method: 'post', action: `${ROOT}/sign-out` },
    h('button', { class: 'plain' }, 'Sign out'),
  );
  const until = h('span');
  // The first time that is told in a page takes long, and nobody waits for this one.
  painted().then(() => {
    until.title = moment(session.expiresAt, ownZone());
    until.textContent = `Signed in until ${time(session.expiresAt, ownZone())}. `;
  });
  const who = h(
    'p',
    { class: 'who' },
    h('span', { dir: 'auto' }, session.key.name),
    h('span', { class: 'quiet' }, ` ${session.key.scopes.join(', ')}`),
  );
  return h(
    'div',
    { class: 'account' },
    who,
    h('div', { class: 'tools' }, themeButton(), keys, docs, out),
    h('p', { class: 'version' }, until, `Version ${session.version}`),
  );
}

/** Goes round from the system's choice to light, to dark. */
function themeButton() {
  const root = document.documentElement;
  const order = ['', 'light', 'dark'];
  const words = { '': 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' };
  const text = h('span', {}, words[root.dataset.theme ?? '']);
  const turn = () => {
    const next = order[(order.indexOf(root.dataset.theme ?? '') + 1) % order.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    text.textContent = words[next];
    document.dispatchEvent(new Event('themechange'));
    try {
      localStorage.setItem('slugline.theme', next);
    } catch {
      say('The browser keeps no settings here: the theme holds until you leave.');
    }
  };
  return h('button', { type: 'button', class: 'plain', onclick: turn }, text);
}

/** Who dictates, or is easily off the keys, can do without single letters that act. */
const lettersAct = () => {
  try {
    return localStorage.getItem('slugline.letters') !== 'off';
  } catch {
    return true;
  }
};

function showShortcuts() {
  const rows = SHORTCUTS.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)]);
  const keep = () => {
    try {
      localStorage.setItem('slugline.letters', letters.checked ? 'on' : 'off');
    } catch {
      say('The browser keeps no settings here: the keys stay as they are.');
    }
  };
  const letters = h('input', { type: 'checkbox', checked: lettersAct(), onchange: keep });
  openDialog(
    'Keyboard',
    h('dl', { class: 'shortcuts' }, rows),
    h('label', { class: 'check' }, letters, ' Single keys do this'),
  );
}

async function shortcut(event) {
  const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
    return;
  const focus = async (selector) => {
    if (!document.querySelector(selector)) await go(`${ROOT}/links`);
    document.querySelector(selector)?.focus();
  };
  const acts = {
    '/': () => focus('#search'),
    n: () => session.mayMint && focus('#mint'),
    g: () => go(ROOT),
    '?': showShortcuts,
  };
  if (!Object.hasOwn(acts, event.key) || !lettersAct()) return;
  event.preventDefault();
  await acts[event.key]();
}
