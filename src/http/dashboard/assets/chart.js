// Charts over time with uPlot, which is loaded when there is to be one.

import { h, renew } from './dom.js';
import { compact, number, parts, rowName } from './format.js';
import { asset } from './ways.js';

const LIBRARY = 'uplot-1.6.32.min';
const HEIGHT = 240;
/** More rows than this are drawn as a line. */
const MOST_BARS = 400;
const INTEGERS = [1, 2, 5]
  .flatMap((n) => Array.from({ length: 10 }, (_, power) => n * 10 ** power))
  .sort((a, b) => a - b);

/** Steps of the axis where rows are whole days: no hour of them shall seem to be told, in seconds. */
const DAYS = [1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650].map((days) => days * 86_400);

/** The widths of rows in seconds; the shortest month. */
const WIDTHS = { hour: 3600, day: 86_400, week: 604_800, month: 28 * 86_400 };

/**
 * Where the rows of a report stand, in seconds, and where the last of them ends. The first and the last may be a
 * part of their hour or day: they are drawn as wide as the others.
 */
function places({ series, by, to }) {
  const starts = series.map((row) => Date.parse(row.start) / 1000);
  if (starts.length > 1) starts[0] = Math.min(starts[0], starts[1] - WIDTHS[by]);
  return { starts, end: Math.max(Date.parse(to) / 1000, starts.at(-1) + WIDTHS[by]) };
}

let loading = null;

function load() {
  loading ??= new Promise((done, failed) => {
    const style = h('link', { rel: 'stylesheet', href: asset(`${LIBRARY}.css`) });
    const script = h('script', { src: asset(`${LIBRARY}.js`), onload: () => done(window.uPlot) });
    script.addEventListener('error', () => {
      loading = null;
      failed(
        Object.assign(new Error(), {
          title: 'The chart could not be drawn',
          detail: 'Its library did not arrive. Reload the page.',
        }),
      );
    });
    document.head.append(style, script);
  });
  return loading;
}

/** What a CSS variable is at this moment, as a canvas takes it. */
function colours(place) {
  const probe = h('i', { hidden: true });
  place.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(
    ['accent', 'bots', 'quiet', 'line', 'soft'].map((name) => [name, read(`--${name}`)]),
  );
  probe.remove();
  return found;
}

function ticks(tz) {
  return (_plot, splits, _axis, _space, step) =>
    splits.map((at, index) => {
      const time = at * 1000;
      if (step >= 86_400 * 28) return parts(time, tz, { month: 'short', year: '2-digit' });
      const date = parts(time, tz, { day: 'numeric', month: 'short' });
      if (step >= 86_400) return date;
      const clock = parts(time, tz, { hour: '2-digit', minute: '2-digit' });
      return clock === '00:00' || index === 0 ? `${clock}\n${date}` : clock;
    });
}

/** The lines and bars for what shall be shown: `people`, `bots` or `all`. */
function series(uPlot, show, paint, bars) {
  const filled = {
    paths: uPlot.paths.bars({ size: [0.82, Number.POSITIVE_INFINITY], align: 1 }),
    points: { show: false },
  };
  const lined = { paths: uPlot.paths.linear(), points: { show: false }, width: 1.5 };
  const look = bars ? filled : lined;
  const solid = (colour) => ({
    ...look,
    stroke: colour,
    fill: bars ? colour : undefined,
    width: bars ? 0 : 1.5,
  });
  const before = {
    paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false },
    stroke: paint.quiet,
    dash: [4, 4],
    width: 1.25,
  };
  return [
    {},
    // All behind, people before it: what remains to be seen of it is the bots' share.
    { ...solid(paint.bots), show: show !== 'people' },
    { ...solid(paint.accent), show: show !== 'bots' },
    before,
  ];
}

/** Whether the rows of both begin on the same day: weeks do only if whole weeks lie between. */
function begunAlike(report, before) {
  const days = Math.round((Date.parse(report.from) - Date.parse(before.from)) / 86_400_000);
  return report.by !== 'week' || days % 7 === 0;
}

/** The figure of a row that the choice is about. */
export const figureOf = (row, show) => (show === 'all' ? row.clicks : row[show]);

/**
 * A chart of the rows of a report. `zoom(from, to)` is called with the moments between which was dragged.
 */
