// The API: requests, problem details, and what becomes of a page whose service is away.

import { endpoint, signInPage } from './ways.js';

/** How often a service that is away is asked whether it is back, in milliseconds. */
const RETRY = 1_500;

/** A refusal, as the service words it (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The service answered ${status}.`);
    this.status = status;
    this.title = body.title ?? 'Something went wrong';
    this.detail =
      body.detail ?? `The service answered ${status}. Try again; if it stays so, its log says why.`;
    this.field = body.field;
    this.link = body.link;
  }

  /** Whether the same may well be answered in a moment. */
  get passing() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** Whether the banner says it. */
  get told() {
    return this.passing || this.status === 401;
  }
}

const UNREACHABLE = {
  title: 'No connection to the service',
  detail: 'Check your network. The page goes on by itself as soon as the service answers.',
};

const ENDED = {
  title: 'Your session has ended',
  detail: 'Sign in again in another tab; what you entered here stays, and can be sent again then.',
};

/**
 * Tells `lost`, with the problem, and `found`; and `ended` when the session has, which whoever would not have the
 * page left prevents.
 */
export const connection = new EventTarget();
let lost = false;
let ended = false;

/** By how many milliseconds the service's clock is ahead of the browser's. */
let ahead = 0;
/** The `Date` of an answer is in seconds, and was true a moment ago. */
const INEXACT = 2_000;

/** The service's clock, more or less. */
export const now = () => Date.now() + ahead;
/** A moment ago, which the service's clock has passed for certain. */
export const justNow = () => now() - INEXACT;

/** Takes what the service's clock showed when the browser's showed `at`. */
function heedClock(told, at = Date.now()) {
  const found = Date.parse(told ?? '') - at;
  if (Math.abs(found - ahead) > INEXACT) ahead = found;
}
const [{ responseStart }] = performance.getEntriesByType('navigation');
heedClock(document.body.dataset.now, performance.timeOrigin + responseStart);

function lose(problem) {
  if (lost) return;
  lost = true;
  connection.dispatchEvent(new CustomEvent('lost', { detail: problem }));
  setTimeout(lookAgain, RETRY);
}

async function lookAgain() {
  if (!lost && !ended) return;
  try {
    const response = await fetch(endpoint('/keys/current'), { cache: 'no-store' });
    if (response.status === 401) {
      lost = false;
      end();
      return;
    }
    if (response.ok) {
      find();
      return;
    }
  } catch {
    // Still away.
  }
  setTimeout(lookAgain, RETRY);
}

function find() {
  [lost, ended] = [false, false];
  connection.dispatchEvent(new Event('found'));
}

/** To the form, and back here from there; gives whether the page is left for it. */
function end() {
  ended = true;
  const leaves = connection.dispatchEvent(new Event('ended', { cancelable: true }));
  if (leaves) location.assign(signInPage());
  return leaves;
}

// Who comes back from signing in elsewhere goes on here.
window.addEventListener('focus', () => ended && lookAgain());

/** Status and answer of the API; throws a `Problem`, or an `AbortError` if the signal says so. */
export async function exchange(method, path, { query, body, signal } = {}) {
  const response = await send(method, endpoint(path, query), body, signal);
  const answer = response.status === 204 ? null : await read(response);
  if (response.ok) {
    if (ended) find();
    return { status: response.status, answer };
  }
  if (response.status === 401) {
    // When the page is about to be left, nothing shall be shown of it any more.
    if (end()) return new Promise(() => {});
    throw new Problem(401, ENDED);
  }
  const problem = new Problem(response.status, answer);
  if (problem.passing) lose(problem);
  throw problem;
}

async function send(method, address, body, signal) {
  const init = { method, signal, headers: { Accept: 'application/json' } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers['Content-Type'] = 'application/json';
  }
  try {
    const response = await fetch(address, init);
    heedClock(response.headers.get('Date'));
    return response;
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    const problem = new Problem(0, UNREACHABLE);
    lose(problem);
    throw problem;
  }
}

/** The body; a proxy in between may have answered with something that is no JSON. */
async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    if (response.ok)
      throw new Problem(response.status, {
        title: 'The answer can’t be read',
        detail: 'It was cut off, or something between you and the service changed it. Reload the page.',
      });
    return {};
  }
}

/** What the API answers. */
export const request = async (method, path, options) => (await exchange(method, path, options)).answer;

/** Reads. */
export const get = (path, query, signal) => request('GET', path, { query, signal });

/**
 * A part of the client that is fetched when it is first wanted: `load` imports it. Throws a `Problem` of the service if
 * that is away, else one of its own.
 */
export async function part(load) {
  try {
    return await load();
  } catch (error) {
    await get('/keys/current');
    const title = 'A part of the page could not be loaded';
    throw Object.assign(error, { title, detail: `Reload the page. What went wrong: ${error.message}` });
  }
}

/** The links of an article, `items`, those that were deleted too, and whether there are `more`. */
export async function linksOf(target, limit, signal) {
  const pages = await Promise.all(
    ['', 'deleted'].map((state) => get('/links', { target, state, limit }, signal)),
  );
  return { items: pages.flatMap((page) => page.items), more: pages.some((page) => page.next_cursor) };
}
