// A link's page: what it is, what can be done with it, and who came by it.

import { actions } from './actions.js';
import { get, linksOf } from './api.js';
import { copyAndSay } from './clipboard.js';
import { h } from './dom.js';
import { bare, moment, number, safe } from './format.js';
import { attempt } from './notice.js';
import { freshen, reportPanel } from './report.js';
import { retitle } from './router.js';
import { session } from './session.js';
import { heed, linkPage, linkPath, page, tagPage } from './ways.js';
import { ownZone } from './zone.js';

/** Codes of an article that are shown. */
const CODES = 50;

export function open({ parameter: code, query, signal }) {
  const heading = h('h1', { tabindex: '-1', dir: 'auto' }, code);
  const badge = h('span', { class: 'badge', hidden: true });
  const short = h('p', { class: 'short-line' }, '\u00a0');
  const buttons = h('div', { class: 'buttons start acts' });
  const about = h('dl', { class: 'about' });
  const place = h('div');
  const codes = h('dd', {}, '\u00a0');
  const owner = h('a', { dir: 'auto' });
  let shown = '';

  const show = (link) => {
    const text = JSON.stringify(link);
    // Drawn anew, it would lose the focus.
    if (text === shown) return;
    shown = text;
    heading.textContent = link.title ?? bare(link.target);
    retitle(link.title ?? link.code);
    badge.hidden = link.state === 'active';
    badge.textContent = link.state;
    badge.dataset.state = link.state;
    short.replaceChildren(
      h('span', { class: 'mono' }, link.short_url),
      link.state === 'deleted'
        ? ''
        : h(
            'button',
            { type: 'button', class: 'primary', onclick: () => copyAndSay(link.short_url) },
            'Copy',
          ),
    );
    buttons.replaceChildren(...actions(link).slice(1));
    owner.href = page('/links', { owner: link.owner });
    owner.textContent ||= link.owner;
    about.replaceChildren(...details(link, codes, owner).flat().filter(Boolean));
  };

  document.addEventListener('linkchanged', ({ detail }) => detail.code === code && show(detail), { signal });

  const load = async () => {
    const found = await attempt(place, async () => {
      try {
        return await get(linkPath(code), {}, signal);
      } catch (error) {
        // A deleted link has left its record, and keeps its figures.
        if (error.link) return error.link;
        throw error;
      }
    });
    if (!found || signal.aborted) return;
    heed(found);
    show(found);
    const key = (await session.knownKeys()).find(({ id }) => id === found.owner);
    if (key) owner.textContent = key.name;
    const all = await attempt(place, () => linksOf(found.article, CODES, signal));
    if (all) codes.replaceChildren(...siblings(all, found));
  };

  const panel = reportPanel({
    path: `${linkPath(code)}/stats`,
    query,
    signal,
    standard: 'all',
    presets: ['2h', '24h', '7d', '30d', '365d', 'all'],
  });
  freshen(panel, (clicked) => clicked === code, signal);
  load();

  const node = h(
    'div',
    { class: 'view link' },
    h('header', { class: 'head' }, h('div', {}, heading, badge), short, buttons),
    place,
    about,
    h('h2', {}, 'Readers'),
    panel.node,
  );
  return {
    node,
    title: code,
    refresh() {
      load();
      panel.refresh();
    },
    update: panel.follow,
  };
}

/** What is known of a link, as terms and descriptions. */
function details(link, codes, owner) {
  const tz = ownZone();
  const row = (name, ...value) => [h('dt', {}, name), h('dd', {}, ...value)];
  const address = (url) => {
    const href = safe(url);
    return href
      ? h('a', { href, dir: 'auto', target: '_blank', rel: 'noopener noreferrer' }, url)
      : h('span', { dir: 'auto' }, url);
  };
  const tag = (name) => h('li', {}, h('a', { class: 'tag', dir: 'auto', href: tagPage(name) }, name));
  const article = h('a', { href: page('/article', { url: link.article }) }, 'Figures of the article');
  return [
    link.reason && row('Reason', h('span', { dir: 'auto' }, link.reason)),
    row('Target', address(link.target)),
    link.article !== link.target && row('Canonical form', address(link.article)),
    [h('dt', {}, 'Codes of the article'), codes, h('dd', {}, article)],
    link.tags.length > 0 && row('Tags', h('ul', { class: 'tags' }, link.tags.map(tag))),
    row('Made', moment(link.created_at, tz), ' by ', owner),
    link.expires_at && row(link.state === 'expired' ? 'Expired' : 'Expires', moment(link.expires_at, tz)),
    row('Redirect', `${link.redirect}${link.forward_query ? ', with the reader’s query string' : ''}`),
    link.host && row('Host', link.host),
    link.imported &&
      row(
        'Counted elsewhere',
        `${number(link.imported.clicks)} clicks, as of ${moment(link.imported.at, tz)}`,
      ),
  ];
}

/** The links of the same article. */
function siblings({ items, more }, own) {
  const others = items.filter((item) => item.article === own.article && item.code !== own.code);
  const shown = others.flatMap((item, index) => [
    index > 0 && ', ',
    h('a', { class: 'mono', href: linkPage(item.code) }, item.code),
    item.state !== 'active' && ` (${item.state})`,
  ]);
  const none = others.length === 0 && ' only';
  return [
    h('strong', { class: 'mono' }, own.code),
    none,
    others.length > 0 && ', ',
    ...shown,
    more && ' and more',
  ].filter(Boolean);
}
