// Times as a clock and a calendar show them in a zone, and the zone that was chosen.

import { justNow } from './api.js';

/** The date in this zone, so many days from now: 2026-11-23. */
export function date(tz, days = 0, at = justNow()) {
  const digits = { timeZone: tz, year: 'numeric', month: '2-digit', day: '2-digit' };
  const [year, month, day] = new Intl.DateTimeFormat('en-CA', digits).format(new Date(at)).split('-');
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + days)).toISOString().slice(0, 10);
}

/** The clock in this zone: 14:05. */
const clock = (tz, at) =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone: tz,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(at));

/** Date and clock in this zone: 2026-11-23T14:05. */
export const civilTime = (tz, at, days = 0) => `${date(tz, days, at)}T${clock(tz, at)}`;

/** The moment at which this zone shows such a time. */
export function instant(text, tz) {
  const wanted = Date.parse(`${text}Z`);
  let at = wanted;
  // Again, for the first guess may lie on the other side of a change of the clock.
  for (let i = 0; i < 2; i += 1) at += wanted - Date.parse(`${civilTime(tz, at)}Z`);
  return at;
}

/** The zone that was chosen here last, else the browser's. */
export function ownZone() {
  try {
    const chosen = localStorage.getItem('slugline.tz');
    if (chosen) return chosen;
  } catch {
    // The browser's then.
  }
  return browserZone();
}

/** The zone of the machine. */
export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';
