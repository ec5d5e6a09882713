// The start: the frame around the views, and the way from an address to its view.

import { buildFrame } from './frame.js';
import { followAddress, start } from './router.js';

start(buildFrame);
followAddress();
