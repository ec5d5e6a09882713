// The overview: mint a link, and the figures of all.

import { get, part } from './api.js';
import { h, painted } from './dom.js';
import { mintForm } from './mint.js';
import { attempt } from './notice.js';
import { session } from './session.js';
import { endpoint } from './ways.js';

export function open({ query, signal }) {
  let asked = query;
  let figures = null;
  const head = h('header', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Overview'));
  const first = h('div');
  const place = h('div');
  const minted = () => {
    first.replaceChildren();
    figures?.moved();
  };
  const node = h('div', { class: 'view overview' }, head, session.mayMint && mintForm(minted), first, place);

  // Whoever comes to mint need not wait for them.
  const load = () =>
    attempt(place, async () => {
      await painted();
      const { readers } = await part(() => import('./readers.js'));
      if (figures || signal.aborted) return;
      figures = readers({ query: asked, signal });
      head.append(figures.badge);
      node.append(...figures.nodes);
    });
  load();
  teach(first, signal);

  return {
    node,
    title: 'Overview',
    refresh() {
      if (figures) figures.refresh();
      else load();
    },
    update(next) {
      asked = next;
      figures?.follow(next);
    },
  };
}

/** Whoever has no link yet is shown how the first is made. */
async function teach(place, signal) {
  const some = await attempt(place, () => get('/links', { limit: 1 }, signal));
  if (!some || some.items.length > 0) return;
  const line = `curl ${location.origin}${endpoint('/links')} -H "Authorization: Bearer $SLUGLINE_KEY" \\\n  -H 'Content-Type: application/json' -d '{"url": "https://www.example.org/a-story"}'`;
  place.append(
    h(
      'section',
      { class: 'panel teach' },
      h('h2', {}, 'There is no link yet'),
      h(
        'p',
        {},
        session.mayMint
          ? 'Paste the address of an article above and press Enter. Or, from a terminal or your CMS:'
          : 'A key of the scope mint makes one, from a terminal or your CMS:',
      ),
      h('pre', { tabindex: '0' }, h('code', {}, line)),
    ),
  );
}
