// Settings: what is in effect and where it comes from, read-only; and whether store and journal are well.

import { get } from './api.js';
import { h, renew } from './dom.js';
import { bytes, moment, number } from './format.js';
import { attempt } from './notice.js';
import { ownZone } from './zone.js';

/** How often the health is asked for, in milliseconds. */
const EVERY = 5_000;

export function open({ signal }) {
  const place = h('div');
  const unwell = h('div');
  const health = h('div', { class: 'panels health', 'aria-busy': 'true' });
  const sections = h('div', { class: 'sections' });
  const filter = h('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    placeholder: 'Part of a name or value',
    oninput: () => draw(),
  });
  let items = [];

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const fits = ({ key, value }) => `${key} ${text(value)}`.toLowerCase().includes(wanted);
    const groups = Map.groupBy(items.filter(fits), ({ key }) =>
      key.includes('.') ? key.split('.')[0] : 'general',
    );
    sections.replaceChildren(...[...groups].map(([name, rows]) => table(name, rows)));
    if (groups.size === 0) sections.append(h('p', { class: 'quiet' }, 'No setting fits.'));
  }
  async function load() {
    const config = await attempt(place, () => get('/config', {}, signal));
    if (!config) return;
    items = config.items;
    draw();
  }
  async function look() {
    if (document.hidden) return;
    const answer = await attempt(unwell, () => get('/health', {}, signal));
    if (!answer) return;
    health.setAttribute('aria-busy', 'false');
    renew(health, panels(answer));
  }
  const timer = setInterval(look, EVERY);
  signal.addEventListener('abort', () => clearInterval(timer));
  load();
  look();
  const node = h(
    'div',
    { class: 'view' },
    h('header', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Settings')),
    place,
    h('h2', {}, 'Health'),
    unwell,
    health,
    h('h2', {}, 'Configuration'),
    h(
      'p',
      {},
      'What is in effect on this node. It is changed in the configuration file, the environment or by flags, and holds from the next start.',
    ),
    h('div', { class: 'field' }, h('label', { for: 'search' }, 'Search settings'), filter),
    sections,
  );
  return {
    node,
    title: 'Settings',
    refresh() {
      load();
      look();
    },
  };
}

/** A value as the configuration file would have it, more or less. */
function text(value) {
  if (Array.isArray(value)) return value.join(', ') || 'none';
  return value === '' || value === null ? 'empty' : String(value);
}

function table(name, rows) {
  const line = ({ key, value, source, secret }) =>
    h(
      'tr',
      { class: source === 'default' ? 'usual' : 'set' },
      h('th', { scope: 'row', class: 'mono' }, key),
      h('td', { class: 'mono', dir: 'auto' }, secret && value !== '' ? '••••••' : text(value)),
      h('td', {}, source),
    );
  return h(
    'section',
    { class: 'panel' },
    h('header', {}, h('h3', {}, name)),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Settings of ${name}` },
      h(
        'table',
        { class: 'plain settings' },
        h('caption', { class: 'out-of-sight' }, `Settings of ${name}`),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Key', 'Value', 'From'].map((heading) => h('th', { scope: 'col' }, heading)),
          ),
        ),
        h('tbody', {}, rows.map(line)),
      ),
    ),
  );
}

const KINDS = { embedded: 'Embedded store', redis: 'Redis', cluster: 'Redis Cluster' };
const GROUPS = {
  rollup: 'Counting, since the start',
  archive: 'Archive, since the start',
  cache: 'Links in memory',
  live: 'Live streams',
};
const NAMES = {
  bytes: 'On disk',
  pending: 'Pending clicks',
  lost: 'Lost clicks',
  ping_ms: 'Answers in',
  accepted: 'Accepted clicks',
  counted: 'Counted clicks',
  ready: 'Ready',
  error: 'Error',
  kind: 'Kind',
};

/** A panel for each group of the answer, what it is of first. */
function panels({ version, started_at: started, node, store, journal, ...others }) {
  const list = (title, entries, state) =>
    h(
      'section',
      { class: 'panel', 'data-state': state, 'data-key': title },
      h('header', {}, h('h3', {}, title)),
      h(
        'dl',
        { class: 'about' },
        entries.flatMap(([name, value]) => [h('dt', {}, name), h('dd', { dir: 'auto' }, value)]),
      ),
    );
  const entriesOf = (group) =>
    Object.entries(group)
      .filter(([, value]) => value !== null && typeof value !== 'object')
      .map(([name, value]) => [NAMES[name] ?? words(name), shown(name, value)]);
  const { kind, ready, error, ...measured } = store;
  const storeRows = [
    ['State', ready ? 'Answers' : 'Does not answer'],
    ...(error ? [['Error', error]] : []),
    ...entriesOf(measured),
  ];
  const groups = Object.entries(others).filter(
    ([, value]) => value !== null && typeof value === 'object' && !Array.isArray(value),
  );
  const single = entriesOf(
    Object.fromEntries(Object.entries(others).filter(([, value]) => typeof value !== 'object')),
  );
  return [
    list(
      'This node',
      [['Name', node], ['Version', version], ['Since', moment(started, ownZone())], ...single],
      'right',
    ),
    list(KINDS[kind] ?? 'Store', storeRows, ready ? 'right' : 'wrong'),
    list('Journal', entriesOf(journal), journal.lost > 0 ? 'wrong' : 'right'),
    ...groups.map(([name, group]) => list(GROUPS[name] ?? words(name), entriesOf(group))),
  ];
}

const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

function shown(name, value) {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return /_at$/.test(name) ? moment(value, ownZone()) : value;
  if (/bytes/.test(name)) return bytes(value);
  if (/_ms$/.test(name)) return `${value.toLocaleString()} ms`;
  return number(value);
}
