// The QR code of a link, to look at and to download.

import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { drawing } from './ways.js';

/** Shows it, with downloads. */
export function openQr(link) {
  const name = link.code.replaceAll('/', '-');
  const address = (format, size) => drawing(link.code, `.qr.${format}`, { size });
  const download = (format, size, text) =>
    h('a', { class: 'button', href: address(format, size), download: `${name}.${format}` }, text);
  const image = h('img', {
    class: 'qr',
    alt: `QR code of ${link.short_url}`,
    width: 256,
    height: 256,
    src: address('svg', 512),
  });
  const sizes = h(
    'div',
    { class: 'buttons start' },
    download('svg', 512, 'SVG'),
    download('png', 512, 'PNG, 512 px'),
    download('png', 2048, 'PNG, 2048 px'),
  );
  // A link may be known on its own host alone.
  image.addEventListener('error', () => {
    const there = `${link.short_url}.qr`;
    image.replaceWith(
      h(
        'p',
        { class: 'error' },
        'It can’t be had from this host. It should be found at ',
        h('a', { href: there, target: '_blank', rel: 'noopener' }, there),
        '.',
      ),
    );
    sizes.remove();
  });
  openDialog('QR code', image, h('p', { class: 'mono' }, link.short_url), sizes);
}
