// The audit as a badge: whether every click that was accepted is counted or waiting.

import { get } from './api.js';
import { h } from './dom.js';
import { number } from './format.js';

/** After so long a difference is asked about again before it is told, in milliseconds. */
const AGAIN = 3_000;

/** The badge: a line, and what it means behind it. */
export function auditBadge(signal) {
  const line = h('span', {}, 'Counting…');
  const words = h('p', {});
  const lost = h('p', {});
  const nodes = h('tbody');
  const table = h(
    'table',
    {},
    h('caption', { class: 'out-of-sight' }, 'Each node’s account'),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Node', 'Accepted', 'Counted', 'Pending', 'Lost'].map((text) => h('th', { scope: 'col' }, text)),
      ),
    ),
    nodes,
  );
  const node = h(
    'details',
    { class: 'audit' },
    h('summary', {}, line),
    h(
      'div',
      { class: 'panel' },
      h(
        'p',
        {},
        'Before a reader is sent on, the click is written to a journal: it is accepted. From there it goes into the figures: it is counted. What still waits in the journal is pending. The three are found apart from each other, so that they would not add up if a click were lost or counted twice.',
      ),
      words,
      lost,
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Each node’s account' },
        table,
      ),
    ),
  );

  const differs = ({ accepted, counted, pending }) => accepted - counted - pending;

  async function refresh(second = false) {
    const { nodes: accounts, total } = await get('/audit', {}, signal);
    const missing = differs(total);
    // Nodes file their accounts now and then: one may be a moment behind.
    if (missing !== 0 && !second) {
      setTimeout(() => refresh(true).catch(() => {}), AGAIN);
      return;
    }
    const { accepted, counted, pending } = total;
    line.textContent = `${number(accepted)} accepted ${missing === 0 ? '=' : '≠'} ${number(counted)} counted + ${number(pending)} pending`;
    node.dataset.state = missing === 0 && total.lost === 0 ? 'right' : 'wrong';
    words.textContent =
      missing === 0
        ? 'They add up: every click is accounted for.'
        : `They differ by ${number(Math.abs(missing))}. If that stays so, a journal was removed, or the store was brought back from an old copy: the log of the service says more.`;
    lost.textContent =
      total.lost === 0
        ? ''
        : `Besides, ${number(total.lost)} readers were sent on whose click could not be written down, because the disk took nothing.`;
    nodes.replaceChildren(
      ...accounts.map((account) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row', class: 'mono' }, account.node),
          [account.accepted, account.counted, account.pending, account.lost].map((value) =>
            h('td', {}, number(value)),
          ),
        ),
      ),
    );
  }

  return { node, refresh: () => refresh() };
}
