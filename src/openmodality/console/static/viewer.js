// The page around <om-image>: slices, cine, tools, keys and fields, measurements, presentation states and key images.

import "./om-image.js";
import { describeMark, describeSpacing, isWhole, POINTS, toGraphics } from "./marks.js";
import { findOccurring, makeMeaning, makeReader } from "./pixels.js";

const root = document.querySelector(".viewer");
const image = root.querySelector("om-image");
const find = (name) => root.querySelector(`[data-field="${name}"]`);
const say = (text) => (root.querySelector("[data-said]").textContent = text);
const FINE = 0.01;
const COARSE = 0.1;
const AHEAD = 24;
const REST_MS = 80;

// Which images there are: one place for each frame

let places = [[image.getAttribute("instance"), Number(image.getAttribute("frame"))]];
let at = 0;

async function readPlaces() {
  const answer = await fetch(`/viewer/series/${image.getAttribute("series")}/images`, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const { images } = await answer.json();
  const [uid, number] = places[at];
  places = images.flatMap((each) => Array.from({ length: each.frames }, (_, frame) => [each.uid, frame + 1, each.number]));
  at = Math.max(places.findIndex((each) => each[0] === uid && each[1] === number), 0);
  showCount();
  fetchAhead(1);
}

function fetchAhead(step) {
  const wanted = [];
  for (let ahead = 1; ahead <= Math.min(AHEAD, places.length - 1); ahead++) wanted.push(places[(((at + step * ahead) % places.length) + places.length) % places.length]);
  image.frames.fetchAhead(wanted, image.state);
}

function go(to, step = Math.sign(to - at) || 1) {
  const next = Math.min(Math.max(to, 0), places.length - 1);
  if (next === at) return;
  at = next;
  const [uid, number] = places[at];
  image.marks = marksOf(places[at]);
  image.draft = null;
  image.setAttribute("instance", uid);
  image.setAttribute("frame", number);
  showPlace();
  fetchAhead(step);
}

// What changes with the series alone: an image that goes by makes the browser lay out nothing again.
function showCount() {
  for (const name of ["slice", "slider"]) find(name).max = places.length;
  root.querySelector("[data-count]").textContent = `of ${places.length}`;
  for (const each of root.querySelectorAll("[data-many]")) each.hidden = places.length < 2;
  showPlace();
}

function showPlace() {
  const slice = find("slice");
  if (document.activeElement !== slice) slice.value = at + 1;
  find("slider").value = at + 1;
}

// Cine

let isPlaying = false;
let shownSince = 0;
let lastTime = 0;
let owed = 0;
const speed = () => Math.min(Math.max(Number(find("speed").value) || 15, 1), 60);

function play(playing) {
  isPlaying = playing && places.length > 1;
  const button = root.querySelector("[data-do=cine]");
  button.setAttribute("aria-pressed", String(isPlaying));
  if (!isPlaying) return;
  lastTime = performance.now();
  shownSince = lastTime;
  owed = 0;
  root.dataset.played = 0;
  requestAnimationFrame(step);
}

function step(now) {
  if (!isPlaying) return;
  owed += ((now - lastTime) / 1000) * speed();
  lastTime = now;
  if (owed >= 0.999) {
    const next = (at + 1) % places.length;
    if (image.frames.has(...places[next].slice(0, 2), image.state)) {
      owed = Math.min(owed - 1, 1);
      go(next, 1);
      root.dataset.played = Number(root.dataset.played) + 1;
      root.dataset.rate = ((1000 * Number(root.dataset.played)) / (now - shownSince || 1)).toFixed(1);
    } else {
      owed = 1;
      fetchAhead(1);
    }
  }
  requestAnimationFrame(step);
}

const setSpeed = (to) => (find("speed").value = Math.min(Math.max(Math.round(to), 1), 60));

// Window, presets, view

function makePresets() {
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

function usePreset(number) {
  const preset = makePresets()[number];
  if (preset) image.setWindow(preset.center, preset.width, preset.function);
}

function changeWindow(across, down) {
  const used = image.window;
  if (used) image.setWindow(used.center + down * used.width, used.width * Math.max(1 + across, 0.1), used.function);
}

function reset() {
  image.look = { window: null, invert: false };
  image.view = { zoom: 1, rotation: 0, flip: false, x: 0, y: 0 };
  image.paint();
  setTool("window");
  arrows = "slices";
  showTool();
}

const zoomBy = (factor, x = image.clientWidth / 2, y = image.clientHeight / 2) => {
  const [column, row] = image.locate(x, y);
  image.setView({ zoom: image.view.zoom * factor });
  const moved = image.matrix.transformPoint(new DOMPoint(column, row));
  image.setView({ x: image.view.x + x - moved.x, y: image.view.y + y - moved.y });
};
const panBy = (x, y) => image.setView({ x: image.view.x + x, y: image.view.y + y });
const rotate = () => image.setView({ rotation: (image.view.rotation + 90) % 360 });
const showFull = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()).catch(() => {});

// Tools: what a drag does, and what the arrows do

let tool = "window";
let arrows = "slices";

function setTool(name) {
  tool = name;
  arrows = name;
  image.draft = POINTS[name] ? { kind: name, points: [], cursor: [image.facts ? image.facts.columns / 2 : 0, image.facts ? image.facts.rows / 2 : 0] } : null;
  showTool();
  if (image.facts) image.drawOver();
}

function showTool() {
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

function leaveTool() {
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

// Measurements, by the frame that they are on

const measured = new Map();
const marksOf = ([uid, number]) => {
  const key = `${uid}/${number}`;
  if (!measured.has(key)) measured.set(key, []);
  return measured.get(key);
};

function setPoint(point) {
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

function showMeasured() {
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

function showValue(x, y) {
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

// What is shown in words

image.addEventListener("om-shown", ({ detail }) => {
  root.dataset.ms = Math.round(detail.ms);
  root.querySelector("[data-failed]").hidden = true;
  clearTimeout(rest);
  rest = setTimeout(showRest, REST_MS);
});

// What need not be said of each image that goes by.
let rest = 0;
function showRest() {
  const options = makePresets().map((each, number) => new Option(`${number + 1}  ${each.label}`, number));
  const presets = find("preset");
  if (options.map((each) => each.text).join() !== [...presets.options].slice(1).map((each) => each.text).join()) presets.replaceChildren(new Option("Preset", ""), ...options);
  presets.value = "";
  root.querySelector("[data-spacing]").textContent = describeSpacing(image.facts);
  image.setAttribute("aria-label", `Image ${at + 1} of ${places.length}. Arrows go through the images.`);
  showMeasured();
}
image.addEventListener("om-failed", ({ detail }) => {
  const failed = root.querySelector("[data-failed]");
  failed.hidden = false;
  failed.textContent = `This image cannot be shown: ${detail.message}. ${detail.advice}`;
  play(false);
});
const plain = (value) => Number(value.toPrecision(6));
// What is set again, the same, is laid out again.
function setIfOther(element, name, value) {
  if (element[name] !== value) element[name] = value;
}
image.addEventListener("om-look", () => {
  const used = image.window;
  for (const name of ["center", "width"]) {
    find(name).disabled = !used;
    if (document.activeElement !== find(name)) setIfOther(find(name), "value", used ? String(plain(used[name])) : "");
  }
  find("preset").disabled = !used;
  root.querySelector("[data-do=invert]").setAttribute("aria-pressed", String(image.isInverse));
  showCorner();
});
image.addEventListener("om-view", showCorner);

function showCorner() {
  if (!image.facts) return;
  const used = image.window;
  const scale = Math.round(image.scale * Math.min(...image.unit) * 100);
  if (document.activeElement !== find("zoom")) setIfOther(find("zoom"), "value", String(scale));
  const said = [used ? `C ${plain(used.center)} W ${plain(used.width)}` : "colour", `${scale} %`, ...(image.isInverse ? ["inverted"] : [])].join("  ");
  setIfOther(root.querySelector("[data-look]"), "textContent", said);
}

// Presentation states and key images: where the device makes them

const states = find("state");
let known = [];

async function readStates() {
  if (!states) return;
  const answer = await fetch(`/viewer/series/${image.getAttribute("series")}/states`, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const read = await answer.json();
  known = read.states;
  states.replaceChildren(new Option("None: as the image says", ""), ...known.map((each) => new Option(each.label, each.uid)));
  states.value = image.state;
  const keys = read.keys.flatMap((each) => each.images);
  root.querySelector("[data-keys-here]").textContent = keys.length ? `Key images of this series: ${new Set(keys).size}` : "No key image in this series yet";
  showIfKey(keys);
  image.addEventListener("om-shown", () => showIfKey(keys));
}

function showIfKey(keys) {
  root.querySelector("[data-is-key]").hidden = !keys.includes(image.getAttribute("instance"));
}

if (states) {
  states.addEventListener("change", () => {
    image.state = states.value;
    image.look = { window: null, invert: false };
    image.view = { zoom: 1, rotation: 0, flip: false, x: 0, y: 0 };
    const chosen = known.find((each) => each.uid === states.value);
    const first = chosen ? places.findIndex((each) => chosen.images.includes(each[0])) : at;
    if (chosen && !chosen.images.includes(places[at][0]) && first >= 0) go(first);
    else image.load();
    say(chosen ? `Shown as ${chosen.label} says` : "Shown as the image says");
  });
}

function describeLook() {
  const { facts, view } = image;
  const table = !image.look.window && facts.voi && "entries" in facts.voi ? facts.voi : null;
  const used = image.window;
  const corners = [[0, 0], [image.clientWidth, image.clientHeight]].map((each) => image.locate(...each));
  const side = (place, most) => Math.min(Math.max(Math.round(place), 0), most);
  const [left, right] = [Math.min(corners[0][0], corners[1][0]), Math.max(corners[0][0], corners[1][0])].map((each) => side(each, facts.columns));
  const [top, bottom] = [Math.min(corners[0][1], corners[1][1]), Math.max(corners[0][1], corners[1][1])].map((each) => side(each, facts.rows));
  const isPart = view.zoom !== 1 || view.x || view.y;
  const area = isPart ? [Math.min(left + 1, facts.columns), Math.min(top + 1, facts.rows), Math.max(right, left + 1), Math.max(bottom, top + 1)] : facts.area;
  return {
    window: used && !table ? [used.center, used.width] : null,
    function: used && !table ? used.function : "LINEAR",
    lut: table,
    inverse: image.isInverse !== facts.is_low_white,
    ...image.turned,
    area,
    marks: [...facts.marks, ...image.marks.flatMap(toGraphics)],
  };
}

async function send(form, fields) {
  const said = form.querySelector("[data-answer]");
  const button = form.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { "x-form-token": document.body.dataset.token, accept: "application/json" }, body: new URLSearchParams(fields) });
    const read = await answer.json();
    said.className = answer.ok ? "notice ok" : "notice bad";
    said.textContent = answer.ok ? read.said : `${read.title}. ${read.advice || ""}`;
    if (answer.ok) await readStates();
  } catch {
    said.className = "notice bad";
    said.textContent = "The console does not answer. Nothing was saved; try again when the page is live.";
  }
  button.removeAttribute("aria-disabled");
}

for (const form of root.querySelectorAll("form[data-send]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.querySelector("button").getAttribute("aria-disabled") === "true") return;
    const fields = Object.fromEntries(new FormData(form));
    send(form, { ...fields, instance: places[at][0], look: JSON.stringify(describeLook()) });
  });
}

showCount();
showTool();
readPlaces();
readStates();
