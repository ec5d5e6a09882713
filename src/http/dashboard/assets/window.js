// Which window of time is shown, in which zone, how wide its rows are, and of whom. All of it stands in the address.

import { freshId, h } from './dom.js';
import { moment } from './format.js';
import { browserZone, civilTime, date, ownZone } from './zone.js';

const QUARTER = 15 * 60_000;
const DAY = 96 * QUARTER;
const PRESETS = {
  today: 'Today',
  '2h': '2 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '365d': 'Year',
  all: 'All time',
};
const WIDTHS = { '': 'Automatic', hour: 'By hour', day: 'By day', week: 'By week', month: 'By month' };
const SHOWN = { people: 'People', bots: 'Bots', all: 'All' };
/** When the zones of the world are offered, in milliseconds: there are hundreds, and something to be shown before. */
const AFTERWARDS = 500;
const NAMES = ['last', 'from', 'to', 'by', 'tz', 'show', 'compare'];

/** Reads the window of an address. */
function read(query, standard, shows) {
  const state = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? '']));
  if (!state.last && !state.from) state.last = standard;
  if (shows || !Object.hasOwn(SHOWN, state.show)) state.show = shows || 'people';
  if (!Object.hasOwn(WIDTHS, state.by)) state.by = '';
  state.tz ||= ownZone();
  return state;
}

/** What the API is asked for this window. */
export function askedOf(state) {
  const { last, from, to, by, tz, show } = state;
  const compared = state.compare !== '0' && last !== 'all' && last !== 'today';
  const span = last === 'today' ? { from: date(tz) } : last ? { last } : { from, to };
  return { ...span, by, tz, compare: compared ? 'previous' : '', include: show === 'all' ? 'bots' : '' };
}

/** From when to when the window before a report's is; null where none is compared with. A day's is the day before, until the same clock. */
export function spanBefore({ last, compare }, { from, to, tz, previous }) {
  if (last !== 'today') return previous && { from: previous.from, to: previous.to };
  return compare === '0'
    ? null
    : { from: date(tz, -1, Date.parse(from)), to: civilTime(tz, Date.parse(to), -1) };
}

/**
 * The row of controls. `presets` are offered, `standard` is the one of an address that says none; `shows`
 * is whose clicks are meant where there is no choice; `changed` is called when the window is another.
 */
