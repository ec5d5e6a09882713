// What can be done with a link: copy, QR, edit, disable, bring back, delete.

import { request } from './api.js';
import { copyAndSay } from './clipboard.js';
import { openDialog, openForm } from './dialog.js';
import { field, h } from './dom.js';
import { openEdit, tellChanged } from './edit.js';
import { say } from './notice.js';
import { openQr } from './qr.js';
import { session } from './session.js';
import { linkPage, linkPath } from './ways.js';

/** The buttons for a link. What was changed is told with `linkchanged`. `before` is called when one is pressed. */
export function actions(link, before = () => {}) {
  if (link.state === 'deleted') return [];
  const button = (text, act, kind = text.toLowerCase()) => {
    const press = () => {
      before();
      act(link);
    };
    return h('button', { type: 'button', class: kind, 'data-again': `.acts .${kind}`, onclick: press }, text);
  };
  const all = [button('Copy', () => copyAndSay(link.short_url))];
  // Of others the service draws none.
  if (link.state === 'active') all.push(button('QR code', openQr, 'draw'));
  if (!session.mayChange(link)) return all;
  all.push(button('Edit', openEdit));
  all.push(
    link.state === 'disabled' ? button('Restore', restore, 'switch') : button('Disable', disable, 'switch'),
  );
  all.push(button('Delete', remove, 'danger'));
  return all;
}

/** The same as a dialog: for rows of a list. */
export function openActions(link) {
  const close = () => dialog.close();
  const page = h('a', { class: 'button', href: linkPage(link.code), onclick: close }, 'Figures');
  const dialog = openDialog(
    link.title ?? link.code,
    h('p', { class: 'mono' }, link.short_url),
    h('div', { class: 'buttons start' }, page, actions(link, close)),
  );
}

function disable(link) {
  const reason = h('input', { type: 'text', maxlength: '500', dir: 'auto' });
  openForm({
    heading: 'Disable this link?',
    content: [
      h('p', {}, 'Readers get a page that says it was withdrawn. It can be restored at any time.'),
      field('reason', 'Reason, shown to readers (optional)', reason),
    ],
    action: 'Disable',
    submit: async () => {
      const body = { state: 'disabled', reason: reason.value.trim() || null };
      tellChanged(await request('PATCH', linkPath(link.code), { body }));
      say('Disabled.');
    },
  });
}

function restore(link) {
  openForm({
    heading: 'Restore this link?',
    content: [h('p', {}, 'Readers are sent to its target again.')],
    action: 'Restore',
    submit: async () => {
      tellChanged(await request('PATCH', linkPath(link.code), { body: { state: 'active', reason: null } }));
      say('Restored.');
    },
  });
}

function remove(link) {
  openForm({
    heading: 'Delete this link?',
    content: [
      h(
        'p',
        {},
        'For good: readers get “gone” from now on, and its code is never given out again. Its figures stay. To withdraw it for a while, disable it.',
      ),
      h('p', { class: 'mono' }, link.short_url),
      h('p', { dir: 'auto' }, link.title),
    ],
    action: 'Delete',
    danger: true,
    submit: async () => {
      await request('DELETE', linkPath(link.code));
      tellChanged({ ...link, state: 'deleted' });
      say('Deleted.');
    },
  });
}
