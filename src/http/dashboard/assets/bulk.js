// Many links at once: a line each, sent in parts, with what came of each.

import { request } from './api.js';
import { copy } from './clipboard.js';
import { openEntry } from './dialog.js';
import { field, h } from './dom.js';
import { number } from './format.js';
import { problemBox, say } from './notice.js';
import { tagsField } from './tags.js';
import { linkPage } from './ways.js';

/** The most lines at once, as the API has it. */
const MOST = 10_000;
/** Lines of one request: few enough to show how far it is. */
const PART = 500;

const linesOf = (text) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);

/** Lines that were entered and not sent: a dialog is closed easily. */
let draft = '';

/** Opens the dialog with this text in it; `minted` is called when something was minted. */
export function openBulk(text, minted) {
  const area = h('textarea', {
    rows: '10',
    spellcheck: 'false',
    value: text || draft,
    placeholder: 'https://…\nhttps://…',
  });
  const tags = tagsField();
  const button = h('button', { class: 'primary' });
  const place = h('div', { role: 'status', 'aria-live': 'polite' });
  const came = h('div');
  const count = () => {
    const lines = linesOf(area.value).length;
    button.textContent = lines === 1 ? 'Mint 1 link' : `Mint ${number(lines)} links`;
    button.disabled = lines === 0 || lines > MOST;
    place.replaceChildren(
      lines > MOST
        ? h(
            'p',
            { class: 'error' },
            `At most ${number(MOST)} lines at once: take ${number(lines - MOST)} away.`,
          )
        : '',
    );
  };
  area.addEventListener('input', count);
  const form = h(
    'form',
    { novalidate: true },
    came,
    field('links', 'Addresses, one on each line', area),
    field('tags', 'Tags for all that are new', tags.input, 'Enter adds one.'),
    tags.list,
    place,
    h('div', { class: 'buttons' }, button),
  );
  const dialog = openEntry('Mint many links', form);
  dialog.addEventListener('close', () => {
    draft = area.value;
  });
  dialog.classList.add('wide');
  count();
  area.focus();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    // Nothing is changed meanwhile: what is done is taken out of the field, so that it holds what is yet to be sent.
    [button.disabled, area.readOnly] = [true, true];
    const lines = linesOf(area.value);
    const results = [];
    const stopped = await mintAll(lines, tags.value, dialog, (part) => {
      results.push(...part);
      draft = area.value = lines.slice(results.length).join('\n');
      place.replaceChildren(
        h('progress', { max: String(lines.length), value: results.length, 'aria-label': 'Lines done' }),
      );
    });
    area.readOnly = false;
    if (results.length > 0) minted?.();
    if (stopped) {
      count();
      place.replaceChildren(problemBox(stopped));
      if (results.length > 0) came.replaceChildren(outcome(lines, results, stopped));
    } else if (results.length === lines.length) {
      form.replaceWith(outcome(lines, results));
    }
  });
}

/** Gives the problem that stopped it, if one did. */
async function mintAll(lines, tags, dialog, done) {
  for (let from = 0; from < lines.length; from += PART) {
    if (!dialog.open) return null;
    const links = lines.slice(from, from + PART).map((url) => (tags.length > 0 ? { url, tags } : { url }));
    try {
      const { results } = await request('POST', '/links/batch', { body: { links } });
      done(results);
    } catch (error) {
      if (!error.title) throw error;
      return error;
    }
  }
  return null;
}

function outcome(lines, results, stopped) {
  const refused = results.filter(({ problem }) => problem).length;
  const made = results.filter(({ status }) => status === 201).length;
  const there = results.length - refused - made;
  const summary = `${number(made)} minted, ${number(there)} had a link already, ${number(refused)} refused.`;
  say(summary);
  const copyAll = async () => {
    // A line for each line, so that it fits beside the list it came from.
    const done = await copy(results.map(({ link }) => link?.short_url ?? '').join('\n'));
    say(
      done
        ? 'All short URLs copied, a line for each line.'
        : 'The browser does not let the page copy: select the column and press Ctrl+C.',
    );
  };
  const rows = results.map((result, index) => row(lines[index], result));
  // What needs somebody comes first.
  rows.sort((a, b) => Number(b.refused) - Number(a.refused));
  return h(
    'div',
    {},
    stopped && h('p', {}, `${number(lines.length - results.length)} lines were not sent: they are below.`),
    h('p', { role: 'status' }, summary),
    h(
      'div',
      { class: 'buttons start' },
      h('button', { type: 'button', class: 'primary', onclick: copyAll }, 'Copy all short URLs'),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'What came of each line' },
      h(
        'table',
        { class: 'results' },
        h('caption', { class: 'out-of-sight' }, 'What came of each line'),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Address', 'Short URL', 'Outcome'].map((text) => h('th', { scope: 'col' }, text)),
          ),
        ),
        h(
          'tbody',
          {},
          rows.map(({ node }) => node),
        ),
      ),
    ),
  );
}

function row(line, { status, link, problem }) {
  const told = problem ? problem.detail : status === 201 ? 'Minted' : 'Had a link already';
  const short =
    link && h('a', { href: linkPage(link.code), target: '_blank', rel: 'noopener' }, link.short_url);
  const node = h(
    'tr',
    { class: problem && 'refused' },
    h('td', { class: 'address', dir: 'auto' }, line),
    h('td', { class: 'mono' }, short),
    h('td', {}, told),
  );
  return { node, refused: Boolean(problem) };
}
