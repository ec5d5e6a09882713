// An article: the figures of all its links together.

import { linksOf } from './api.js';
import { h } from './dom.js';
import { bare, day, safe } from './format.js';
import { attempt } from './notice.js';
import { freshen, reportPanel } from './report.js';
import { ownZone } from './zone.js';
import { linkPage } from './ways.js';

const LINKS = 200;

export function open({ query, signal }) {
  const url = query.get('url') ?? '';
  const place = h('div');
  const list = h('tbody');
  const codes = new Set();
  const address = safe(url)
    ? h('a', { href: url, dir: 'auto', target: '_blank', rel: 'noopener noreferrer' }, url)
    : h('span', { dir: 'auto' }, url);

  const load = async () => {
    const page = await attempt(place, () => linksOf(url, LINKS, signal));
    if (!page) return;
    list.replaceChildren(
      ...page.items.map((link) => {
        codes.add(link.code);
        return h(
          'tr',
          {},
          h('th', { scope: 'row' }, h('a', { class: 'mono', href: linkPage(link.code) }, link.code)),
          h('td', { dir: 'auto' }, link.title),
          h('td', {}, link.state),
          h('td', {}, day(link.created_at, ownZone())),
        );
      }),
    );
  };
  const panel = reportPanel({
    path: '/targets/stats',
    fixed: { url },
    query,
    signal,
    standard: 'all',
    presets: ['2h', '24h', '7d', '30d', '365d', 'all'],
    answered: (report) => report.codes.forEach((code) => codes.add(code)),
  });
  freshen(panel, (code) => codes.has(code), signal);
  load();

  const node = h(
    'div',
    { class: 'view article' },
    h('header', { class: 'head' }, h('h1', { tabindex: '-1', dir: 'auto' }, bare(url))),
    h('p', {}, address),
    place,
    h(
      'section',
      { class: 'panel' },
      h('header', {}, h('h2', {}, 'Its links')),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Its links' },
        h(
          'table',
          { class: 'plain' },
          h('caption', { class: 'out-of-sight' }, 'Links of the article'),
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['Code', 'Title', 'State', 'Made'].map((text) => h('th', { scope: 'col' }, text)),
            ),
          ),
          list,
        ),
      ),
    ),
    h('h2', {}, 'Readers'),
    panel.node,
  );
  return {
    node,
    title: `Article ${bare(url)}`,
    refresh() {
      load();
      panel.refresh();
    },
    update(next) {
      if (next.get('url') !== url) return false;
      panel.follow(next);
      return true;
    },
  };
}
