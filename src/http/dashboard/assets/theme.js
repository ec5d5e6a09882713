// Before the first paint: the reader's choice of light or dark, and shades of the brand's colour that can be read on both.
(() => {
  const GROUNDS = { light: [0xf6, 0xf5, 0xf2], dark: [0x22, 0x23, 0x27] };
  /** How much of the colour lies behind what is chosen: `--soft` in style.css. */
  const SOFT = 0.14;
  const READABLE = 4.6;

  const channel = (value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const read = (hex) => {
    const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(hex);
    const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
    const parts = short ? short.slice(1).map((digit) => digit + digit) : long?.slice(1);
    return parts?.map((part) => Number.parseInt(part, 16));
  };

  /** So much of the one colour over the other. */
  const mix = (over, under, share) => under.map((value, at) => value + (over[at] - value) * share);

  /** The colour, mixed with `ink` until it can be read on `ground`, also where there is some of it behind. */
  const readable = (colour, ground, ink) => {
    let mixed = colour;
    for (let share = 0; share <= 1 && contrast(mixed, mix(mixed, ground, SOFT)) < READABLE; share += 0.02) {
      mixed = mix([ink, ink, ink], colour, share).map(Math.round);
    }
    return `rgb(${mixed.join(' ')})`;
  };

  const root = document.documentElement;
  const colour = read(document.currentScript?.dataset.accent ?? '');
  if (colour) {
    root.style.setProperty('--accent-light', readable(colour, GROUNDS.light, 0));
    root.style.setProperty('--accent-dark', readable(colour, GROUNDS.dark, 255));
  }
  try {
    const chosen = localStorage.getItem('slugline.theme');
    if (chosen) root.dataset.theme = chosen;
  } catch {
    // Without storage the system's own choice holds.
  }
})();
