/**
 * The values of Flex components as CSS, each null where it is not of LINE's form: what a bot sends never reaches a style
 * unread. Forms: LINE's documentation, Flex Message layout. Measures of the keywords: those of LINE's Flex Message Simulator.
 */

const SPACES = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const BORDERS = { none: 0, light: 0.5, normal: 1, medium: 2, "semi-bold": 3, bold: 4 };
const FONTS = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, "3xl": 35, "4xl": 48, "5xl": 74 };
const IMAGES = { xxs: 40, xs: 60, sm: 80, md: 100, lg: 120, xl: 140, xxl: 160, "3xl": 180, "4xl": 200, "5xl": 220 };
const COLOUR = /^#(?:[0-9a-f]{6}|[0-9a-f]{8})$/i;
const PIXELS = /^(-?\d{1,6}(?:\.\d{1,4})?)px$/;
const PERCENT = /^(-?\d{1,6}(?:\.\d{1,4})?)%$/;
const MOST_PIXELS = 2000;
const MOST_PERCENT = 300;
const LARGEST_FONT = 300;

/** `#RRGGBB` or `#RRGGBBAA`. */
export function colour(value) {
  return typeof value === "string" && COLOUR.test(value) ? value : null;
}

/** A margin, padding, radius or offset: a keyword, pixels or per cent. Offsets alone may be `negative`. */
export function space(value, { negative = false } = {}) {
  return keyword(value, SPACES) ?? length(value, negative);
}

/** The width of a border. */
export function border(value) {
  return keyword(value, BORDERS) ?? pixels(value, MOST_PIXELS, false);
}

/** A width or height: pixels or per cent. */
export function extent(value) {
  return length(value, false);
}

/** The size of a font, or of an icon. */
export function font(value) {
  return keyword(value, FONTS) ?? pixels(value, LARGEST_FONT, false);
}

/** The width of an image. */
export function imageWidth(value) {
  return value === "full" ? "100%" : (keyword(value, IMAGES) ?? length(value, false));
}

/** `width:height` as a number; an image is at most three times as high as wide. */
export function ratio(value, otherwise = 1) {
  const match = typeof value === "string" ? /^(\d{1,6}(?:\.\d{1,4})?):(\d{1,6}(?:\.\d{1,4})?)$/.exec(value) : null;
  const [wide, high] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  return wide > 0 && high > 0 ? Math.max(wide / high, 1 / 3) : otherwise;
}

/** A whole number from 0 to `most`. */
export function whole(value, most) {
  return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : null;
}

/** One of `choices`, an object of what LINE writes and what CSS writes. */
export function choice(value, choices) {
  return typeof value === "string" && Object.hasOwn(choices, value) ? choices[value] : null;
}

/** A box's `background` as a CSS gradient. */
export function gradient(background) {
  const [start, end] = [colour(background?.startColor), colour(background?.endColor)];
  const angle = /^(\d{1,3}(?:\.\d{1,4})?)deg$/.exec(background?.angle ?? "");
  if (background?.type !== "linearGradient" || !start || !end || !angle) return null;
  const centre = colour(background.centerColor);
  const middle = centre ? `, ${centre} ${length(background.centerPosition ?? "50%", false) ?? "50%"}` : "";
  return `linear-gradient(${angle[0]}, ${start}${middle}, ${end})`;
}

/** Set those of the styles that have a value. */
export function paint(element, styles) {
  for (const [name, value] of Object.entries(styles)) if (value !== null && value !== undefined) element.style[name] = value;
  return element;
}

function length(value, negative) {
  return pixels(value, MOST_PIXELS, negative) ?? bounded(value, PERCENT, MOST_PERCENT, negative, "%");
}

function pixels(value, most, negative) {
  return bounded(value, PIXELS, most, negative, "px");
}

function bounded(value, pattern, most, negative, unit) {
  const match = typeof value === "string" ? pattern.exec(value) : null;
  if (!match || (!negative && match[1].startsWith("-"))) return null;
  return `${Math.max(-most, Math.min(most, Number(match[1])))}${unit}`;
}

function keyword(value, table) {
  const found = choice(value, table);
  return found === null ? null : `${found}px`;
}