export function timeChart(zoom, signal) {
  const place = h('div', { class: 'plot' });
  const readout = h('p', { class: 'readout', 'aria-hidden': 'true' });
  const body = h('tbody');
  const head = h('tr');
  const table = h(
    'details',
    { class: 'as-table' },
    h('summary', {}, 'As a table'),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Clicks over time' },
      h('table', {}, h('caption', { class: 'out-of-sight' }, 'Clicks over time'), h('thead', {}, head), body),
    ),
  );
  const node = h('figure', { class: 'chart' }, h('figcaption', {}, legend(), readout), place, table);
  let plot = null;
  let shown = null;
  // Whoever draws says what went wrong.
  load().catch(() => {});

  const draw = async () => {
    const mine = shown;
    const uPlot = await load();
    if (signal.aborted || mine !== shown) return;
    const { report, before, show, starts, end } = shown;
    const top = report.series.map((row) => (show === 'bots' ? row.bots : row.clicks));
    const people = report.series.map((row) => row.people);
    const paired = before && begunAlike(report, before) ? before.series : [];
    const earlier = report.series.map((_, index) => paired[index] && figureOf(paired[index], show));
    // The last row needs its own width behind its start.
    const data = [
      [...starts, end],
      [...top, null],
      [...people, null],
      [...earlier, earlier.at(-1)],
    ];
    const key = JSON.stringify([report.by, report.tz, show, starts.length <= MOST_BARS, Boolean(before)]);
    if (plot?.key === key) {
      plot.chart.setData(data, false);
      plot.chart.setScale('x', { min: starts[0], max: end });
      plot.chart.redraw(true, true);
      return;
    }
    plot?.chart.destroy();
    plot = { key, chart: make(uPlot, data, starts.length <= MOST_BARS) };
  };

  const make = (uPlot, data, bars) => {
    const { report, show } = shown;
    const paint = colours(place);
    const font = '12px system-ui, sans-serif';
    const axis = {
      stroke: paint.quiet,
      font,
      grid: { stroke: paint.line, width: 1 },
      ticks: { show: false },
    };
    return new uPlot(
      {
        width: Math.max(place.clientWidth, 120),
        height: HEIGHT,
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), report.tz),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        select: { show: true },
        scales: {
          x: { time: true, range: () => [shown.starts[0], shown.end] },
          y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, 4) * 1.08] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            values: ticks(report.tz),
            space: 76,
            size: 44,
            incrs: report.by === 'hour' ? undefined : DAYS,
          },
          {
            ...axis,
            size: 48,
            incrs: INTEGERS,
            values: (_plot, splits) => splits.map((value) => compact(value)),
          },
        ],
        series: series(uPlot, show, paint, bars),
        hooks: { setCursor: [read], setSelect: [select] },
      },
      data,
      place,
    );
  };

  const read = ({ cursor }) => {
    const rows = shown.report.series;
    // A bar stands behind its start: the row is the last that began before the cursor.
    const at = cursor.left >= 0 ? plot?.chart.posToVal(cursor.left, 'x') : Number.NaN;
    const row = rows[shown.starts.findLastIndex((start) => start <= at)];
    readout.textContent = row
      ? `${rowName(row.start, shown.report.by, shown.report.tz)}: ${number(row.people)} people, ${number(row.bots)} bots`
      : '';
  };

  const select = (chart) => {
    const { left, width } = chart.select;
    if (width < 4) return;
    const { series: rows, to } = shown.report;
    const moments = [left, left + width].map((x) => chart.posToVal(x, 'x') * 1000);
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    const from = rows.findLast(({ start }) => Date.parse(start) <= moments[0]) ?? rows[0];
    const next = rows.find(({ start }) => Date.parse(start) >= moments[1]);
    zoom(from.start, next?.start ?? to);
  };

  const fillTable = () => {
    if (!table.open || !shown) return;
    const { report } = shown;
    head.replaceChildren(
      ...['From', 'Clicks', 'People', 'Bots', 'Visitors'].map((text) => h('th', { scope: 'col' }, text)),
    );
    const name = ({ start }) =>
      h('button', { type: 'button', class: 'plain', title: 'Zoom in' }, rowName(start, report.by, report.tz));
    renew(
      body,
      report.series.map((row) =>
        h(
          'tr',
          { 'data-key': row.start },
          h('th', { scope: 'row' }, name(row)),
          [row.clicks, row.people, row.bots, row.visitors].map((value) => h('td', {}, number(value))),
        ),
      ),
    );
  };
  // What is dragged over with a mouse is pressed here: with a finger, or from the keyboard.
  body.addEventListener('click', ({ target }) => {
    const key = target.closest('button')?.closest('tr').dataset.key;
    const at = shown.report.series.findIndex(({ start }) => start === key);
    if (at >= 0) zoom(key, shown.report.series[at + 1]?.start ?? shown.report.to);
  });

  table.addEventListener('toggle', fillTable);
  const fit = new ResizeObserver(() =>
    plot?.chart.setSize({ width: Math.max(place.clientWidth, 120), height: HEIGHT }),
  );
  fit.observe(place);
  const repaint = () => {
    plot?.chart.destroy();
    plot = null;
    if (shown) draw().catch(() => {});
  };
  document.addEventListener('themechange', repaint, { signal });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint, { signal });
  signal.addEventListener('abort', () => {
    fit.disconnect();
    plot?.chart.destroy();
  });

  return {
    node,
    /** Shows a report, `before` as a dashed line, and of both what `show` says. */
    async update(report, before, show) {
      shown = { report, before, show, ...places(report) };
      node.dataset.show = show;
      node.classList.toggle('compared', Boolean(before && begunAlike(report, before)));
      fillTable();
      await draw();
    },
  };
}

function legend() {
  const entry = (kind, text) => h('span', { class: `key ${kind}` }, h('i', { 'aria-hidden': 'true' }), text);
  return h(
    'span',
    { class: 'legend' },
    entry('people', 'People'),
    entry('bots', 'Bots'),
    entry('before', 'Window before'),
  );
}
