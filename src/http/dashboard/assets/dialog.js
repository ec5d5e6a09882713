// Dialogs: one at a time, closed by Escape, the focus back where it was.

import { ICONS, h, icon } from './dom.js';
import { clearRefusals, releaseWords, showRefusal } from './notice.js';

/** Opens a dialog with this heading; gives it. It is gone when it is closed. */
export function openDialog(heading, ...content) {
  const title = h('h2', { id: 'dialog-title', dir: 'auto' }, heading);
  const close = h(
    'button',
    { type: 'button', class: 'plain', 'aria-label': 'Close', onclick: () => dialog.close() },
    icon(ICONS.close),
  );
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('header', {}, title, close),
    ...content,
  );
  dialog.addEventListener('close', () => {
    releaseWords();
    dialog.remove();
  });
  // A press that began within and ended outside, as when text is selected, closes nothing.
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
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
  const dialog = openDialog(heading, form);
  return dialog;
}
