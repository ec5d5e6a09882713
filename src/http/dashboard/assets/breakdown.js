// Tables of a breakdown: a name, a bar, a figure.

import { h, renew } from './dom.js';
import { label, number } from './format.js';

/** Heading and empty words of each table of the API. */
export const TABLES = {
  referrers: ['Referrers', 'Nobody came from anywhere yet.'],
  countries: [
    'Countries',
    'No country is known. A header of your content network or a database tells them: see clicks.country_header.',
  ],
  browsers: ['Browsers', 'No browser yet.'],
  platforms: ['Platforms', 'No platform yet.'],
  devices: ['Devices', 'No device yet.'],
  bot_families: ['Bots', 'No bot came.'],
};

/** A panel for one table. `csv()` gives the address of the same rows as a file. */
export function breakdown(table, { csv, heading, empty, name = (id) => label(table, id) } = {}) {
  const [title, nothing] = TABLES[table] ?? [heading, empty];
  const body = h('tbody');
  const none = h('p', { class: 'quiet', hidden: true }, nothing);
  const caption = h('caption', { class: 'out-of-sight' }, title);
  const head = h(
    'thead',
    { class: 'out-of-sight' },
    h('tr', {}, h('th', { scope: 'col' }, title), h('th', { scope: 'col' }, 'Clicks')),
  );
  const sheet = h('table', { class: 'bars' }, caption, head, body);
  // No link yet: it leads to the rows that are asked for.
  const link = csv && h('a', { class: 'csv', download: true, 'aria-label': `${title} as CSV` }, 'CSV');
  const node = h('section', { class: 'panel' }, h('header', {}, h('h3', {}, title), link), sheet, none);

  return {
    node,
    update(rows) {
      const most = Math.max(1, ...rows.map((row) => row.clicks));
      const total = rows.reduce((sum, row) => sum + row.clicks, 0);
      renew(
        body,
        rows.map((row) => line(name(row.id), row, most, total)),
      );
      none.hidden = rows.length > 0;
      sheet.hidden = rows.length === 0;
      if (link) link.href = csv();
    },
  };
}

function line(name, { id, clicks }, most, total) {
  const share = total === 0 ? 0 : (clicks / total) * 100;
  const bar = h('i', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.inlineSize = `${(clicks / most) * 100}%`;
  return h(
    'tr',
    { 'data-key': id, class: id === 'other' && 'other' },
    h('th', { scope: 'row' }, bar, h('span', { class: 'label', dir: 'auto' }, name)),
    h('td', { title: `${share.toFixed(1)} %` }, number(clicks)),
  );
}
