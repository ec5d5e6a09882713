// The live line: clicks of each second, of the last three minutes, drawn as they come in.

import { get, now } from './api.js';
import { h, renew, svg } from './dom.js';
import { bare, number } from './format.js';
import { listen } from './live.js';
import { linkPage, linkPath } from './ways.js';

const SECONDS = 180;
const HEIGHT = 48;
/** Links that are named beside the line. */
const NAMED = 5;
const WORDS = { open: 'Live', connecting: 'Connecting…', closed: 'Paused' };

const nameOf = (link) => link && (link.title ?? bare(link.target));

/** Titles of links that were met, by code: asked for once. */
const met = new Map();
const MOST_MET = 500;

/** The link with this code, perhaps as it was a while ago; null if it can't be had. */
function meet(code) {
  if (!met.has(code)) {
    if (met.size >= MOST_MET) met.delete(met.keys().next().value);
    met.set(
      code,
      get(linkPath(code)).catch(() => null),
    );
  }
  return met.get(code);
}

/** The panel; `moved` is called with each event, and with nothing when some may have been missed. */
export function pulse(moved, signal) {
  // Clicks as they came in, with the moment at which they were counted.
  const beats = [];
  const links = [];
  const bars = svg('path', { class: 'beat' });
  const line = svg(
    'svg',
    {
      viewBox: `0 0 ${SECONDS} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      class: 'pulse',
      'aria-hidden': 'true',
    },
    bars,
  );
  const dot = h('span', { class: 'state' });
  const rate = h('p', { class: 'rate' });
  const list = h('ol', { class: 'now' });
  const quiet = h(
    'p',
    { class: 'quiet' },
    'Nobody clicked in the last three minutes. A click shows here within two seconds.',
  );
  const node = h(
    'section',
    { class: 'panel live', 'aria-labelledby': 'live-title' },
    h('header', {}, h('h2', { id: 'live-title' }, 'At this moment'), dot),
    line,
    rate,
    list,
    quiet,
  );

  const forget = (list) => {
    const since = now() - SECONDS * 1000;
    while (list.length > 0 && list[0].at < since) list.shift();
  };

  const draw = () => {
    forget(beats);
    const seconds = new Array(SECONDS).fill(0);
    const last = Math.floor(now() / 1000);
    for (const { at, clicks } of beats) {
      const past = Math.max(0, last - Math.floor(at / 1000));
      if (past < SECONDS) seconds[SECONDS - 1 - past] += clicks;
    }
    const most = Math.max(4, ...seconds);
    const bar = (clicks, x) => {
      const height = (clicks / most) * HEIGHT;
      return clicks ? `M${x} ${HEIGHT}v${-height}h.8v${height}z` : '';
    };
    bars.setAttribute('d', seconds.map(bar).join(''));
    const total = seconds.reduce((sum, clicks) => sum + clicks, 0);
    rate.textContent = `${number(total)} in the last three minutes`;
    quiet.hidden = total > 0;
    list.hidden = total === 0;
  };

  const name = async () => {
    const counts = new Map();
    forget(links);
    for (const { code, clicks } of links) counts.set(code, (counts.get(code) ?? 0) + clicks);
    const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, NAMED);
    const met = await Promise.all(top.map(([code]) => meet(code)));
    if (signal.aborted) return;
    renew(
      list,
      top.map(([code, clicks], index) =>
        h(
          'li',
          { 'data-key': code },
          h('a', { href: linkPage(code), dir: 'auto' }, nameOf(met[index]) ?? code),
          h('span', { class: 'count' }, number(clicks)),
        ),
      ),
    );
  };

  listen(
    {
      clicks(event) {
        const at = Date.parse(event.at);
        beats.push({ at, clicks: event.total.clicks });
        for (const { code, clicks } of event.links.slice(0, 100)) links.push({ at, code, clicks });
        draw();
        name();
        moved(event);
      },
      gap: () => moved(null),
      state(state) {
        dot.textContent = WORDS[state];
        dot.dataset.state = state;
      },
    },
    signal,
  );

  let turn = 0;
  const tick = setInterval(() => {
    draw();
    turn += 1;
    if (turn % 10 === 0) name();
  }, 1_000);
  signal.addEventListener('abort', () => clearInterval(tick));
  draw();
  return { node };
}
