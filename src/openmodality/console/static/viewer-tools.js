// What is done to the image: window, presets, view, tools, measurements, and what the pointer does.

import { describeMark, isWhole, POINTS } from "./marks.js";
import { findOccurring, makeMeaning, makeReader } from "./pixels.js";
import { at, go, image, marksOf, places, root, say } from "./viewer-page.js";

// Window, presets, view

export function makePresets() {
  const { facts, frame } = image;
  if (!facts || frame.kind === "rgb") return [];
  const own = facts.windows.map((each, number) => ({ ...each, label: each.name || `Window ${number + 1} of the image` }));
  const [read, mean] = [makeReader(frame), makeMeaning(facts)];
  const [least, greatest] = findOccurring(frame).map(mean);
  const values = Float64Array.from({ length: Math.min(frame.values.length, 20000) }, (_, place) => mean(read(Math.floor((place * frame.values.length) / Math.min(frame.values.length, 20000))))).filter(Number.isFinite).sort();
  const part = (share) => values[Math.min(Math.floor(share * values.length), values.length - 1)];
  const between = (low, high, label) => ({ label, center: (low + high + 1) / 2, width: Math.max(Math.abs(high - low) + 1, 1), function: "LINEAR" });
  return [...own, between(least, greatest, "All values"), between(part(0.02), part(0.98), "Middle 96 %"), between(part(0.25), part(0.98), "Bright"), between(part(0.02), part(0.75), "Dark")].slice(0, 9);
}

export function usePreset(number) {
  const preset = makePresets()[number];
  if (preset) image.setWindow(preset.center, preset.width, preset.function);
}

export function changeWindow(across, down) {
  const used = image.window;
  if (used) image.setWindow(used.center + down * used.width, used.width * Math.max(1 + across, 0.1), used.function);
}

export function reset() {
  image.look = { window: null, invert: false };
  image.view = { zoom: 1, rotation: 0, flip: false, x: 0, y: 0 };
  image.paint();
  setTool("window");
  arrows = "slices";
  showTool();
}

export const zoomBy = (factor, x = image.clientWidth / 2, y = image.clientHeight / 2) => {
  const [column, row] = image.locate(x, y);
  image.setView({ zoom: image.view.zoom * factor });
  const moved = image.matrix.transformPoint(new DOMPoint(column, row));
  image.setView({ x: image.view.x + x - moved.x, y: image.view.y + y - moved.y });
};
export const panBy = (x, y) => image.setView({ x: image.view.x + x, y: image.view.y + y });
export const rotate = () => image.setView({ rotation: (image.view.rotation + 90) % 360 });
export const showFull = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()).catch(() => {});

// Tools: what a drag does, and what the arrows do

let tool = "window";
export let arrows = "slices";

export function setTool(name) {
  tool = name;
  arrows = name;
  image.draft = POINTS[name] ? { kind: name, points: [], cursor: [image.facts ? image.facts.columns / 2 : 0, image.facts ? image.facts.rows / 2 : 0] } : null;
  showTool();
  if (image.facts) image.drawOver();
}

