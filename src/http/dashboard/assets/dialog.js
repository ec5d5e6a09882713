// Dialogs: one at a time, closed by Escape, the focus back where it was.

import { ICONS, freshId, h, icon } from './dom.js';
import { clearRefusals, releaseNotices, showRefusal } from './notice.js';

/** Opens a dialog with this heading, which a press outside of it closes too; gives it. It is gone when it is closed. */
export const openDialog = (heading, ...content) => open('any', heading, content);

/** Opens one that holds what was entered: it is closed on purpose only. */
export const openEntry = (heading, ...content) => open('closerequest', heading, content);

/** Opens one that only its own buttons close. */
export function openLasting(heading, ...content) {
  const dialog = open('none', heading, content);
  // For browsers that don't know `closedby`.
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  dialog.addEventListener('keydown', (event) => event.key === 'Escape' && event.preventDefault());
  return dialog;
}

/** Closes what belongs to a view that is left; what only its own buttons close stays. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog[open]:not([closedby="none"])')) dialog.close();
}

function open(closedby, heading, content) {
  const title = h('h2', { id: freshId('dialog'), dir: 'auto' }, heading);
  const close =
    closedby !== 'none' &&
    h(
      'button',
      { type: 'button', class: 'plain', 'aria-label': 'Close', onclick: () => dialog.close() },
      icon(ICONS.close),
    );
  const dialog = h(
    'dialog',
    { closedby, 'aria-labelledby': title.id },
    h('header', {}, title, close),
    ...content,
  );
  const opener = document.activeElement;
  dialog.addEventListener('close', () => {
    releaseNotices();
    dialog.remove();
    if (!opener.isConnected) successor(opener)?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** What stands where an element stood, which says so itself (`data-again`), before what it is about was drawn anew. */
function successor({ dataset: { again } }) {
  return (again && document.querySelector(again)) || document.querySelector('h1');
}

/**
 * A dialog with a form. `submit` does the work, and the dialog closes when it is done; what is refused is
 * shown at its field.
 */
export function openForm({ heading, content, action, danger, submit }) {
  const place = h('div');
  const button = h('button', { class: danger ? 'danger' : 'primary' }, action);
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h(
    'form',
    { novalidate: true },
    content,
    place,
    h('div', { class: 'buttons' }, cancel, button),
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    try {
      await submit(form);
      clearRefusals(form);
      dialog.close();
    } catch (error) {
      showRefusal(form, place, error);
    } finally {
      button.disabled = false;
    }
  });
  const dialog = openEntry(heading, form);
  return dialog;
}
