// Marks on an image: what they measure, and how they are drawn. Points are columns and rows of the image.

import { makeMeaning, makeReader } from "./pixels.js";

const SVG = "http://www.w3.org/2000/svg";
const SHORT = { PixelSpacing: "in the patient", ImagerPixelSpacing: "at the detector, larger than in the patient" };
const STEPS = 72;

const round = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : "none");

function toLength(facts, from, to) {
  const [down, across] = facts.spacing || [facts.aspect, 1];
  return [(to[0] - from[0]) * across, (to[1] - from[1]) * down];
}

const unitOf = (facts) => (facts.spacing ? "mm" : "px");

// Which spacing lengths are measured by.
export function describeSpacing(facts) {
  if (!facts.spacing) return "No pixel spacing: lengths are in pixels";
  return `Lengths are ${SHORT[facts.spacing_name] || facts.spacing_name}`;
}

export function measureDistance(facts, [from, to]) {
  const [across, down] = toLength(facts, from, to);
  return { value: Math.hypot(across, down), unit: unitOf(facts) };
}

export function measureAngle(facts, [first, corner, last]) {
  const [one, other] = [toLength(facts, corner, first), toLength(facts, corner, last)];
  const cross = one[0] * other[1] - one[1] * other[0];
  const dot = one[0] * other[0] + one[1] * other[1];
  return { value: Math.abs((Math.atan2(cross, dot) * 180) / Math.PI), unit: "\u00b0" };
}

// The values of the pixels whose middle is within an ellipse: two opposite corners of the box around it.
export function measureEllipse(facts, frame, [[x1, y1], [x2, y2]]) {
  const [middle, radii] = [[(x1 + x2) / 2, (y1 + y2) / 2], [Math.abs(x2 - x1) / 2, Math.abs(y2 - y1) / 2]];
  const [down, across] = facts.spacing || [1, 1];
  const area = Math.PI * radii[0] * radii[1] * across * down;
  const measured = { count: 0, mean: NaN, deviation: NaN, least: Infinity, greatest: -Infinity, area, unit: facts.spacing ? "mm\u00b2" : "px" };
  if (frame.kind === "rgb" || !radii[0] || !radii[1]) return measured;
  const [read, mean] = [makeReader(frame), makeMeaning(facts)];
  let [sum, squares] = [0, 0];
  const rows = [Math.max(0, Math.floor(middle[1] - radii[1])), Math.min(facts.rows - 1, Math.ceil(middle[1] + radii[1]))];
  const columns = [Math.max(0, Math.floor(middle[0] - radii[0])), Math.min(facts.columns - 1, Math.ceil(middle[0] + radii[0]))];
  for (let row = rows[0]; row <= rows[1]; row++) {
    for (let column = columns[0]; column <= columns[1]; column++) {
      const [right, low] = [(column + 0.5 - middle[0]) / radii[0], (row + 0.5 - middle[1]) / radii[1]];
      if (right * right + low * low > 1) continue;
      const value = mean(read(row * facts.columns + column));
      if (!Number.isFinite(value)) continue;
      measured.count++;
      sum += value;
      squares += value * value;
      if (value < measured.least) measured.least = value;
      if (value > measured.greatest) measured.greatest = value;
    }
  }
  if (measured.count) {
    measured.mean = sum / measured.count;
    measured.deviation = Math.sqrt(Math.max(squares / measured.count - measured.mean ** 2, 0));
  }
  return measured;
}

// What a measurement says, in one line.
export function describeMark(mark, facts, frame) {
  if (mark.kind === "distance") {
    const { value, unit } = measureDistance(facts, mark.points);
    return `${round(value)} ${unit}`;
  }
  if (mark.kind === "angle") return `${round(measureAngle(facts, mark.points).value)}\u00b0`;
  const { count, mean, deviation, least, greatest, area, unit } = measureEllipse(facts, frame, mark.points);
  const units = facts.units ? ` ${facts.units}` : "";
  if (!count) return `${round(area)} ${unit}`;
  return `mean ${round(mean)}${units}, SD ${round(deviation)}, ${round(least, 0)} to ${round(greatest, 0)}, ${round(area)} ${unit}`;
}

