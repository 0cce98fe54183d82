// From stored values to levels of the screen: the grey scale pipeline of PS3.4 N.2, step by step as the server's renderer
// (openmodality.imaging.render) has it. A frame of up to 16 bits goes through one table, so that a new window costs no
// more than the making of that table.

const GREATEST_P_VALUE = 65535;
const TABLE_BITS = 16;

const clamp = (value, least, greatest) => (value < least ? least : value > greatest ? greatest : value);

// A frame as it came, with what the answer says of its samples: kind, bits that hold a value, signed or not.
export function readFrame(buffer, said) {
  const [kind, bits, sign] = said.split(" ");
  const makers = { u8: Uint8Array, u16: Uint16Array, f64: Float64Array, rgb: Uint8Array };
  const Values = makers[kind];
  if (!Values) throw new TypeError(`samples of kind ${kind}`);
  const stored = Number(bits);
  return { kind, values: new Values(buffer), bits: stored, mask: stored ? 2 ** stored - 1 : 0, signed: sign === "signed", bytes: buffer.byteLength };
}

// The number that a sample is, once bits that hold no value are taken away.
export function makeReader(frame) {
  const { values, mask } = frame;
  if (!frame.bits) return (place) => values[place];
  const limit = 2 ** (frame.bits - 1);
  if (!frame.signed) return (place) => values[place] & mask;
  return (place) => {
    const value = values[place] & mask;
    return value >= limit ? value - 2 * limit : value;
  };
}

const windows = {
  LINEAR: (center, width) => (width <= 1 ? (x) => (x <= center - 0.5 ? 0 : 1) : (x) => clamp((x - (center - 0.5)) / (width - 1) + 0.5, 0, 1)),
  LINEAR_EXACT: (center, width) => (width <= 0 ? (x) => (x <= center ? 0 : 1) : (x) => clamp((x - center) / width + 0.5, 0, 1)),
  SIGMOID: (center, width) => (width <= 0 ? (x) => (x <= center ? 0 : 1) : (x) => 1 / (1 + Math.exp(clamp((-4 * (x - center)) / width, -700, 700)))),
};

function makeTable(step) {
  const last = step.entries.length - 1;
  return (x) => step.entries[clamp(Math.round(x) - step.first, 0, last)];
}

// A step as a function of one number, and between which values its results lie.
function makeStep(step) {
  if ("slope" in step) return step.slope === 1 && step.intercept === 0 ? (x) => x : (x) => x * step.slope + step.intercept;
  if ("entries" in step) return makeTable(step);
  return (windows[step.function] || windows.LINEAR)(step.center, step.width);
}

function findOutput(step, limits) {
  if ("entries" in step) return [0, 2 ** step.bits - 1];
  if (!("slope" in step)) return [0, 1];
  const ends = limits.map((end) => end * step.slope + step.intercept);
  return [Math.min(...ends), Math.max(...ends)];
}

