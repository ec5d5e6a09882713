// From an address to its view, and back and forth.
//
// A view is a module with `open({ parameter, query, signal })` that gives its `node` and `title`, and if it
// likes `refresh()`, for when the service is back; `update(query)`, for when only the query has changed, false if it
// takes a view of its own; and `keep`, to be found again as it was left when one comes back to it.

import { connection, get } from './api.js';
import { closeDialogs } from './dialog.js';
import { h } from './dom.js';
import { problemBox } from './notice.js';
import { ROOT } from './ways.js';

const ROUTES = [
  [/^$/, () => import('./view-overview.js')],
  [/^\/links$/, () => import('./view-links.js')],
  [/^\/links\/(.+)$/, () => import('./view-link.js')],
  [/^\/article$/, () => import('./view-article.js')],
  [/^\/orphans$/, () => import('./view-orphans.js')],
  [/^\/keys$/, () => import('./view-keys.js')],
  [/^\/settings$/, () => import('./view-settings.js')],
];

let build;
let frame = null;
let current = null;
let kept = null;
let turn = 0;

function resolve(pathname) {
  const path = pathname.slice(ROOT.length).replace(/\/$/, '');
  for (const [pattern, load] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { load, parameter: match[1] && decode(match[1]) };
  }
  return null;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Shows what the address says. `back`: one came here by the browser's own buttons. */
export async function followAddress({ back = false } = {}) {
  const { pathname, search } = location;
  const query = new URLSearchParams(search);
  // What is still on its way to be shown is not wanted any more, also where the view that stands remains.
  turn += 1;
  const mine = turn;
  if (current?.pathname === pathname && current.view.update && current.view.update(query) !== false) {
    current.search = search;
    return;
  }
  if (back && kept?.pathname === pathname && kept.search === search) {
    const found = kept;
    kept = null;
    leave();
    show(found, found.scroll);
    return;
  }
  const route = resolve(pathname);
  const controller = new AbortController();
  let view;
  try {
    const module = route && (await route.load());
    view = module ? module.open({ parameter: route.parameter, query, signal: controller.signal }) : nowhere();
  } catch (error) {
    view = failed(error);
  }
  if (mine !== turn) {
    controller.abort();
    return;
  }
  leave();
  show({ pathname, search, view, controller }, 0, !back);
}

function leave() {
  if (!current) return;
  closeDialogs();
  if (current.view.keep) {
    kept?.controller.abort();
    kept = { ...current, scroll: window.scrollY, focused: document.activeElement };
  } else {
    current.controller.abort();
  }
  current = null;
}

function show(next, scroll, announce = true) {
  const first = !frame;
  // Together with the first view: so it is laid out and drawn once.
  frame ??= build();
  current = next;
  document.title = `${next.view.title} – ${frame.name}`;
  frame.main.replaceChildren(next.view.node);
  frame.mark(next.pathname);
  window.scrollTo(0, scroll);
  // Whoever reads by ear is told where they are; not at the first page, which the browser announces. Who comes back
  // to a view goes on where they left it.
  const { node } = next.view;
  if (node.contains(next.focused)) next.focused.focus({ preventScroll: true });
  else if (!first && announce) node.querySelector('h1')?.focus({ preventScroll: true });
}

function nowhere() {
  const home = h('a', { href: ROOT }, 'Go to the overview');
  return {
    title: 'Nothing here',
    node: h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'There is nothing here'), h('p', {}, home)),
  };
}

function failed(error) {
  const problem = { title: 'The page could not be loaded', detail: `What went wrong: ${error.message}` };
  const again = h('button', { type: 'button', onclick: () => followAddress() }, 'Try again');
  // If the service is away, this finds out, and the page is asked for again when it is back.
  get('/keys/current').catch(() => {});
  const node = h(
    'div',
    { class: 'view' },
    h('h1', { tabindex: '-1' }, 'Not loaded'),
    problemBox(problem),
    h('p', {}, again),
  );
  return { title: 'Not loaded', node, refresh: followAddress };
}

/** Goes to an address of the dashboard. */
export function go(address) {
  history.pushState(null, '', address);
  return followAddress();
}

/** Puts another query into the address; the view knows already. `push`: back leads to what was before. */
export function putQuery(query, { push = false } = {}) {
  const search = query.toString() && `?${query}`;
  if (search === location.search) return;
  history[push ? 'pushState' : 'replaceState'](null, '', location.pathname + search);
  if (current) current.search = search;
}

/** Says another title than the view had at first. */
export function retitle(title) {
  document.title = `${title} – ${frame.name}`;
  if (current) current.view.title = title;
}

function follow(event) {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = event.target.closest?.('a[href]');
  if (!plain || event.defaultPrevented || !link || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  const ours =
    url.origin === location.origin && (url.pathname === ROOT || url.pathname.startsWith(`${ROOT}/`));
  if (!ours || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  go(url.pathname + url.search);
}

/** Begins to follow links and the browser's buttons. `buildFrame` builds what stands around the views. */
export function start(buildFrame) {
  build = buildFrame;
  document.addEventListener('click', follow);
  window.addEventListener('popstate', () => followAddress({ back: true }));
  connection.addEventListener('found', () => current?.view.refresh?.());
}
