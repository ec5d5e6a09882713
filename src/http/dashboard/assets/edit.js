// Changing a link: only what was changed is sent.

import { request } from './api.js';
import { openForm } from './dialog.js';
import { field, h } from './dom.js';
import { say } from './notice.js';
import { tagsField } from './tags.js';
import { linkPath } from './ways.js';
import { civilTime, instant, ownZone } from './zone.js';

/** What such a field of `expiryField` says, for the API. */
export const sentMoment = (text) => (text ? new Date(instant(text, ownZone())).toISOString() : null);

/** An expiry as `datetime-local` writes it, in the zone in which times are shown. */
const localMoment = (at) => (at ? civilTime(ownZone(), Date.parse(at)) : '');

/** The field for an expiry: its input, and all of it. */
export function expiryField(at) {
  const input = h('input', { type: 'datetime-local', value: localMoment(at) });
  return {
    input,
    node: field(
      'expires_at',
      'Expires',
      input,
      `In the time of ${ownZone().replaceAll('_', ' ')}. Empty: never.`,
    ),
  };
}

/** Tells the views that a link is another now, `state` "deleted" when it is gone. */
export const tellChanged = (link) => document.dispatchEvent(new CustomEvent('linkchanged', { detail: link }));

const checkbox = (name, text, checked) =>
  h('label', { class: 'check' }, h('input', { type: 'checkbox', name, checked }), ` ${text}`);

/** Opens the form. */
export function openEdit(link) {
  const title = h('input', { type: 'text', maxlength: '500', dir: 'auto', value: link.title ?? '' });
  const tags = tagsField(link.tags);
  const url = h('input', { type: 'text', inputmode: 'url', value: link.target });
  const { input: expires, node: expiry } = expiryField(link.expires_at);
  const statuses = [
    ['', 'The service’s default'],
    ['301', '301, moved for good'],
    ['302', '302, found'],
    ['307', '307, temporary'],
    ['308', '308, permanent'],
  ];
  const redirect = h(
    'select',
    { value: String(link.redirect) },
    statuses.map(([value, text]) => h('option', { value }, text)),
  );
  const host = h('input', { type: 'text', value: link.host ?? '' });
  const reason =
    link.state === 'disabled' &&
    h('input', { type: 'text', maxlength: '500', dir: 'auto', value: link.reason ?? '' });
  const keep = checkbox('keep_tracking', 'Keep the tracking parameters of a new target', false);
  const forward = checkbox(
    'forward_query',
    'Hand the reader’s query string on to the target',
    link.forward_query,
  );
  const more = h(
    'details',
    {},
    h('summary', {}, 'More'),
    field('redirect', 'Status of the redirect', redirect),
    field('host', 'The one host that knows it', host, 'Empty: all of the service’s hosts do.'),
    keep,
    forward,
  );
  openForm({
    heading: 'Edit link',
    content: [
      field('title', 'Title', title),
      [field('tags', 'Tags', tags.input, 'Enter adds one.'), tags.list],
      field('url', 'Target', url, 'The code stays: readers of every printed link go there from now on.'),
      expiry,
      reason && field('reason', 'Reason, shown to readers', reason),
      more,
    ],
    action: 'Save',
    submit: async () => {
      const body = {};
      const put = (name, before, after) => {
        if (JSON.stringify(before) !== JSON.stringify(after)) body[name] = after;
      };
      put('title', link.title, title.value.trim() || null);
      put('tags', link.tags, tags.value);
      put('url', link.target, url.value.trim());
      put('expires_at', localMoment(link.expires_at), expires.value);
      if ('expires_at' in body) body.expires_at = sentMoment(expires.value);
      put('redirect', String(link.redirect), redirect.value);
      if ('redirect' in body) body.redirect = redirect.value ? Number(redirect.value) : null;
      put('host', link.host ?? null, host.value.trim() || null);
      put('forward_query', link.forward_query, forward.querySelector('input').checked);
      if (reason) put('reason', link.reason ?? null, reason.value.trim() || null);
      if ('url' in body) body.keep_tracking = keep.querySelector('input').checked;
      if (Object.keys(body).length === 0) return;
      tellChanged(await request('PATCH', linkPath(link.code), { body }));
      say('Saved.');
    },
  });
}