export function windowPicker({ query, presets, standard, shows = '', changed }) {
  let state = read(query, standard, shows);
  let unzoomed = null;
  const group = freshId('window');
  const put = (next) => {
    state = { ...state, ...next };
    draw();
    changed(state);
  };
  const preset = (name, [key, text]) =>
    h('label', { class: 'choice' }, h('input', { type: 'radio', name, value: key }), h('span', {}, text));
  const lasts = h(
    'fieldset',
    { class: 'choices' },
    h('legend', { class: 'out-of-sight' }, 'Window'),
    presets.map((key) => preset(group, [key, PRESETS[key]])),
  );
  lasts.addEventListener('change', (event) => {
    unzoomed = null;
    put({ last: event.target.value, from: '', to: '', by: '' });
  });
  const shown = h(
    'fieldset',
    { class: 'choices' },
    h('legend', { class: 'out-of-sight' }, 'Whose clicks'),
    Object.entries(SHOWN).map((entry) => preset(`${group}-show`, entry)),
  );
  shown.addEventListener('change', (event) => put({ show: event.target.value }));
  const from = h('input', { type: 'date', 'aria-label': 'From', required: true });
  const through = h('input', { type: 'date', 'aria-label': 'Through' });
  const dates = h(
    'form',
    { class: 'dates' },
    from,
    h('span', { 'aria-hidden': 'true' }, '–'),
    through,
    h('button', {}, 'Show'),
  );
  dates.addEventListener('submit', (event) => {
    event.preventDefault();
    unzoomed = null;
    const end = through.value && new Date(Date.parse(through.value) + DAY).toISOString().slice(0, 10);
    put({ last: '', from: from.value, to: end, by: '' });
  });
  const width = h(
    'select',
    { 'aria-label': 'Width of the rows', onchange: () => put({ by: width.value }) },
    Object.entries(WIDTHS).map(([value, text]) => h('option', { value }, text)),
  );
  const zone = h('select', {
    'aria-label': 'Time zone',
    class: 'zone',
    onchange: () => chooseZone(zone.value),
  });
  const zones = new Set();
  const offer = (...names) => {
    const fresh = names.filter((name) => !zones.has(name));
    for (const name of fresh) zones.add(name);
    zone.append(...fresh.map((value) => h('option', { value }, value.replaceAll('_', ' '))));
  };
  offer(...new Set([browserZone(), 'UTC']));
  setTimeout(() => offer(...Intl.supportedValuesOf('timeZone')), AFTERWARDS);
  const compare = h('input', {
    type: 'checkbox',
    onchange: () => put({ compare: compare.checked ? '' : '0' }),
  });
  const reset = h('button', { type: 'button', hidden: true, onclick: () => unzoom() }, 'Reset zoom');
  const span = h('p', { class: 'span quiet', 'aria-live': 'polite' }, '\u00a0');
  const node = h(
    'div',
    { class: 'window', role: 'group', 'aria-label': 'What is shown' },
    h('div', { class: 'line' }, lasts, !shows && shown, reset),
    h('div', { class: 'line' }, dates, width, zone, h('label', { class: 'check' }, compare, ' Compare')),
    span,
  );

  function chooseZone(tz) {
    try {
      localStorage.setItem('slugline.tz', tz);
    } catch {
      // It stands in the address.
    }
    put({ tz });
  }

  function unzoom() {
    const before = unzoomed ?? { last: standard, from: '', to: '', by: '' };
    unzoomed = null;
    put(before);
  }

  function draw() {
    for (const input of lasts.querySelectorAll('input')) input.checked = input.value === state.last;
    for (const input of shown.querySelectorAll('input')) input.checked = input.value === state.show;
    from.value = state.from && civil(state.from, state.tz);
    through.value = state.to && civil(state.to, state.tz, -1);
    width.value = state.by;
    offer(state.tz);
    zone.value = state.tz;
    // Before all time there was nothing.
    compare.disabled = state.last === 'all';
    compare.checked = state.compare !== '0' && !compare.disabled;
    reset.hidden = !state.from.includes('T');
  }
  draw();

  return {
    node,
    get state() {
      return state;
    },
    /** Takes over what an address says. */
    follow(next) {
      state = read(next, standard, shows);
      draw();
    },
    zoom(start, end) {
      if (Date.parse(end) - Date.parse(start) < QUARTER) return;
      unzoomed ??= { last: state.last, from: state.from, to: state.to, by: state.by };
      put({ last: '', from: start, to: end, by: '' });
    },
    /** Says which window an answer was about. */
    tell({ from: start, to: end, tz }) {
      span.textContent = `${moment(start, tz)} – ${moment(end, tz)}, ${tz.replaceAll('_', ' ')}`;
    },
    /** The window as it stands in an address. */
    query(into = new URLSearchParams()) {
      for (const name of NAMES) into.delete(name);
      for (const name of NAMES) {
        const usual = { last: standard, show: shows || 'people', tz: state.tz }[name];
        if (state[name] && state[name] !== usual) into.set(name, state[name]);
      }
      // What an address says of a window, it says of one zone: another reader's, or one chosen later, has other days.
      if (NAMES.some((name) => into.has(name)) || state.tz !== browserZone()) into.set('tz', state.tz);
      return into;
    },
  };
}

/** The date of a moment, or a date as it is; `days` further. A moment that ends a day is within it. */
function civil(text, tz, days = 0) {
  if (!text.includes('T')) return new Date(Date.parse(text) + days * DAY).toISOString().slice(0, 10);
  return date(tz, 0, Date.parse(text) + (days < 0 ? -1 : 0));
}
