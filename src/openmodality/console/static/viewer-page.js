// What the parts of the viewer share: the image, which images there are, which one is shown, and cine.

import "./om-image.js";

export const root = document.querySelector(".viewer");
export const image = root.querySelector("om-image");
export const find = (name) => root.querySelector(`[data-field="${name}"]`);
export const say = (text) => (root.querySelector("[data-said]").textContent = text);
const AHEAD = 24;

// What is set again, the same, is laid out again.
export function setIfOther(element, name, value) {
  if (element[name] !== value) element[name] = value;
}

// Which images there are: one place for each frame

export let places = [[image.getAttribute("instance"), Number(image.getAttribute("frame"))]];
export let at = 0;

export async function readPlaces() {
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

export function go(to, step = Math.sign(to - at) || 1) {
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
export function showCount() {
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

export let isPlaying = false;
let shownSince = 0;
let lastTime = 0;
let owed = 0;
export const speed = () => Math.min(Math.max(Number(find("speed").value) || 15, 1), 60);

export function play(playing) {
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

export const setSpeed = (to) => (find("speed").value = Math.min(Math.max(Math.round(to), 1), 60));

// Measurements, by the frame that they are on

const measured = new Map();
export const marksOf = ([uid, number]) => {
  const key = `${uid}/${number}`;
  if (!measured.has(key)) measured.set(key, []);
  return measured.get(key);
};
