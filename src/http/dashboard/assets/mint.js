// One field that takes an address: minted, copied, done. Several lines open the dialog for many.

import { exchange, part } from './api.js';
import { copyAndSay, copySoon } from './clipboard.js';
import { h } from './dom.js';
import { ago } from './format.js';
import { attempt, clearRefusals, showRefusal } from './notice.js';
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
  const place = h('div');
  // What is asked for until its fields are there.
  const asked = wantedCode ? { code: wantedCode } : {};
  let more = null;
  const folded = h('details', { open: wantedCode !== '' }, h('summary', {}, 'Code, title, tags, expiry'));
  // One that is open from the start tells so as well.
  folded.addEventListener('toggle', async () => {
    if (!folded.open || more) return;
    const fetched = await attempt(place, () => part(() => import('./more.js')));
    if (more) return;
    folded.open = Boolean(fetched);
    if (!fetched) return;
    more = fetched.moreFields(wantedCode);
    folded.append(...more.nodes);
  });
  const outcome = h('div', { class: 'outcome', role: 'status', 'aria-live': 'polite' });
  const openBulk = (text) =>
    attempt(place, async () => (await part(() => import('./bulk.js'))).openBulk(text, minted));
  const openQr = (link) => attempt(place, async () => (await part(() => import('./qr.js'))).openQr(link));
  const button = h('button', { class: 'primary' }, 'Mint');
  const many = h(
    'button',
    { type: 'button', class: 'plain', onclick: () => openBulk('') },
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
    folded,
    place,
    outcome,
  );
  url.addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text/plain');
    if (text.trim().split(/\r?\n/).length < 2) return;
    event.preventDefault();
    openBulk(text);
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled || !url.value.trim()) return;
    button.disabled = true;
    try {
      const minting = mint({ url: url.value.trim(), ...(more?.value ?? asked) });
      const copying = copySoon(minting.then(({ link }) => link.short_url));
      const { link, fresh } = await minting;
      clearRefusals(form);
      place.replaceChildren();
      const copied = await copying;
      outcome.replaceChildren(card(link, fresh, copied, openQr));
      form.reset();
      more?.clear();
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

function card(link, fresh, copied, openQr) {
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
