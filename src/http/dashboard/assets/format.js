// Figures, times and names as people read them.

// The pages are in English: so are their dates and numbers, in the reader's kind of it.
const LOCALE = navigator.language.startsWith('en') ? navigator.language : 'en-GB';

const made = new Map();

/** The formatter of this kind: making one is slow, and is done when it is first wanted. */
function formatter(kind, options) {
  const name = kind + JSON.stringify(options);
  if (!made.has(name)) made.set(name, new Intl[kind](LOCALE, options));
  return made.get(name);
}

/** 12,345 */
export const number = (value) => formatter('NumberFormat').format(value);
/** 12.3K */
export const compact = (value) =>
  formatter('NumberFormat', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
/** Parts of a time, as `Intl` names its options. */
export const parts = (at, tz, options) =>
  formatter('DateTimeFormat', { timeZone: tz, hourCycle: 'h23', ...options }).format(new Date(at));

const DAY = { day: 'numeric', month: 'short', year: 'numeric' };
const TIME = { hour: '2-digit', minute: '2-digit' };

/** 23 Nov 2026 */
export const day = (at, tz) => parts(at, tz, DAY);
/** 14:05 */
export const time = (at, tz) => parts(at, tz, TIME);
/** Mon 23 Nov 2026, 14:05 */
export const moment = (at, tz) => parts(at, tz, { weekday: 'short', ...DAY, ...TIME });
/** What a row of this width is called. */
export function rowName(start, by, tz) {
  if (by === 'hour')
    return parts(start, tz, { weekday: 'short', day: 'numeric', month: 'short', ...TIME });
  if (by === 'month') return parts(start, tz, { month: 'long', year: 'numeric' });
  const name = parts(start, tz, { weekday: 'short', ...DAY });
  return by === 'week' ? `Week from ${name}` : name;
}

/** 3 minutes ago; the day when it is longer than a week. */
export function ago(at, tz) {
  const seconds = Math.round((new Date(at) - Date.now()) / 1000);
  for (const [unit, length, most] of [
    ['second', 1, 60],
    ['minute', 60, 3600],
    ['hour', 3600, 86_400],
    ['day', 86_400, 604_800],
  ]) {
    if (Math.abs(seconds) < most) return formatter('RelativeTimeFormat', { numeric: 'auto' }).format(Math.round(seconds / length), unit);
  }
  return day(at, tz);
}

/** How much more or less: `+12 %`; nothing where there was nothing before. */
export function change(now, before) {
  if (before === 0) return null;
  if (now === before) return '±0 %';
  const percent = ((now - before) / before) * 100;
  const shown = Math.abs(percent) < 10 ? Math.round(percent * 10) / 10 : Math.round(percent);
  return `${percent > 0 ? '+' : '−'}${number(Math.abs(shown))} %`;
}

/** Bytes, in the unit that fits. */
export function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${number(Math.round(value * 10) / 10)} ${units[unit]}`;
}

/** The name of a row of a breakdown. */
export function label(table, id) {
  if (id === 'other') return 'All others';
  // Whatever was asked for is a code.
  if (table === 'codes') return id;
  if (id === 'unknown') return 'Unknown';
  if (table === 'countries') return country(id);
  if (table === 'referrers' && id === 'direct') return 'Direct';
  if (table === 'devices') return id.charAt(0).toUpperCase() + id.slice(1);
  if (table === 'bot_families') {
    const [kind, name] = id.split('/');
    return name ? `${name} (${kind})` : id;
  }
  return id;
}

function country(id) {
  try {
    return formatter('DisplayNames', { type: 'region', fallback: 'code' }).of(id);
  } catch {
    return id;
  }
}

/** An address without its scheme: what tells two apart stands at its front. */
export const bare = (url) => url.replace(/^https?:\/\/(www\.)?/, '');

/** The address if a browser may be sent there, else nothing. */
export const safe = (url) => (/^https?:\/\//i.test(url) ? url : null);
