// Who is signed in, and what their key may do. The service decides; this only spares them buttons in vain.

import { get } from './api.js';

/** The page came with what `/keys/current` said at that moment. */
const { key, session_expires_at: expiresAt, version } = JSON.parse(document.body.dataset.session);

export const session = {
  key,
  expiresAt,
  version,

  holds(...scopes) {
    return scopes.some((scope) => this.key.scopes.includes(scope));
  },
  get isAdmin() {
    return this.holds('admin');
  },
  get mayMint() {
    return this.holds('mint', 'admin');
  },
  /** The site's figures, every link, what comes in. */
  get mayReadAll() {
    return this.holds('read', 'admin');
  },
  /** The keys that they may know: all for an administrator, for others their own. */
  async knownKeys() {
    if (!this.isAdmin) return [this.key];
    return get('/keys').then(
      ({ items }) => items,
      () => [this.key],
    );
  },
  mayChange(link) {
    return link.state !== 'deleted' && (this.isAdmin || (this.holds('mint') && link.owner === this.key.id));
  },
};
