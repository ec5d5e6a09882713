// The QR code of a link, to look at and to download.

import { openDialog } from './dialog.js';
import { h } from './dom.js';

/** Where the service draws it: here, if the short URL is of this host, else there. */
function address(link, format, size) {
  const url = new URL(link.short_url);
  const base = url.host === location.host ? url.pathname : `${link.short_url}`;
  return `${base}.qr.${format}?size=${size}`;
}

/** Shows it, with downloads. */
export function openQr(link) {
  const name = link.code.replaceAll('/', '-');
  const download = (format, size, text) =>
    h('a', { class: 'button', href: address(link, format, size), download: `${name}.${format}` }, text);
  const image = h('img', { class: 'qr', alt: `QR code of ${link.short_url}`, width: 256, height: 256 });
  // Another host's picture is not let in by this page's policy: there are the downloads.
  image.addEventListener('error', () => image.remove());
  if (new URL(link.short_url).host === location.host) image.src = address(link, 'svg', 512);
  else image.remove();
  const sizes = h(
    'div',
    { class: 'buttons start' },
    download('svg', 512, 'SVG'),
    download('png', 512, 'PNG, 512 px'),
    download('png', 2048, 'PNG, 2048 px'),
  );
  openDialog('QR code', image, h('p', { class: 'mono' }, link.short_url), sizes);
}
