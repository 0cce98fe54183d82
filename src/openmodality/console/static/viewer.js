// The page around <om-image>: what it says in words, and its parts.

import { describeSpacing } from "./marks.js";
import "./viewer-keys.js";
import { readStates } from "./viewer-looks.js";
import { at, find, image, places, play, readPlaces, root, setIfOther, showCount } from "./viewer-page.js";
import { makePresets, showMeasured, showTool } from "./viewer-tools.js";

const REST_MS = 80;
let rest = 0;

function showShown() {
  root.dataset.ms = Math.round(image.took);
  root.querySelector("[data-failed]").hidden = true;
  clearTimeout(rest);
  rest = setTimeout(showRest, REST_MS);
}

// What need not be said of each image that goes by.
function showRest() {
  const options = makePresets().map((each, number) => new Option(`${number + 1}  ${each.label}`, number));
  const presets = find("preset");
  if (options.map((each) => each.text).join() !== [...presets.options].slice(1).map((each) => each.text).join()) presets.replaceChildren(new Option("Preset", ""), ...options);
  presets.value = "";
  root.querySelector("[data-spacing]").textContent = describeSpacing(image.facts);
  image.setAttribute("aria-label", `Image ${at + 1} of ${places.length}. Arrows go through the images.`);
  showMeasured();
}
function showFailed() {
  const failed = root.querySelector("[data-failed]");
  failed.hidden = false;
  failed.textContent = `This image cannot be shown: ${image.failed.message}. ${image.failed.advice || ""}`;
  play(false);
}
const plain = (value) => Number(value.toPrecision(6));
function showLook() {
  const used = image.window;
  for (const name of ["center", "width"]) {
    find(name).disabled = !used;
    if (document.activeElement !== find(name)) setIfOther(find(name), "value", used ? String(plain(used[name])) : "");
  }
  find("preset").disabled = !used;
  root.querySelector("[data-do=invert]").setAttribute("aria-pressed", String(image.isInverse));
  showCorner();
}

function showCorner() {
  if (!image.facts) return;
  const used = image.window;
  const scale = Math.round(image.scale * Math.min(...image.unit) * 100);
  if (document.activeElement !== find("zoom")) setIfOther(find("zoom"), "value", String(scale));
  const said = [used ? `C ${plain(used.center)} W ${plain(used.width)}` : "colour", `${scale} %`, ...(image.isInverse ? ["inverted"] : [])].join("  ");
  setIfOther(root.querySelector("[data-look]"), "textContent", said);
}

image.addEventListener("om-shown", showShown);
image.addEventListener("om-failed", showFailed);
image.addEventListener("om-look", showLook);
image.addEventListener("om-view", showCorner);
showCount();
showTool();

// The first image does not wait for this page: it may be there by now. What else there is to ask for waits for it.
function askForMore() {
  readPlaces();
  readStates();
}
if (image.facts) {
  showLook();
  showShown();
  askForMore();
} else if (image.failed) {
  showFailed();
  askForMore();
} else {
  const first = new AbortController();
  for (const name of ["om-shown", "om-failed"]) {
    image.addEventListener(name, () => {
      first.abort();
      askForMore();
    }, { signal: first.signal });
  }
}
