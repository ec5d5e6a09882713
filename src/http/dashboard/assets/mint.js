// One field that takes an address: minted, copied, done. Several lines open the dialog for many.

import { exchange } from './api.js';
import { openBulk } from './bulk.js';
import { copyAndSay, copySoon } from './clipboard.js';
import { field, freshId, h } from './dom.js';
import { expiryField, sentMoment } from './edit.js';
import { ago } from './format.js';
import { clearRefusals, showRefusal } from './notice.js';
import { openQr } from './qr.js';
import { tagsField } from './tags.js';
import { linkPage } from './ways.js';

/** The link, and whether it was made just now. */
async function mint(body) {
  const { status, answer: link } = await exchange('POST', '/links', { body });
  return { link, fresh: status === 201 };
}

/** The form, for this code if one is wanted. `minted` gets the link that was made; nothing when many were. */
export function mintForm(minted, wantedCode = '') {
  const url = h('input', {
    id: 'mint',
    name: 'url',
    type: 'text',
    inputmode: 'url',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'https://…',
    'aria-describedby': 'mint-error mint-hint',
  });
  const more = moreFields(wantedCode);
  const place = h('div');
  const outcome = h('div', { class: 'outcome', role: 'status', 'aria-live': 'polite' });
  const button = h('button', { class: 'primary' }, 'Mint');
  const many = h(
    'button',
    { type: 'button', class: 'plain', onclick: () => openBulk('', minted) },
    'Many at once',
  );
  const form = h(
    'form',
    { class: 'mint', novalidate: true, 'aria-label': 'Mint a link' },
    h(
      'div',
      { class: 'field', 'data-field': 'url' },
      h('label', { for: 'mint' }, 'Mint a link'),
      h('div', { class: 'joined' }, url, button),
      h('p', { class: 'error', id: 'mint-error', hidden: true }),
    ),
    h(
      'div',
      { class: 'below' },
      h(
        'p',
        { class: 'hint', id: 'mint-hint' },
        'Paste an address and press Enter: the short one is copied. Several lines make several.',
      ),
      many,
    ),
    more.node,
    place,
    outcome,
  );
  url.addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text/plain');
    if (text.trim().split(/\r?\n/).length < 2) return;
    event.preventDefault();
    openBulk(text, minted);
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled || !url.value.trim()) return;
    button.disabled = true;
    try {
      const minting = mint({ url: url.value.trim(), ...more.value });
      const copying = copySoon(minting.then(({ link }) => link.short_url));
      const { link, fresh } = await minting;
      clearRefusals(form);
      place.replaceChildren();
      const copied = await copying;
      outcome.replaceChildren(card(link, fresh, copied));
      form.reset();
      more.clear();
      minted?.(link, fresh);
    } catch (error) {
      outcome.replaceChildren();
      showRefusal(form, place, error);
    } finally {
      button.disabled = false;
      if (!form.querySelector('[aria-invalid]')) url.focus();
    }
  });
  return form;
}

function moreFields(wantedCode) {
  const code = h('input', {
    type: 'text',
    maxlength: '64',
    autocomplete: 'off',
    spellcheck: 'false',
    value: wantedCode,
  });
  const title = h('input', { type: 'text', maxlength: '500', dir: 'auto' });
  const tags = tagsField();
  const { input: expires, node: expiry } = expiryField();
  const id = freshId('keep');
  const keep = h('input', { type: 'checkbox', id });
  const node = h(
    'details',
    { open: wantedCode !== '' },
    h('summary', {}, 'Code, title, tags, expiry'),
    h(
      'div',
      { class: 'grid' },
      field('code', 'Code of your choice', code, 'Empty: one is drawn.'),
      field('title', 'Title', title),
      h('div', {}, field('tags', 'Tags', tags.input, 'Enter adds one.'), tags.list),
      expiry,
    ),
    h(
      'label',
      { class: 'check', for: id },
      keep,
      ' Keep its tracking parameters: a link and figures of its own',
    ),
  );
  return {
    node,
    clear: () => tags.clear(),
    get value() {
      const given = {};
      if (code.value.trim()) given.code = code.value.trim();
      if (title.value.trim()) given.title = title.value.trim();
      if (tags.value.length > 0) given.tags = tags.value;
      if (expires.value) given.expires_at = sentMoment(expires.value);
      if (keep.checked) given.keep_tracking = true;
      return given;
    },
  };
}

function card(link, fresh, copied) {
  const told = fresh ? 'Minted' : `This article already had a link, made ${ago(link.created_at)}`;
  const clipboard = copied ? 'copied.' : 'but the browser does not let the page copy it.';
  const short = h('a', { class: 'short', href: linkPage(link.code) }, link.short_url);
  const note =
    !fresh &&
    h('p', { class: 'hint' }, 'Its title, tags and expiry stayed as they were; edit it to change them.');
  return h(
    'div',
    { class: fresh ? 'made' : 'made there' },
    h('p', {}, `${told}; `, clipboard),
    h('p', {}, short),
    h('p', { class: 'quiet', dir: 'auto' }, link.title ?? link.target),
    note,
    h(
      'div',
      { class: 'buttons start' },
      h('button', { type: 'button', onclick: () => copyAndSay(link.short_url) }, 'Copy'),
      h('button', { type: 'button', onclick: () => openQr(link) }, 'QR code'),
    ),
  );
}