// The least and the greatest value of a frame that is a number.
export function findOccurring(frame) {
  if (frame.occurring) return frame.occurring;
  const read = makeReader(frame);
  let least = Infinity;
  let greatest = -Infinity;
  for (let place = 0; place < frame.values.length; place++) {
    const value = read(place);
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  frame.occurring = least <= greatest ? [least, greatest] : [0, 0];
  return frame.occurring;
}

// What a value means, such as Hounsfield units: the modality LUT.
export const makeMeaning = (facts) => makeStep(facts.modality);

// Whether black and white are turned: by the image or its state, and by who looks.
export const isInverse = (facts, look) => facts.inverse !== Boolean(look.invert);

// From a stored value to a share of the range of P-values, 0 to 1. `look` has what the operator chose instead.
export function makeShare(frame, facts, look) {
  const modality = makeStep(facts.modality);
  const voi = look.window || facts.voi;
  const seen = voi ? makeStep(voi) : (x) => x;
  const [low, high] = voi ? findOutput(voi, [0, 0]) : findOutput(facts.modality, findOccurring(frame));
  const inverse = isInverse(facts, look);
  const table = facts.presentation;
  const last = table ? table.entries.length - 1 : 0;
  const shown = table ? makeTable(table) : null;
  const top = table ? 2 ** table.bits - 1 : 1;
  return (stored) => {
    const value = seen(modality(stored));
    let share = high > low ? clamp((value - low) / (high - low), 0, 1) : value < low ? 0 : 1;
    if (shown) share = shown(table.first + share * last) / top;
    return clamp(inverse ? 1 - share : share, 0, 1);
  };
}

// A P-value as a level of the screen: as it is, or by the table of the display.
export function makeLevel(display) {
  if (!display) return (share) => Math.round(share * 255);
  const last = display.length - 1;
  return (share) => display[Math.round(share * last)];
}

let lastLevels = { key: "", levels: null };

// What a table of levels depends on; empty where that is too long to be compared.
function makeKey(frame, facts, look, display) {
  const steps = [facts.modality, look.window || facts.voi || findOccurring(frame), facts.presentation];
  if (steps.some((step) => step && "entries" in step)) return "";
  return JSON.stringify([frame.bits, frame.signed, isInverse(facts, look), Boolean(display), ...steps]);
}

// The level for each bit pattern that a sample can be. The last table is kept: frames of a series often share one.
export function makeLevels(frame, facts, look, display) {
  const key = makeKey(frame, facts, look, display);
  if (key && key === lastLevels.key) return lastLevels.levels;
  const levels = computeLevels(frame, facts, look, display);
  lastLevels = { key, levels };
  return levels;
}

function computeLevels(frame, facts, look, display) {
  const share = makeShare(frame, facts, look);
  const level = makeLevel(display);
  const size = 2 ** frame.bits;
  const levels = new Uint8Array(2 ** Math.max(frame.bits, 8));
  const limit = size / 2;
  for (let bits = 0; bits < size; bits++) levels[bits] = level(share(frame.signed && bits >= limit ? bits - size : bits));
  return levels;
}

export const fitsTable = (frame) => frame.kind !== "rgb" && frame.bits > 0 && frame.bits <= TABLE_BITS;

// 1 where a shutter leaves a pixel open, else 0; null where there is no shutter.
export function makeMask(facts) {
  if (!facts.shutter) return null;
  const mask = new Uint8Array(facts.rows * facts.columns);
  let row = 0;
  for (const [count, ...edges] of facts.shutter) {
    for (let last = row + count; row < last; row++) {
      for (let at = 0; at < edges.length; at += 2) mask.fill(1, row * facts.columns + edges[at], row * facts.columns + edges[at + 1]);
    }
  }
  return mask;
}

export function findCover(facts, display) {
  const share = facts.shutter_value / GREATEST_P_VALUE;
  return makeLevel(display)(share);
}

// A supplemental palette: the values from its first on have colours, all others are grey (PS3.3 C.7.6.19).
function findColour({ first, colours }, value) {
  const at = 3 * clamp(Math.trunc(value) - first, 0, colours.length / 3 - 1);
  return colours.slice(at, at + 3);
}

function paintLevels(levels, frame, palette) {
  const size = 2 ** frame.bits;
  for (let bits = 0; bits < size; bits++) {
    const value = frame.signed && bits >= size / 2 ? bits - size : bits;
    if (value < palette.first) continue;
    const [red, green, blue] = findColour(palette, value);
    levels[bits] = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
  }
}

let lastWords = { levels: null, palette: null, bits: 0, signed: false, words: null };

// A word of RGBA for each bit pattern. The last are kept, as the levels are: cine needs no others for most frames.
function makeWords(frame, facts, look, display) {
  const levels = makeLevels(frame, facts, look, display);
  const palette = facts.palette || null;
  const isKept = lastWords.levels === levels && lastWords.palette === palette && lastWords.bits === frame.bits && lastWords.signed === frame.signed;
  if (isKept) return lastWords.words;
  const words = new Uint32Array(levels.length);
  for (let bits = 0; bits < words.length; bits++) words[bits] = (0xff000000 | (levels[bits] * 0x10101)) >>> 0;
  if (palette) paintLevels(words, frame, palette);
  lastWords = { levels, palette, bits: frame.bits, signed: frame.signed, words };
  return words;
}

// The picture as RGBA, made without the help of a graphics processor, into as many words as the image has pixels.
export function makePicture(frame, facts, look, display, picture) {
  const size = facts.rows * facts.columns;
  const put = (place, red, green, blue) => (picture[place] = 0xff000000 | (blue << 16) | (green << 8) | red);
  if (frame.kind === "rgb") {
    for (let place = 0; place < size; place++) put(place, frame.values[3 * place], frame.values[3 * place + 1], frame.values[3 * place + 2]);
  } else if (fitsTable(frame)) {
    const words = makeWords(frame, facts, look, display);
    const { values, mask: bits } = frame;
    for (let place = 0; place < size; place++) picture[place] = words[values[place] & bits];
  } else {
    const share = makeShare(frame, facts, look);
    const level = makeLevel(display);
    for (let place = 0; place < size; place++) {
      const value = frame.values[place];
      const seen = level(share(Number.isNaN(value) ? -Infinity : value));
      const colour = facts.palette && value >= facts.palette.first ? findColour(facts.palette, value) : [seen, seen, seen];
      put(place, ...colour);
    }
  }
  const mask = makeMask(facts);
  if (mask) {
    const cover = frame.kind === "rgb" ? Math.round((facts.shutter_value * 255) / GREATEST_P_VALUE) : findCover(facts, display);
    for (let place = 0; place < size; place++) if (!mask[place]) put(place, cover, cover, cover);
  }
}
