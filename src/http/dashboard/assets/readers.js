// The figures of the overview: today against yesterday and last week, what comes in now, and who leads in the chosen window.

import { get } from './api.js';
import { auditBadge } from './audit.js';
import { breakdown } from './breakdown.js';
import { h, renew } from './dom.js';
import { figureCards } from './figures.js';
import { bare, number, time } from './format.js';
import { paced } from './live.js';
import { attempt } from './notice.js';
import { pulse } from './pulse.js';
import { reportPanel } from './report.js';
import { session } from './session.js';
import { linkPage, page } from './ways.js';
import { civilTime, date, ownZone } from './zone.js';

/** Rest between two looks at what moves by the second, and at the rest, in milliseconds. */
const SOON = 1_000;
const LATER = 5_000;
const ROWS = 10;
const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;

/** Their `nodes` and `badge`; `moved()` looks again soon, `follow(query)` takes over what an address says. */
export function readers({ query, signal }) {
  // A key that may not read the site has figures of its own.
  const path = session.mayReadAll ? '/stats' : `/keys/${session.key.id}/stats`;
  const place = h('div');
  const cards = figureCards(['yesterday', 'last week']);
  const until = h('p', { class: 'quiet until' }, '\u00a0');
  const refused = h('div');
  const badge = session.mayReadAll ? auditBadge(signal) : null;
  const tops = session.mayReadAll ? topLinks() : null;
  const lost = session.mayReadAll
    ? breakdown('codes', { heading: 'Orphans', empty: 'No unknown code was asked for.' })
    : null;
  lost?.node.querySelector('header').append(h('a', { class: 'csv', href: page('/orphans') }, 'All'));

  const totalOf = async (span, tz) => (await get(path, { ...span, tz, by: 'day', limit: 1 }, signal)).total;
  let compared = { name: '', totals: null };

  /** Today, yesterday, a week ago: each from midnight to the same clock. What has passed is asked for once a minute. */
  async function sameHours(from, to, tz) {
    const name = [tz, to, Math.floor(Date.now() / MINUTE)].join();
    if (compared.name !== name) {
      const spans = [0, -1, -7].map((days) => ({ from: date(tz, days, from), to: civilTime(tz, to, days) }));
      compared = { name, totals: await Promise.all(spans.map((span) => totalOf(span, tz))) };
    }
    return compared.totals;
  }

  const today = () =>
    attempt(place, async () => {
      const tz = ownZone();
      const own = await get(path, { from: date(tz), tz, by: 'day', limit: 1 }, signal);
      // The service tells whole quarters of an hour, and the last one has only begun.
      const [from, to] = [Date.parse(own.from), Date.parse(own.to) - QUARTER];
      const since = `Since midnight in ${tz.replaceAll('_', ' ')}`;
      if (to <= from) {
        cards.update(own.total, []);
        until.textContent = `${since}. Compared with other days from 00:15 on.`;
        return;
      }
      const [sofar, ...before] = await sameHours(from, to, tz);
      cards.update(own.total, before, sofar);
      until.textContent = `${since}. Compared until ${time(to, tz)} of each day.`;
    });

  const panel = reportPanel({
    path,
    query,
    signal,
    standard: '24h',
    presets: ['today', '24h', '7d', '30d', '365d', 'all'],
    extra: [tops?.node, lost?.node],
    answered: (_report, asked, show, own) =>
      session.mayReadAll && attempt(refused, () => leaders(asked, show, own)),
    // The zone may be another.
    changed: () => soon(),
  });

  async function leaders({ last, from, to, tz }, show, own) {
    // Links are not ranked by bots.
    tops.node.hidden = show === 'bots';
    const by = show === 'people' ? 'people' : 'clicks';
    const [top, orphans] = await Promise.all([
      !tops.node.hidden && get('/stats/top', { last, from, to, tz, by, limit: ROWS }, own),
      get('/stats/orphans', { last, from, to, tz, limit: 6 }, own),
    ]);
    if (top) tops.update(top);
    lost.update(orphans.codes);
  }

  const soon = paced(today, SOON, signal);
  const later = paced(
    async () => {
      if (panel.reachesNow) await panel.refresh();
      if (badge) await badge.refresh().catch(() => {});
    },
    LATER,
    signal,
  );
  const moved = () => {
    soon();
    later();
  };
  const live = session.mayReadAll ? pulse(moved, signal) : null;
  if (!live) watchQuietly(moved, signal);
  soon();
  // The day goes on, and may end, without a click.
  const timer = setInterval(() => !document.hidden && soon(), MINUTE);
  signal.addEventListener('abort', () => clearInterval(timer));
  badge?.refresh().catch(() => {});

  return {
    badge: badge?.node ?? '',
    nodes: [
      h(
        'div',
        { class: live ? 'today with-live' : 'today' },
        h(
          'section',
          { 'aria-labelledby': 'today-title' },
          h('h2', { id: 'today-title' }, 'Today'),
          cards.node,
          until,
          place,
        ),
        live?.node,
      ),
      h('h2', {}, 'Readers'),
      refused,
      panel.node,
    ],
    moved,
    refresh() {
      moved();
      panel.refresh();
    },
    follow: panel.follow,
  };
}

/** A key without the stream looks every quarter of a minute. */
function watchQuietly(moved, signal) {
  const timer = setInterval(() => !document.hidden && moved(), 15_000);
  signal.addEventListener('abort', () => clearInterval(timer));
}

function topLinks() {
  const body = h('tbody');
  const none = h('p', { class: 'quiet', hidden: true }, 'No link was clicked in this window.');
  const node = h(
    'section',
    { class: 'panel broad' },
    h('header', {}, h('h3', {}, 'Top links')),
    h(
      'table',
      { class: 'bars' },
      h('caption', { class: 'out-of-sight' }, 'Top links'),
      h(
        'thead',
        { class: 'out-of-sight' },
        h('tr', {}, h('th', { scope: 'col' }, 'Link'), h('th', { scope: 'col' }, 'Clicks')),
      ),
      body,
    ),
    none,
  );
  return {
    node,
    update({ items, by }) {
      const most = Math.max(1, ...items.map((item) => item[by]));
      renew(
        body,
        items.map((item) => {
          const bar = h('i', { class: 'bar', 'aria-hidden': 'true' });
          bar.style.inlineSize = `${(item[by] / most) * 100}%`;
          const name = h(
            'a',
            { class: 'label', href: linkPage(item.code), dir: 'auto' },
            item.title ?? bare(item.target),
          );
          return h(
            'tr',
            { 'data-key': item.code },
            h('th', { scope: 'row' }, bar, name),
            h('td', {}, number(item[by])),
          );
        }),
      );
      none.hidden = items.length > 0;
    },
  };
}
