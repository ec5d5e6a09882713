// Keys: who may do what. Made, shown once, revoked.

import { get, request } from './api.js';
import { copy } from './clipboard.js';
import { openForm, openLasting } from './dialog.js';
import { field, h } from './dom.js';
import { day } from './format.js';
import { attempt, say } from './notice.js';
import { session } from './session.js';
import { page } from './ways.js';
import { ownZone } from './zone.js';

const SCOPES = {
  mint: 'mints links, and manages and reads its own',
  read: 'reads all links and figures',
  admin: 'everything, keys and settings too',
};

export function open({ signal }) {
  const place = h('div');
  const body = h('tbody');
  const revoked = h('input', { type: 'checkbox', onchange: () => draw() });
  const table = h(
    'table',
    { class: 'plain keys' },
    h('caption', { class: 'out-of-sight' }, 'API keys'),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Name', 'Id', 'May', 'Made', ''].map((text) =>
          h('th', { scope: 'col' }, text || h('span', { class: 'out-of-sight' }, 'Revoke')),
        ),
      ),
    ),
    body,
  );
  let keys = [];

  function draw() {
    body.replaceChildren(
      ...keys.filter((key) => revoked.checked || !key.revoked_at).map((key) => row(key, load)),
    );
  }
  async function load() {
    const all = await attempt(place, () => get('/keys', {}, signal));
    if (!all) return;
    keys = all.items;
    draw();
  }
  load();
  const node = h(
    'div',
    { class: 'view' },
    h(
      'header',
      { class: 'head' },
      h('h1', { tabindex: '-1' }, 'Keys'),
      session.isAdmin &&
        h('button', { type: 'button', class: 'primary', onclick: () => create(load) }, 'New key'),
    ),
    h(
      'p',
      {},
      'A key for each desk, CMS or colleague: links tell by whose key they were made, and one can be revoked without the others.',
    ),
    place,
    h(
      'section',
      { class: 'panel' },
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'API keys' }, table),
      h('label', { class: 'check' }, revoked, ' Show revoked ones'),
    ),
  );
  return { node, title: 'Keys', refresh: load };
}

function row(key, changed) {
  const own = key.id === session.key.id;
  const button = h(
    'button',
    { type: 'button', 'aria-label': `Revoke ${key.name}`, onclick: () => revoke(key, own, changed) },
    'Revoke',
  );
  const links = h(
    'a',
    { href: page('/links', { owner: key.id }), class: 'mono', 'aria-label': `Links of ${key.id}` },
    key.id,
  );
  return h(
    'tr',
    { class: key.revoked_at && 'revoked' },
    h('th', { scope: 'row', dir: 'auto' }, key.name, own && h('span', { class: 'badge' }, 'yours')),
    h('td', {}, links),
    h('td', {}, key.scopes.join(', ')),
    h('td', {}, day(key.created_at, ownZone())),
    h('td', {}, key.revoked_at ? `revoked ${day(key.revoked_at, ownZone())}` : button),
  );
}

function create(changed) {
  const name = h('input', { type: 'text', maxlength: '100', dir: 'auto', required: true });
  const boxes = Object.entries(SCOPES).map(([scope, what]) =>
    h(
      'label',
      { class: 'check' },
      h('input', { type: 'checkbox', value: scope, checked: scope === 'mint' }),
      h('span', {}, h('strong', {}, scope), ` ${what}`),
    ),
  );
  const wrong = h('p', { class: 'error', hidden: true });
  openForm({
    heading: 'New key',
    content: [
      field('name', 'Name', name, 'Whose it is: “News desk”, “CMS”.'),
      h(
        'fieldset',
        { class: 'field', 'data-field': 'scopes' },
        h('legend', {}, 'What it may do'),
        boxes,
        wrong,
      ),
    ],
    action: 'Create',
    submit: async (form) => {
      const scopes = [...form.querySelectorAll('input:checked')].map((box) => box.value);
      const made = await request('POST', '/keys', { body: { name: name.value.trim(), scopes } });
      changed();
      showOnce(made);
    },
  });
}

/** The secret: there is no other moment to see it. */
function showOnce({ name, key }) {
  const shown = h('input', {
    type: 'text',
    readonly: true,
    value: key,
    class: 'mono',
    onfocus: () => shown.select(),
  });
  const dialog = openLasting(
    `The key of ${name}`,
    h('p', {}, 'This is the only time that it is shown. Keep it where passwords are kept.'),
    field('key', 'Key', shown),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', onclick: () => keep() }, 'I have kept it'),
      h('button', { type: 'button', class: 'primary', onclick: () => copyKey() }, 'Copy'),
    ),
  );
  const keep = () => dialog.close();
  const copyKey = async () => {
    shown.select();
    // Not told in passing, as copying else is: what is said stays on the page for a while.
    say((await copy(key)) ? 'Copied.' : 'The browser does not let the page copy. Press Ctrl+C.');
  };
  dialog.addEventListener('close', () => {
    shown.value = '';
  });
}

function revoke(key, own, changed) {
  openForm({
    heading: `Revoke ${key.name}?`,
    content: [
      h(
        'p',
        {},
        'It opens nothing from then on, on every node within a second, and can’t be brought back. Its links stay.',
      ),
      own &&
        h('p', { class: 'error' }, 'This is the key that you are signed in with: you will be signed out.'),
    ],
    action: 'Revoke',
    danger: true,
    submit: async () => {
      await request('DELETE', `/keys/${key.id}`);
      say('Revoked.');
      changed();
    },
  });
}
