// <om-image study series instance frame>: one image as the server would render it, on a canvas, with what is drawn over it.
//
// Places in the image are columns and rows from 0 at the corner of its first pixel, as in a presentation state.

import { FrameStore } from "./frame-store.js";
import { drawMarks } from "./marks.js";
import { CanvasPainter, GlPainter } from "./painters.js";
import { findOccurring, isInverse } from "./pixels.js";

const MOST_SCALE = 40;

export class OmImage extends HTMLElement {
  static observedAttributes = ["instance", "frame"];

  #wanted = 0;
  #drawn = 0;
  #size = null;

  connectedCallback() {
    if (this.canvas) return;
    this.frames = new FrameStore(this.getAttribute("base") || "/viewer");
    this.look = { window: null, invert: false };
    this.view = { zoom: 1, rotation: 0, flip: false, x: 0, y: 0 };
    this.display = JSON.parse(this.dataset.display || "null");
    this.marks = [];
    this.draft = null;
    this.state = "";
    this.failed = null;
    this.took = 0;
    this.#makePainter(this.getAttribute("painter") || "webgl");
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.append(this.svg);
    this.letters = ["left", "top", "right", "bottom"].map((edge) => {
      const letter = document.createElement("span");
      letter.className = `letter ${edge}`;
      this.append(letter);
      return letter;
    });
    new ResizeObserver(() => {
      this.#size = null;
      this.draw();
    }).observe(this);
    if (this.dataset.facts) this.frames.put(this.getAttribute("instance"), Number(this.getAttribute("frame") || 1), JSON.parse(this.dataset.facts));
    this.load();
  }

  attributeChangedCallback() {
    if (this.canvas) queueMicrotask(() => this.load());
  }

