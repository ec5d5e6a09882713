// The four figures: clicks, people, bots, visitors; each with what it was before.

import { h } from './dom.js';
import { change, number } from './format.js';

const NAMES = { clicks: 'Clicks', people: 'People', bots: 'Bots', visitors: 'Visitors' };
const WORDS = {
  clicks: 'Redirects that were answered: those of people and of bots.',
  people: 'Clicks of people.',
  bots: 'Clicks of bots, link previews and browsers that fetched ahead.',
  visitors: 'Different people within a UTC day, to about one percent, added up over the days.',
};

/** The cards; `befores` names what they are compared with, in order: "yesterday"; `names` are other names. */
export function figureCards(befores, names = {}) {
  const cards = Object.entries({ ...NAMES, ...names }).map(([name, text]) => {
    const value = h('dd', { class: 'value' }, '\u00a0');
    const lines = befores.map(() => h('dd', { class: 'before' }, '\u00a0'));
    return {
      name,
      value,
      lines,
      node: h('div', { class: 'card', title: WORDS[name] }, h('dt', {}, text), value, lines),
    };
  });
  const node = h(
    'dl',
    { class: 'cards', 'aria-busy': 'true' },
    cards.map((card) => card.node),
  );
  return {
    node,
    /**
     * Shows a total, and the totals that are compared with `compared`, which is as much of it as they are; null where
     * there is none.
     */
    update(total, earlier = [], compared = total) {
      node.setAttribute('aria-busy', 'false');
      for (const { name, value, lines } of cards) {
        const text = number(total[name]);
        if (value.textContent !== text) {
          const first = value.textContent === '\u00a0';
          value.textContent = text;
          if (!first) flash(value);
        }
        lines.forEach((line, index) => {
          const before = earlier[index];
          line.replaceChildren();
          const changed = before && change(compared[name], before[name]);
          if (changed)
            line.append(
              h('strong', {}, changed),
              ` on ${befores[index]}`,
              h('span', { class: 'was' }, ` (${number(before[name])})`),
            );
          else line.append(before ? `0 ${befores[index]}` : '\u00a0');
        });
      }
    },
  };
}

/** Draws the eye to what has changed; style.css leaves it away for those who want no motion. */
function flash(element) {
  element.classList.remove('changed');
  // Reading a size makes the browser notice that the class was gone.
  void element.offsetWidth;
  element.classList.add('changed');
}
