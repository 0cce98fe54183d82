// Keys, buttons and fields of the viewer: each does what another does.

import { at, find, go, image, isPlaying, places, play, root, setSpeed, speed } from "./viewer-page.js";
import { arrows, changeWindow, leaveTool, panBy, reset, rotate, setPoint, setTool, showFull, showValue, usePreset, zoomBy } from "./viewer-tools.js";

const FINE = 0.01;
const COARSE = 0.1;

// Keys

const acts = {
  cine: () => play(!isPlaying),
  invert: () => image.setLook({ invert: !image.look.invert }),
  reset,
  fit: () => image.setView({ zoom: 1, x: 0, y: 0 }),
  actual: () => image.setScale(1 / Math.min(...image.unit)),
  rotate,
  flip: () => image.setView({ flip: !image.view.flip }),
  full: showFull,
  first: () => go(0),
  previous: () => go(at - 1),
  next: () => go(at + 1),
  last: () => go(places.length - 1),
  slower: () => setSpeed(speed() * 0.8),
  faster: () => setSpeed(speed() * 1.25 + 0.5),
  nearer: () => zoomBy(1.25),
  farther: () => zoomBy(0.8),
};
const SINGLE = {
  " ": "cine", i: "invert", 0: "reset", r: "rotate", h: "flip", f: "full", "[": "slower", "]": "faster", "+": "nearer", "=": "nearer", "-": "farther",
};
const TOOLS = { w: "window", p: "pan", z: "zoom", d: "distance", a: "angle", e: "ellipse" };
const MOVES = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function moveBy([across, down], isCoarse) {
  const part = isCoarse ? COARSE : FINE;
  if (arrows === "window") changeWindow(across * part * 2, -down * part);
  else if (arrows === "pan") panBy(across * (isCoarse ? 100 : 10), down * (isCoarse ? 100 : 10));
  else if (arrows === "zoom") zoomBy(1 - (down - across) * part * 3);
  else if (image.draft) {
    const step = isCoarse ? 10 : 1;
    image.draft.cursor = [image.draft.cursor[0] + across * step, image.draft.cursor[1] + down * step];
    const on = image.matrix.transformPoint(new DOMPoint(...image.draft.cursor));
    showValue(on.x, on.y);
    image.drawOver();
  } else go(at + (across + down) * (isCoarse ? 10 : 1));
}

function press(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isField = event.target.matches("input, select, textarea");
  if (!image.facts || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return false;
  if (key === "Escape" && !isField) return leaveTool();
  if (isField) return false;
  const isControl = event.target.closest("a, button, summary");
  const jump = { PageUp: "previous", PageDown: "next", Home: "first", End: "last" }[key];
  if (jump) acts[jump]();
  else if (MOVES[key]) moveBy(MOVES[key], event.shiftKey);
  else if (key === "Enter" && !isControl && image.draft) setPoint([...image.draft.cursor]);
  else if (!document.getElementById("single-keys").checked || (key === " " && isControl)) return false;
  else if (SINGLE[key]) acts[SINGLE[key]]();
  else if (TOOLS[key]) setTool(TOOLS[key]);
  else if (/^[1-9]$/.test(key)) usePreset(Number(key) - 1);
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!press(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// Buttons and fields

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do], [data-tool]");
  if (button && button.dataset.do) acts[button.dataset.do]();
  else if (button) setTool(button.dataset.tool);
});
for (const name of ["center", "width"]) {
  find(name).addEventListener("change", () => image.setWindow(Number(find("center").value), Number(find("width").value), image.window ? image.window.function : "LINEAR"));
}
find("zoom").addEventListener("change", () => image.setScale(Number(find("zoom").value) / 100 / Math.min(...image.unit)));
find("slice").addEventListener("change", () => go(Number(find("slice").value) - 1));
find("slider").addEventListener("input", () => go(Number(find("slider").value) - 1));
find("speed").addEventListener("change", () => setSpeed(speed()));
find("preset").addEventListener("change", () => usePreset(Number(find("preset").value)));
document.addEventListener("fullscreenchange", () => image.draw());
