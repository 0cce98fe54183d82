// Presentation states and key images: where the device makes them.

import { toGraphics } from "./marks.js";
import { at, find, go, image, places, root, say } from "./viewer-page.js";

const states = find("state");
let known = [];
let keys = new Set();

export async function readStates() {
  if (!states) return;
  const answer = await fetch(`/viewer/series/${image.getAttribute("series")}/states`, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const read = await answer.json();
  known = read.states;
  states.replaceChildren(new Option("None: as the image says", ""), ...known.map((each) => new Option(each.label, each.uid)));
  states.value = image.state;
  keys = new Set(read.keys.flatMap((each) => each.images));
  root.querySelector("[data-keys-here]").textContent = keys.size ? `Key images of this series: ${keys.size}` : "No key image in this series yet";
  showIfKey();
}

function showIfKey() {
  root.querySelector("[data-is-key]").hidden = !keys.has(image.getAttribute("instance"));
}
image.addEventListener("om-shown", showIfKey);

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