export function showTool() {
  for (const button of root.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  const hints = {
    slices: "Arrows: images. Drag: window.",
    window: "Arrows: window. Drag: window. Shift: coarse.",
    pan: "Arrows and drag: move.",
    zoom: "Arrows and drag: zoom.",
  };
  const points = POINTS[tool];
  root.querySelector("[data-hint]").textContent = points ? `Drag, or: arrows move the cross, Enter sets ${points} points. Shift: 10 pixels.` : hints[arrows];
}

export function leaveTool() {
  if (tool === "window" && arrows === "slices") return false;
  if (image.draft && image.draft.points.length) {
    image.draft.points = [];
    image.drawOver();
    return true;
  }
  tool = "window";
  arrows = "slices";
  image.draft = null;
  showTool();
  image.drawOver();
  return true;
}

// Measurements

export function setPoint(point) {
  const draft = image.draft;
  draft.points.push(point.map((value) => Math.round(value * 100) / 100));
  if (isWhole(draft)) finish(draft);
  image.drawOver();
}

function finish({ kind, points }) {
  const mark = { kind, points };
  mark.text = describeMark(mark, image.facts, image.frame);
  marksOf(places[at]).push(mark);
  image.marks = marksOf(places[at]);
  image.draft = { kind, points: [], cursor: points.at(-1) };
  showMeasured();
  say(`${kind}: ${mark.text}`);
}

export function showMeasured() {
  const list = root.querySelector("[data-measured]");
  const marks = image.marks;
  list.replaceChildren(...marks.map((mark, number) => {
    const item = document.createElement("li");
    const said = document.createElement("span");
    said.textContent = `${{ distance: "Distance", angle: "Angle", ellipse: "Ellipse" }[mark.kind]}: ${mark.text}`;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Remove";
    button.setAttribute("aria-label", `Remove ${said.textContent}`);
    button.addEventListener("click", () => {
      marks.splice(number, 1);
      showMeasured();
      image.drawOver();
    });
    item.append(said, button);
    return item;
  }));
  root.querySelector("[data-unmeasured]").hidden = marks.length > 0;
}

// Pointer

let drag = null;

image.addEventListener("pointerdown", (event) => {
  if (!image.facts || event.button === 2) return;
  image.setPointerCapture(event.pointerId);
  image.focus({ preventScroll: true });
  const kind = event.button === 1 ? "pan" : tool;
  drag = { kind, x: event.offsetX, y: event.offsetY };
  if (POINTS[kind]) {
    const point = image.locate(event.offsetX, event.offsetY);
    if (!image.draft.points.length) setPoint(point);
    drag.begun = point;
  }
  event.preventDefault();
});

image.addEventListener("pointermove", (event) => {
  if (!image.facts) return;
  if (POINTS[tool] && image.draft) {
    image.draft.cursor = image.locate(event.offsetX, event.offsetY);
    if (!drag) image.drawOver();
  }
  showValue(event.offsetX, event.offsetY);
  if (!drag) return;
  const [across, down] = [event.offsetX - drag.x, event.offsetY - drag.y];
  [drag.x, drag.y] = [event.offsetX, event.offsetY];
  if (drag.kind === "window") changeWindow(across / 250, down / 500);
  else if (drag.kind === "pan") panBy(across, down);
  else if (drag.kind === "zoom") zoomBy(1 - down / 200);
  else if (drag.begun) image.drawOver();
});

image.addEventListener("pointerup", (event) => {
  if (drag && drag.begun && image.draft) {
    const point = image.locate(event.offsetX, event.offsetY);
    const isFar = Math.hypot(point[0] - drag.begun[0], point[1] - drag.begun[1]) * image.scale > 3;
    if (isFar || image.draft.points.length > 1 || (image.draft.points.length === 1 && !samePlace(image.draft.points[0], drag.begun))) setPoint(point);
  }
  drag = null;
});
const samePlace = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]) < 0.5;
image.addEventListener("pointercancel", () => (drag = null));
image.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.ctrlKey) zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1, event.offsetX, event.offsetY);
  else go(at + Math.sign(event.deltaY));
}, { passive: false });

export function showValue(x, y) {
  const [column, row] = image.locate(x, y).map(Math.floor);
  const { facts, frame } = image;
  const shown = root.querySelector("[data-value]");
  if (column < 0 || row < 0 || column >= facts.columns || row >= facts.rows || frame.kind === "rgb") {
    shown.textContent = "";
    return;
  }
  const value = makeMeaning(facts)(makeReader(frame)(row * facts.columns + column));
  shown.textContent = `${column}, ${row}: ${Number(value.toFixed(2))}${facts.units ? ` ${facts.units}` : ""}`;
}
