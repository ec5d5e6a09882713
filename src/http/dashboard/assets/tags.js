// A field for tags: each a chip that can be removed. A tag may hold commas and spaces, so Enter ends one.

import { ICONS, h, icon } from './dom.js';

/** Gives the field's `node` and what it holds, `value`. `input` has the label. */
export function tagsField(initial = []) {
  const tags = [...initial];
  const list = h('ul', { class: 'chips' });
  const input = h('input', { type: 'text', maxlength: '64', dir: 'auto', autocomplete: 'off' });
  const draw = () => {
    list.replaceChildren(
      ...tags.map((tag) => {
        const drop = () => {
          tags.splice(tags.indexOf(tag), 1);
          draw();
          input.focus();
        };
        return h(
          'li',
          { class: 'tag' },
          h('span', { dir: 'auto' }, tag),
          h(
            'button',
            { type: 'button', class: 'plain', 'aria-label': `Remove ${tag}`, onclick: drop },
            icon(ICONS.close),
          ),
        );
      }),
    );
  };
  const take = () => {
    const tag = input.value.trim();
    input.value = '';
    if (tag && !tags.includes(tag)) tags.push(tag);
    draw();
  };
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && input.value.trim()) {
      event.preventDefault();
      take();
    } else if (event.key === 'Backspace' && !input.value && tags.length > 0) {
      tags.pop();
      draw();
    }
  });
  input.addEventListener('blur', take);
  draw();
  return {
    input,
    list,
    clear() {
      tags.length = 0;
      input.value = '';
      draw();
    },
    get value() {
      take();
      return [...tags];
    },
  };
}
