// What the page says: in passing, to screen readers as well; about a problem; about a service that is away.

import { connection } from './api.js';
import { h } from './dom.js';
import { signInPage } from './ways.js';

/** How long a word in passing stays, in milliseconds. */
const STAYS = 5_000;

const words = h('div', { class: 'words', role: 'status', 'aria-live': 'polite' });
const banner = h('div', { class: 'banner', role: 'alert', hidden: true });

/** Where they stand. */
export const notices = [banner, words];

/** Back to the page, before the dialog they stand in goes. */
export function releaseNotices() {
  document.body.append(words);
  document.querySelector('main')?.before(banner);
}

/** Says something in passing. */
export function say(text) {
  // While a dialog is open, what is outside of it is neither seen well nor read out.
  const place = document.querySelector('dialog[open]') ?? document.body;
  if (words.parentNode !== place) place.append(words);
  const word = h('p', {}, text);
  words.replaceChildren(word);
  setTimeout(() => word.remove(), STAYS);
}

/** A problem, with the way out. */
export function problemBox(problem) {
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('strong', {}, problem.title),
    h('p', { dir: 'auto' }, problem.detail),
  );
}

/**
 * Does the work; what is refused is shown in `place`. Gives nothing then, nor when it was called off or
 * the service is away: the banner says that, and the view is asked again when it is back.
 */
export async function attempt(place, work) {
  try {
    const outcome = await work();
    place.replaceChildren();
    return outcome;
  } catch (error) {
    if (error.name === 'AbortError') return undefined;
    if (!error.title) throw error;
    if (!error.told) place.replaceChildren(problemBox(error));
    return undefined;
  }
}

/** Whether something was entered that would be lost with the page. */
function unfinished() {
  const fields = document.querySelectorAll(
    'main form:not([role="search"], .dates) :is(input[type="text"], textarea)',
  );
  return Boolean(document.querySelector('dialog[open]')) || [...fields].some((field) => field.value !== '');
}

/** Shows a refusal at the field it is about, else in `place`; gives whether it was one. */
export function showRefusal(form, place, error) {
  if (!error.title) throw error;
  clearRefusals(form);
  const at = error.field && form.querySelector(`[data-field="${CSS.escape(error.field)}"]`);
  if (!at) {
    place.replaceChildren(problemBox(error));
    return;
  }
  at.closest('details')?.setAttribute('open', '');
  const wrong = at.querySelector('.error');
  wrong.textContent = error.detail;
  wrong.hidden = false;
  const input = at.querySelector('input, select, textarea');
  input.setAttribute('aria-invalid', 'true');
  input.focus();
  place.replaceChildren();
}

/** Forgets what was wrong. */
export function clearRefusals(form) {
  for (const wrong of form.querySelectorAll('.field > .error')) wrong.hidden = true;
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
}

connection.addEventListener('lost', ({ detail: problem }) => {
  banner.replaceChildren(h('strong', {}, problem.title), ' ', problem.detail);
  banner.hidden = false;
});
connection.addEventListener('ended', (event) => {
  if (!unfinished()) return;
  event.preventDefault();
  document.querySelector('dialog[open]')?.prepend(banner);
  if (!banner.hidden) return;
  banner.replaceChildren(
    h('strong', {}, 'Your session has ended.'),
    ' ',
    h('a', { href: signInPage(), target: '_blank' }, 'Sign in in another tab'),
    ', then go on here.',
  );
  banner.hidden = false;
});
connection.addEventListener('found', () => {
  banner.hidden = true;
  say('The service answers again.');
});
