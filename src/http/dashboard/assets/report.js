// A report of the API as a panel: the window, figures, a chart, breakdowns; each to be had as CSV.

import { get } from './api.js';
import { breakdown } from './breakdown.js';
import { timeChart } from './chart.js';
import { h } from './dom.js';
import { figureCards } from './figures.js';
import { listen, paced } from './live.js';
import { attempt } from './notice.js';
import { putQuery } from './router.js';
import { session } from './session.js';
import { endpoint } from './ways.js';
import { askedOf, spanBefore, windowPicker } from './window.js';

const ROWS = 12;
/** Rest between two looks at figures that move, in milliseconds. */
const SOON = 1_000;
const TABLES = ['referrers', 'countries', 'platforms', 'browsers', 'devices', 'bot_families'];

/**
 * A panel on `path`. `fixed` are parameters of every question; `extra` are panels of the view's own beside the
 * breakdowns; `answered` gets each report, how it was asked, whose clicks are shown, and a signal for when that is
 * over; `changed` is called when the window is another; `shows` and `names` are those of the window and of the figures.
 */
export function reportPanel({
  path,
  fixed = {},
  query,
  presets,
  standard,
  signal,
  extra = [],
  answered,
  changed,
  tables = TABLES,
  shows = '',
  names,
}) {
  const place = h('div');
  const cards = figureCards(['the window before'], names);
  const imported = h('p', { class: 'quiet', hidden: true });
  const csv = h('a', { class: 'button', download: true }, 'CSV');
  let round = null;
  let end = 0;

  const picker = windowPicker({
    query,
    presets,
    standard,
    shows,
    changed: () => {
      putQuery(picker.query(new URLSearchParams(location.search)), { push: true });
      refresh();
      changed?.();
    },
  });
  const chart = timeChart(picker.zoom, signal);
  const csvOf = (table) => endpoint(path, { ...question(), compare: '', limit: 1000, format: 'csv', table });
  const panels = Object.fromEntries(
    tables.map((table) => [table, breakdown(table, { csv: () => csvOf(table) })]),
  );
  const grid = h(
    'div',
    { class: 'panels' },
    extra,
    Object.values(panels).map((panel) => panel.node),
  );
  const node = h(
    'section',
    { class: 'report', 'aria-label': 'Figures' },
    picker.node,
    place,
    cards.node,
    imported,
    h('div', { class: 'panel' }, h('header', {}, h('h3', {}, 'Over time'), csv), chart.node),
    grid,
  );

  function question() {
    return { ...fixed, ...askedOf(picker.state) };
  }

  /** The window before, row by row. */
  async function windowBefore(asked, report, own) {
    const span = spanBefore(picker.state, report);
    return span && get(path, { ...asked, last: '', ...span, by: report.by, compare: '', limit: 1 }, own);
  }

  async function load(own) {
    const asked = question();
    const { show } = picker.state;
    const report = await get(path, { ...asked, limit: ROWS }, own);
    const before = await windowBefore(asked, report, own);
    end = Date.parse(report.to);
    picker.tell(report);
    cards.update(report.total, [before?.total]);
    imported.hidden = !report.imported;
    if (report.imported)
      imported.textContent = `Besides, ${report.imported.clicks.toLocaleString()} clicks that another shortener counted until ${report.imported.at.slice(0, 10)}.`;
    csv.href = csvOf('series');
    for (const [table, panel] of Object.entries(panels)) {
      // What people and bots have in common is told of people alone or of all.
      panel.node.hidden =
        show === 'bots' ? table !== 'bot_families' : show === 'people' && table === 'bot_families';
      panel.update(report.breakdowns[table] ?? []);
    }
    await Promise.all([answered?.(report, asked, show, own), chart.update(report, before, show)]);
  }

  async function refresh() {
    round?.abort();
    round = new AbortController();
    const own = AbortSignal.any([round.signal, signal]);
    await attempt(place, () => load(own));
    // Refused, there is nothing more to wait for.
    if (!own.aborted) cards.node.setAttribute('aria-busy', 'false');
  }

  refresh();
  return {
    node,
    refresh,
    /** Takes over what an address says. */
    follow(next) {
      picker.follow(next);
      refresh();
    },
    /** Whether the window reaches up to now, so that what comes in belongs to it. */
    get reachesNow() {
      return !picker.state.to || end >= Date.now();
    },
  };
}

/** Asks a panel's questions again while clicks come in on links of which `isOurs` says that they are in its figures. */
export function freshen(panel, isOurs, signal) {
  if (!session.mayReadAll) return;
  const moved = paced(
    async () => {
      if (panel.reachesNow) await panel.refresh();
    },
    SOON,
    signal,
  );
  listen(
    {
      // An event names a thousand links; ours may be among the others.
      clicks: (event) => (event.other || event.links.some((row) => isOurs(row.code))) && moved(),
      gap: moved,
    },
    signal,
  );
}
