// What comes in at this moment: one stream a page, closed while nobody looks.

import { connection, get } from './api.js';
import { endpoint } from './ways.js';

/** How long until a stream that was refused is asked for again, in milliseconds. */
const RETRY = 5_000;

const listeners = new Set();
let source = null;
let last = '';
let state = 'closed';
let retry = 0;
/** Whether there was a stream before, so that something may have come in without one. */
let missed = false;

function tell(kind, data) {
  for (const listener of listeners) listener[kind]?.(data);
}

function become(next) {
  if (state === next) return;
  state = next;
  tell('state', state);
}

function open() {
  clearTimeout(retry);
  if (source || document.hidden || listeners.size === 0) return;
  become('connecting');
  source = new EventSource(endpoint('/stats/live', { after: last }));
  source.addEventListener('open', () => {
    become('open');
    // Whatever was missed while there was no stream is in the figures themselves.
    if (missed) tell('gap');
    missed = true;
  });
  source.addEventListener('clicks', (event) => {
    last = event.lastEventId;
    tell('clicks', JSON.parse(event.data));
  });
  source.addEventListener('gap', (event) => {
    last = event.lastEventId;
    tell('gap');
  });
  source.addEventListener('error', async () => {
    become('connecting');
    if (source?.readyState !== EventSource.CLOSED) return;
    // The service refused: all places are taken, the store is away, or the session is over. A request
    // of ours finds out, and leads to the form if need be.
    close();
    retry = setTimeout(open, RETRY);
    await get('/keys/current').catch(() => {});
  });
}

function close() {
  source?.close();
  source = null;
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    // Browsers grant a host few connections for all of its tabs.
    close();
    become('closed');
  } else {
    open();
  }
});
connection.addEventListener('found', open);

/** Listens until the signal: `clicks(event)`, `gap()` when something may have been missed, `state(name)`. */
export function listen(listener, signal) {
  listeners.add(listener);
  listener.state?.(state);
  signal.addEventListener('abort', () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      close();
      // Who listens next has figures that hold what came in until then.
      [state, missed, last] = ['closed', false, ''];
    }
  });
  open();
}

/**
 * Calls `work` at once, and again for what was asked meanwhile: at most once in `rest` milliseconds, and
 * less often when it takes long.
 */
export function paced(work, rest, signal) {
  let [busy, again] = [false, false];
  const run = async () => {
    if (signal.aborted) return;
    if (busy) {
      again = true;
      return;
    }
    [busy, again] = [true, false];
    const begun = performance.now();
    try {
      await work();
    } finally {
      const took = performance.now() - begun;
      setTimeout(
        () => {
          busy = false;
          if (again) run();
        },
        Math.max(rest - took, 8 * took),
      );
    }
  };
  return run;
}
