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
}

const UNREACHABLE = {
  title: 'No connection to the service',
  detail: 'Check your network. The page goes on by itself as soon as the service answers.',
};

/** Tells `lost`, with the problem, and `found`. */
export const connection = new EventTarget();
let lost = false;

function lose(problem) {
  if (lost) return;
  lost = true;
  connection.dispatchEvent(new CustomEvent('lost', { detail: problem }));
  setTimeout(lookAgain, RETRY);
}

async function lookAgain() {
  try {
    const response = await fetch(endpoint('/keys/current'), { cache: 'no-store' });
    if (response.status === 401) return signIn();
    if (response.ok) {
      lost = false;
      connection.dispatchEvent(new Event('found'));
      return;
    }
  } catch {
    // Still away.
  }
  setTimeout(lookAgain, RETRY);
}

/** To the form, and back here from there. */
const signIn = () => location.assign(signInPage());

/** Status and answer of the API; throws a `Problem`, or an `AbortError` if the signal says so. */
export async function exchange(method, path, { query, body, signal } = {}) {
  const response = await send(method, endpoint(path, query), body, signal);
  const answer = response.status === 204 ? null : await read(response);
  if (response.ok) return { status: response.status, answer };
  const problem = new Problem(response.status, answer);
  if (response.status === 401) {
    signIn();
    // The page is about to be left: nothing shall be shown of it any more.
    return new Promise(() => {});
  }
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
    return await fetch(address, init);
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
