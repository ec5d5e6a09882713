// An endless list of links by cursor: rows in blocks which the browser leaves unpainted while they are out of sight.

import { openActions } from './actions.js';
import { get } from './api.js';
import { copyAndSay } from './clipboard.js';
import { ICONS, h, icon } from './dom.js';
import { ago, bare, moment, number } from './format.js';
import { attempt } from './notice.js';
import { heed, linkPage, tagPage } from './ways.js';
import { ownZone } from './window.js';

const PAGE = 100;

/** The list; `ask` gives the conditions, `none` what stands where nothing is found, `tagged` follows a tag. */
export function linkList({ ask, none, signal }) {
  const blocks = h('div', { class: 'blocks', role: 'list', 'aria-label': 'Links' });
  const place = h('div');
  const note = h('p', { class: 'quiet note', role: 'status' });
  const more = h('button', { type: 'button', hidden: true, onclick: () => fill() }, 'More links');
  const end = h('div', { class: 'end' }, place, note, more);
  const heard = h('p', { class: 'out-of-sight', role: 'status' });
  const node = h('div', { class: 'links', 'aria-busy': 'true' }, heard, blocks, end);
  let round = new AbortController();
  let cursor = null;
  let filling = null;
  let count = 0;
  // Whether what is there is of the conditions as they are now, and whether the last request was refused.
  let begun = false;
  let failed = false;

  /** Begins anew, with other conditions. What is there stays until something else has come, or was refused. */
  function restart() {
    round.abort();
    round = new AbortController();
    filling = null;
    begun = false;
    node.setAttribute('aria-busy', 'true');
    return fill();
  }

  function fill() {
    if (filling) return filling;
    const mine = round;
    seen.unobserve(end);
    filling = load(mine).then((goesOn) => {
      if (mine !== round) return;
      filling = null;
      // An observer tells changes alone, and the end may be as near as it was. What was refused is not
      // asked for again by itself.
      if (goesOn) seen.observe(end);
    });
    return filling;
  }

  /** Nothing, as before the first answer. */
  function empty() {
    blocks.replaceChildren();
    [cursor, count] = [null, 0];
  }

  /** Gives whether there is more. */
  async function load(mine) {
    const own = AbortSignal.any([mine.signal, signal]);
    more.hidden = true;
    const done = await attempt(place, async () => {
      let looks = 0;
      const enough = begun ? count + PAGE / 2 : PAGE / 2;
      // A search looks at some thousands of links a request: a page may be short, even empty, and go on.
      do {
        const { items, next_cursor: next } = await get(
          '/links',
          { ...ask(), limit: PAGE, cursor: begun ? cursor : null },
          own,
        );
        if (!begun) empty();
        begun = true;
        cursor = next;
        count += items.length;
        if (items.length > 0) append(items);
        looks += 1;
        if (looks > 1)
          note.textContent = `Still searching: ${number(looks * 5000)} links looked at, ${number(count)} found so far.`;
      } while (cursor && count < enough);
      return true;
    });
    if (own.aborted) return false;
    node.setAttribute('aria-busy', 'false');
    failed = !done;
    // What is there is not what was asked for.
    if (failed && !begun) empty();
    more.hidden = !failed && !cursor;
    more.textContent = failed ? 'Try again' : 'More links';
    tell();
    return Boolean(done && cursor);
  }

  /** Says how many there are. */
  function tell() {
    const all = begun && !cursor && !failed;
    note.replaceChildren(
      all ? (count === 0 ? none() : `${number(count)} ${count === 1 ? 'link' : 'links'}, that is all.`) : '',
    );
    heard.textContent = count === 0 ? '' : `${number(count)}${cursor ? ' and more' : ''} links`;
  }

  function append(items) {
    items.forEach(heed);
    const block = h(
      'div',
      { class: 'block', role: 'presentation' },
      items.map((item) => row(item)),
    );
    block.style.setProperty('--rows', items.length);
    blocks.append(block);
  }

  const seen = new IntersectionObserver(
    (entries) => {
      // Some may have piled up: the last one is how it is now.
      if (entries.at(-1).isIntersecting && cursor && node.isConnected) fill();
    },
    { rootMargin: '800px' },
  );
  signal.addEventListener('abort', () => seen.disconnect());
  const rowsOf = (code) => blocks.querySelectorAll(`[data-code="${CSS.escape(code)}"]`);
  document.addEventListener(
    'linkchanged',
    ({ detail: link }) => {
      for (const old of rowsOf(link.code)) old.replaceWith(row(link));
    },
    { signal },
  );

  return {
    node,
    restart,
    /** Goes on where something was refused. */
    resume: () => failed && fill(),
    /** Puts a link on top that was made just now. */
    prepend(link) {
      const there = rowsOf(link.code);
      count += there.length === 0 ? 1 : 0;
      for (const old of there) old.remove();
      const first = blocks.firstElementChild;
      if (first) first.prepend(row(link));
      else append([link]);
      tell();
    },
  };
}

/** One row. */
function row(link) {
  const page = h(
    'a',
    { class: 'title', href: linkPage(link.code), dir: 'auto' },
    link.title ?? bare(link.target),
  );
  const tag = (name) => h('a', { class: 'tag', dir: 'auto', href: tagPage(name) }, name);
  const again = `.row[data-code="${CSS.escape(link.code)}"] .more`;
  return h(
    'div',
    { class: 'row', role: 'listitem', 'data-code': link.code, 'data-state': link.state },
    h('div', { class: 'what' }, page, h('span', { class: 'target', dir: 'auto' }, bare(link.target))),
    h(
      'div',
      { class: 'labels' },
      link.state !== 'active' && h('span', { class: 'badge', 'data-state': link.state }, link.state),
      link.tags.map(tag),
    ),
    h(
      'time',
      { datetime: link.created_at, title: moment(link.created_at, ownZone()) },
      ago(link.created_at, ownZone()),
    ),
    h(
      'button',
      {
        type: 'button',
        class: 'code',
        'aria-label': `Copy ${link.short_url}`,
        onclick: () => copyAndSay(link.short_url),
      },
      h('span', {}, link.code),
      icon(ICONS.copy),
    ),
    h(
      'button',
      {
        type: 'button',
        class: 'plain more',
        'data-again': again,
        'aria-label': `More about ${link.title ?? link.code}`,
        onclick: () => openActions(link),
      },
      icon(ICONS.more),
    ),
  );
}
