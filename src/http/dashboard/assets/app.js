// The start: who is signed in, the frame around the views, and the way from an address to its view.

import { connection } from './api.js';
import { buildFrame } from './frame.js';
import { attempt, notices } from './notice.js';
import { followAddress, preload, start } from './router.js';
import { session } from './session.js';

const place = document.createElement('div');
document.body.append(...notices, place);

async function begin() {
  preload();
  const loaded = await attempt(place, async () => {
    await session.load();
    return true;
  });
  if (!loaded) {
    connection.addEventListener('found', begin, { once: true });
    return;
  }
  place.remove();
  start(buildFrame());
  followAddress();
}

begin();
