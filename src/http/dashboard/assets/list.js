// An endless list of links by cursor, in blocks of rows that are there only while they are near to be seen.

import { openActions } from './actions.js';
import { get } from './api.js';
import { copyAndSay } from './clipboard.js';
import { ICONS, h, icon } from './dom.js';
import { ago, bare, moment, number } from './format.js';
import { attempt } from './notice.js';
import { heed, linkPage, tagPage } from './ways.js';
import { ownZone } from './zone.js';

const PAGE = 100;
/** Rows that come and go together: few, so that drawing them holds nobody up. */
const BLOCK = 20;

/** The list; `ask` gives the conditions, `none` what stands where nothing is found. */
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
  /** The links of each block. */
  const held = new Map();
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
    near.disconnect();
    blocks.replaceChildren();
    held.clear();
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
        for (let from = 0; from < items.length; from += BLOCK) append(items.slice(from, from + BLOCK));
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
    const block = h('div', { class: 'block', role: 'presentation' });
    held.set(block, items);
    blocks.append(block);
    drawBlock(block);
    near.observe(block);
  }

  function drawBlock(block) {
    if (block.firstChild) return;
    const items = held.get(block);
    const zone = ownZone();
    block.replaceChildren(...items.map((item) => row(item, zone)));
    block.style.blockSize = '';
  }

  /** Rows far out of sight leave their room behind, unless somebody is in the midst of them. */
  function emptyBlock(block, height) {
    if (!block.firstChild || block.contains(document.activeElement)) return;
    block.style.blockSize = `${height}px`;
    block.replaceChildren();
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, boundingClientRect } of entries) {
        // A list that was left is kept as it is, for who comes back.
        if (!target.isConnected) continue;
        if (isIntersecting) drawBlock(target);
        else emptyBlock(target, boundingClientRect.height);
      }
    },
    { rootMargin: '3000px' },
  );
  const seen = new IntersectionObserver(
    (entries) => {
      // Some may have piled up: the last one is how it is now.
      if (entries.at(-1).isIntersecting && cursor && node.isConnected) fill();
    },
    { rootMargin: '800px' },
  );
  signal.addEventListener('abort', () => {
    seen.disconnect();
    near.disconnect();
  });

  /** The block that holds the link with this code, and where in it; nothing where none does. */
  const find = (code) =>
    [...held]
      .map(([block, items]) => ({ block, items, at: items.findIndex((item) => item.code === code) }))
      .find(({ at }) => at >= 0);
  document.addEventListener(
    'linkchanged',
    ({ detail: link }) => {
      const found = find(link.code);
      if (!found) return;
      found.items[found.at] = link;
      found.block.children[found.at]?.replaceWith(row(link, ownZone()));
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
      count += 1;
      const first = blocks.firstElementChild;
      if (first) {
        held.get(first).unshift(link);
        first.replaceChildren();
        drawBlock(first);
      } else {
        append([link]);
      }
      tell();
    },
  };
}

/** One row. */
function row(link, zone) {
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
      { datetime: link.created_at, title: moment(link.created_at, zone) },
      ago(link.created_at, zone),
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