// A mark as the graphics and texts of a presentation state.
export function toGraphics(mark) {
  if (mark.kind !== "ellipse") return [{ type: "POLYLINE", points: mark.points, filled: false }, makeWords(mark)];
  const [[x1, y1], [x2, y2]] = mark.points;
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const axes = [[[x1, y], [x2, y]], [[x, y1], [x, y2]]];
  if (Math.abs(y2 - y1) > Math.abs(x2 - x1)) axes.reverse();
  return [{ type: "ELLIPSE", points: axes.flat(), filled: false }, makeWords(mark)];
}

const makeWords = (mark) => ({ type: "TEXT", points: [findWordsPlace(mark)], words: mark.text });

function findWordsPlace({ points }) {
  return points.reduce((best, point) => (point[0] > best[0] ? point : best));
}

// The place in the image of a part of what a presentation state displays, which is counted after its turns.
function findInImage([u, v], facts) {
  const x = facts.flip ? 1 - u : u;
  const [across, down] = { 0: [x, v], 90: [v, 1 - x], 180: [1 - x, 1 - v], 270: [1 - v, x] }[facts.rotation];
  const [left, top, right, bottom] = facts.area || [1, 1, facts.columns, facts.rows];
  return [left - 1 + across * (right - left + 1), top - 1 + down * (bottom - top + 1)];
}

function makeElement(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function outline(type, points) {
  if (type === "CIRCLE") {
    const [[x, y], [u, v]] = points;
    return round73((cos, sin) => [x + cos * (u - x) - sin * (v - y), y + cos * (v - y) + sin * (u - x)]);
  }
  if (type === "ELLIPSE") {
    const [a, b, c, d] = points;
    const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const [first, second] = [[(b[0] - a[0]) / 2, (b[1] - a[1]) / 2], [(d[0] - c[0]) / 2, (d[1] - c[1]) / 2]];
    return round73((cos, sin) => [x + cos * first[0] + sin * second[0], y + cos * first[1] + sin * second[1]]);
  }
  return points;
}

function round73(at) {
  return Array.from({ length: STEPS + 1 }, (_, step) => at(Math.cos((2 * Math.PI * step) / STEPS), Math.sin((2 * Math.PI * step) / STEPS)));
}

// Draws all marks anew. `place` goes from places of the image to the screen.
export function drawMarks(svg, place, facts, marks, draft, [width, height]) {
  const put = (point, units) => {
    const at = place.transformPoint(new DOMPoint(...(units === "DISPLAY" ? findInImage(point, facts) : point)));
    return [at.x, at.y];
  };
  const shapes = [];
  const line = (points, kind) => {
    const text = points.map((each) => each.map((value) => value.toFixed(1)).join(",")).join(" ");
    shapes.push(makeElement("polyline", { points: text, class: `rim ${kind}` }), makeElement("polyline", { points: text, class: `line ${kind}` }));
  };
  const write = (words, [x, y]) => {
    words.split(/\r?\n/).forEach((each, number) => {
      const text = makeElement("text", { x: (x + 6).toFixed(1), y: Math.max(y - 6, 14).toFixed(1), dy: `${number * 1.2}em` });
      text.textContent = each;
      shapes.push(text);
    });
  };
  for (const mark of draft ? [...marks, draft] : marks) {
    const kind = mark === draft ? "draft" : mark.filled ? "filled" : "";
    const graphics = mark.kind ? (isWhole(mark) ? toGraphics(mark) : [{ type: "POLYLINE", points: mark.points }]) : [mark];
    for (const { type, points, units, words } of graphics) {
      if (type === "TEXT") {
        if (words) write(words, put(points[0], units));
      } else if (type === "POINT") {
        const [x, y] = put(points[0], units);
        line([[x - 6, y], [x + 6, y]], kind);
        line([[x, y - 6], [x, y + 6]], kind);
      } else line(outline(type, points).map((each) => put(each, units)), kind);
    }
  }
  if (draft && draft.cursor) {
    const [x, y] = put(draft.cursor);
    line([[x - 12, y], [x + 12, y]], "cursor");
    line([[x, y - 12], [x, y + 12]], "cursor");
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...shapes);
  for (const text of svg.querySelectorAll("text")) {
    const over = Number(text.getAttribute("x")) + text.getComputedTextLength() + 4 - width;
    if (over > 0) text.setAttribute("x", Math.max(Number(text.getAttribute("x")) - over, 4).toFixed(1));
  }
}

export const POINTS = { distance: 2, angle: 3, ellipse: 2 };
export const isWhole = (mark) => mark.points.length === POINTS[mark.kind];
