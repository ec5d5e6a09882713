// What may be said of a link that is minted, beside its address.

import { field, freshId, h } from './dom.js';
import { expiryField, sentMoment } from './edit.js';
import { tagsField } from './tags.js';

/** Their `nodes`, and what they hold, as the API takes it: `value`. */
export function moreFields(wantedCode) {
  const code = h('input', {
    type: 'text',
    maxlength: '64',
    autocomplete: 'off',
    spellcheck: 'false',
    value: wantedCode,
  });
  const title = h('input', { type: 'text', maxlength: '500', dir: 'auto' });
  const tags = tagsField();
  const { input: expires, node: expiry } = expiryField();
  const id = freshId('keep');
  const keep = h('input', { type: 'checkbox', id });
  const nodes = [
    h(
      'div',
      { class: 'grid' },
      field('code', 'Code of your choice', code, 'Empty: one is drawn.'),
      field('title', 'Title', title),
      h('div', {}, field('tags', 'Tags', tags.input, 'Enter adds one.'), tags.list),
      expiry,
    ),
    h(
      'label',
      { class: 'check', for: id },
      keep,
      ' Keep its tracking parameters: a link and figures of its own',
    ),
  ];
  return {
    nodes,
    clear: () => tags.clear(),
    get value() {
      const given = {};
      if (code.value.trim()) given.code = code.value.trim();
      if (title.value.trim()) given.title = title.value.trim();
      if (tags.value.length > 0) given.tags = tags.value;
      if (expires.value) given.expires_at = sentMoment(expires.value);
      if (keep.checked) given.keep_tracking = true;
      return given;
    },
  };
}