  // `painter` is webgl, webgl-always or canvas.
  #makePainter(painter) {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    try {
      this.painter = painter === "canvas" ? new CanvasPainter(canvas) : new GlPainter(canvas, painter === "webgl-always");
    } catch {
      this.#makePainter("canvas");
      return;
    }
    canvas.addEventListener("webglcontextlost", () => {
      this.#makePainter("canvas");
      this.paint();
    });
    if (this.canvas) this.canvas.replaceWith(canvas);
    else this.prepend(canvas);
    this.canvas = canvas;
    this.dataset.painter = this.painter.name;
  }

  // Show what the attributes name; several changes at once are one.
  async load() {
    const [uid, number] = [this.getAttribute("instance"), Number(this.getAttribute("frame") || 1)];
    if (!uid) return;
    const turn = ++this.#wanted;
    const begun = performance.now();
    try {
      const { facts, frame } = await this.frames.get(uid, number, this.state);
      if (turn !== this.#wanted) return;
      this.show(facts, frame);
      this.failed = null;
      this.took = performance.now() - begun;
      this.dataset.shown = `${uid}/${number}`;
      this.#tell("om-shown");
    } catch (error) {
      if (turn !== this.#wanted) return;
      this.failed = error;
      this.#tell("om-failed");
    }
  }

  show(facts, frame) {
    const isOther = !this.facts || this.facts.rows !== facts.rows || this.facts.columns !== facts.columns;
    this.facts = facts;
    this.frame = frame;
    if (isOther) [this.view.x, this.view.y] = [0, 0];
    this.paint();
  }

  #tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }

  // The window in use: the operator's, else the image's, else that of all values that occur.
  get window() {
    const chosen = this.look.window || (this.facts && this.facts.voi);
    if (chosen && "center" in chosen) return chosen;
    if (!this.facts || !this.frame || this.frame.kind === "rgb") return null;
    const { modality } = this.facts;
    const ends = findOccurring(this.frame).map((end) => ("slope" in modality ? end * modality.slope + modality.intercept : modality.entries[0]));
    return { center: (ends[0] + ends[1] + 1) / 2, width: Math.max(Math.abs(ends[1] - ends[0]) + 1, 1), function: "LINEAR" };
  }

  get isInverse() {
    return this.facts ? isInverse(this.facts, this.look) : false;
  }

  setWindow(center, width, name = "LINEAR") {
    if (!this.facts || this.frame.kind === "rgb" || !Number.isFinite(center) || !Number.isFinite(width)) return;
    const least = name === "LINEAR" ? 1 : Number.EPSILON;
    this.look.window = { center, width: Math.max(width, least), function: name };
    this.paint();
  }

  setLook(changes) {
    Object.assign(this.look, changes);
    this.paint();
  }

  setView(changes) {
    Object.assign(this.view, changes);
    this.view.zoom = Math.min(Math.max(this.view.zoom, 0.05), MOST_SCALE);
    this.draw();
    this.#tell("om-view");
  }

  // Screen pixels by image pixel where the image just fits, and the size of an image pixel before that.
  get unit() {
    const { aspect } = this.facts;
    return aspect > 1 ? [1, aspect] : [1 / aspect, 1];
  }

  #fit(width, height) {
    const [across, down] = this.unit;
    const [left, top, right, bottom] = this.facts.area || [1, 1, this.facts.columns, this.facts.rows];
    const size = [(right - left + 1) * across, (bottom - top + 1) * down];
    const isTurned = this.turn % 180 !== 0;
    const [wide, high] = isTurned ? [size[1], size[0]] : size;
    return Math.min(width / wide, height / high);
  }

  get turn() {
    return (this.facts.rotation + this.view.rotation) % 360;
  }

  // The turns of the image and of the operator as one rotation before one flip, as a presentation state says them.
  get turned() {
    const { facts, view } = this;
    const own = facts.flip ? -view.rotation : view.rotation;
    return { rotation: (facts.rotation + own + 720) % 360, flip: facts.flip !== view.flip };
  }

  // Width and height, asked for once: the browser would lay out the page for each answer.
  get size() {
    if (!this.#size || !this.#size[0]) this.#size = [this.clientWidth, this.clientHeight];
    return this.#size;
  }

  // Screen pixels by image pixel.
  get scale() {
    return this.#fit(...this.size) * this.view.zoom;
  }

  setScale(scale) {
    if (this.facts) this.setView({ zoom: scale / this.#fit(...this.size) });
  }

  // From places of the image to pixels of the element.
  get matrix() {
    const { facts, view } = this;
    const [width, height] = this.size;
    const [across, down] = this.unit;
    const scale = this.scale;
    const [left, top, right, bottom] = facts.area || [1, 1, facts.columns, facts.rows];
    const { rotation, flip } = this.turned;
    const snap = Number.isInteger(scale) ? Math.round : (x) => x;
    const matrix = new DOMMatrix().translateSelf(width / 2 + view.x, height / 2 + view.y);
    matrix.scaleSelf(flip ? -1 : 1, 1).rotateSelf(rotation);
    matrix.scaleSelf(scale * across, scale * down).translateSelf(-(left - 1 + right) / 2, -(top - 1 + bottom) / 2);
    matrix.e = snap(matrix.e);
    matrix.f = snap(matrix.f);
    for (const name of ["a", "b", "c", "d"]) if (Math.abs(matrix[name]) < 1e-9) matrix[name] = 0;
    return matrix;
  }

  // The place in the image that is at a place of the element.
  locate(x, y) {
    const at = this.matrix.inverse().transformPoint(new DOMPoint(x, y));
    return [at.x, at.y];
  }

  paint() {
    if (!this.facts) return;
    if (!this.painter.canTake(this.facts)) this.#makePainter("canvas");
    this.painter.paint(this.frame, this.facts, this.look, this.display);
    this.draw();
    this.#tell("om-look");
  }

  draw() {
    const { canvas, facts } = this;
    const [width, height] = this.size;
    if (!facts || !width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0]) canvas.width = size[0];
    if (canvas.height !== size[1]) canvas.height = size[1];
    const { matrix } = this;
    this.painter.draw(new DOMMatrix().scaleSelf(ratio, ratio).multiplySelf(matrix));
    this.#drawn++;
    this.drawOver(matrix);
  }

  // Letters, marks and what is being drawn.
  drawOver(matrix = this.matrix) {
    const { facts } = this;
    const { rotation, flip } = this.turned;
    const around = ["left", "top", "right", "bottom"].map((edge) => facts.directions[edge] || "");
    const steps = rotation / 90;
    let [left, top, right, bottom] = steps ? [...around.slice(-steps), ...around.slice(0, -steps)] : around;
    if (flip) [left, right] = [right, left];
    [left, top, right, bottom].forEach((letter, edge) => {
      if (this.letters[edge].textContent !== letter) this.letters[edge].textContent = letter;
    });
    if (!facts.marks.length && !this.marks.length && !this.draft && !this.svg.firstChild) return;
    drawMarks(this.svg, matrix, facts, [...facts.marks, ...this.marks], this.draft, this.size);
  }

  // How often the canvas was drawn, and the picture as it was made: for tests and benchmarks.
  get drawn() {
    return this.#drawn;
  }

  readPicture() {
    return this.painter.read();
  }
}

customElements.define("om-image", OmImage);
