// Copying, also where the browser denies its clipboard.

import { h } from './dom.js';
import { say } from './notice.js';

/** Copies; gives whether it worked. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

/**
 * Copies what is yet to come; gives whether it worked. Safari lets a page copy within a press only: what is asked for
 * then may arrive later.
 */
export async function copySoon(coming) {
  try {
    const blob = coming.then((text) => new Blob([text], { type: 'text/plain' }));
    // Whoever waits for it is told below.
    blob.catch(() => {});
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
    return true;
  } catch {
    return coming.then(copy, () => false);
  }
}

/** Browsers keep their clipboard from pages without TLS, but not what is selected. */
function copySelection(text) {
  const focused = document.activeElement;
  const area = h('textarea', {
    class: 'out-of-sight',
    readonly: true,
    'aria-hidden': 'true',
    tabindex: '-1',
  });
  area.value = text;
  // Within an open dialog everything outside of it is inert.
  (focused?.closest('dialog') ?? document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  focused?.focus();
  return done;
}

/** Copies and says so; where it can't, says how it is done by hand. */
export async function copyAndSay(text) {
  const done = await copy(text);
  say(done ? `Copied ${text}` : `The browser does not let the page copy. Select ${text} and press Ctrl+C.`);
  return done;
}
