// Addresses. A proxy may put the service below a path of its own: all of them begin where this file lies.

const BASE = new URL('../../../..', import.meta.url).pathname.replace(/\/$/, '');

/** The address of the dashboard itself. */
export const ROOT = `${BASE}/-/dashboard`;

/** The query string of what is not empty, with its question mark. */
export function queryString(query = {}) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  const text = new URLSearchParams(given).toString();
  return text && `?${text}`;
}

/** A view: `/links`. */
export const page = (path, query) => ROOT + path + queryString(query);
/** What the API has at this path: `/stats/top`. */
export const endpoint = (path, query) => `${BASE}/api/v1${path}${queryString(query)}`;
/** The documentation of the API. */
export const DOCS = `${BASE}/api/docs`;
/** A file beside this one. */
export const asset = (name) => new URL(name, import.meta.url).pathname;

/** A link in the API: its `/`, if it has one, is no separator. */
export const linkPath = (code) => `/links/${encodeURIComponent(code)}`;
/** The page of a link. */
export const linkPage = (code) => page(`/links/${code.split('/').map(encodeURIComponent).join('/')}`);
/** The links with this tag. */
export const tagPage = (tag) => page('/links', { tag });

/** The form to sign in, and from there back to where one is. */
export const signInPage = () =>
  page('/sign-in', { to: (location.pathname + location.search).slice(BASE.length) });

/** What the service draws of a code, whatever host its short URL is of: `.qr.svg`. */
export const drawing = (code, suffix, query) => `${BASE}/${code}${suffix}${queryString(query)}`;

/** What short URLs begin with, without the scheme: here, and as links that were seen do. */
const beginnings = new Set([`${location.host}${BASE}/`]);
const schemeless = ({ host, pathname }) => host + pathname;

/** Heeds what the short URL of a link begins with. */
export function heed({ short_url: url, code }) {
  if (url.endsWith(code)) beginnings.add(schemeless(new URL(url.slice(0, -code.length))));
}

/** The code of a short URL, if it is one of this service. */
export function codeOf(text) {
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return null;
  const address = schemeless(new URL(text));
  const beginning = [...beginnings].find((one) => address.startsWith(one));
  const code = beginning && address.slice(beginning.length);
  return code && /^[\w/-]+$/.test(code) && !code.startsWith('-/') ? code : null;
}
