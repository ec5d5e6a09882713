// Orphans: codes that lead nowhere, and the pages that link to them.

import { breakdown } from './breakdown.js';
import { h, renew } from './dom.js';
import { label, number } from './format.js';
import { reportPanel } from './report.js';
import { session } from './session.js';
import { endpoint, page } from './ways.js';

/** What a code may be that one asks for; the API has the last word. */
const MINTABLE = /^[\w-]{1,64}$/;

export function open({ query, signal }) {
  let asked = null;
  const csv = (table) => () =>
    endpoint('/stats/orphans', { ...asked, compare: '', limit: 1000, format: 'csv', table });
  const codes = breakdown('codes', {
    heading: 'Codes',
    empty: 'No unknown code was asked for: no short link is misprinted.',
    csv: csv('codes'),
  });
  const hits = hitsTable();
  const panel = reportPanel({
    path: '/stats/orphans',
    query,
    signal,
    standard: '7d',
    presets: ['24h', '7d', '30d', '365d', 'all'],
    tables: ['referrers'],
    shows: 'all',
    names: { clicks: 'Requests' },
    extra: [codes.node, hits.node],
    answered: (report, question) => {
      asked = question;
      codes.update(report.codes);
      hits.update(report.hits);
    },
  });
  const node = h(
    'div',
    { class: 'view' },
    h('header', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Orphans')),
    h(
      'p',
      {},
      'Codes that were asked for and lead nowhere: a link that was mistyped, cut off or misprinted. They are no clicks. Who finds the page with the wrong link can have it mended; or mint the missing code, and its readers arrive.',
    ),
    h('h2', {}, 'Requests'),
    panel.node,
  );
  return { node, title: 'Orphans', refresh: panel.refresh, update: panel.follow };
}

function hitsTable() {
  const body = h('tbody');
  const none = h('p', { class: 'quiet', hidden: true }, 'Nothing here.');
  const table = h(
    'table',
    { class: 'plain wraps' },
    h('caption', { class: 'out-of-sight' }, 'Which code was asked for from where'),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Code', 'From', 'Requests'].map((text) => h('th', { scope: 'col' }, text)),
      ),
    ),
    body,
  );
  const mint = (code) =>
    session.mayMint &&
    code !== 'other' &&
    MINTABLE.test(code) && [
      ' ',
      h(
        'a',
        {
          class: 'csv',
          href: page('/links', { mint: code }),
          'aria-label': `Mint it: a link with the code ${code}`,
        },
        'Mint it',
      ),
    ];
  return {
    node: h(
      'section',
      { class: 'panel broad' },
      h('header', {}, h('h3', {}, 'Which code from where')),
      table,
      none,
    ),
    update(rows) {
      none.hidden = rows.length > 0;
      table.hidden = rows.length === 0;
      renew(
        body,
        rows.map(({ code, referrer, clicks }) =>
          h(
            'tr',
            { 'data-key': `${code} ${referrer}` },
            h('th', { scope: 'row', class: 'mono', dir: 'auto' }, label('codes', code), mint(code)),
            h('td', { dir: 'auto' }, label('referrers', referrer)),
            h('td', {}, number(clicks)),
          ),
        ),
      );
    },
  };
}
