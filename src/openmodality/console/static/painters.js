// Two ways to put a picture on a canvas: WebGL2, with the samples as an integer texture, and canvas 2D, which needs no
// graphics processor. Both make the picture pixel by pixel first, at the size of the image, and scale it then.

import { findCover, fitsTable, makeLevels, makeMask, makePicture } from "./pixels.js";

const CORNERS = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

const MAKE = `#version 300 es
precision highp float; precision highp int; precision highp usampler2D;
uniform usampler2D frame, levels, mask;
uniform uint bits, cover;
uniform bool covers;
out vec4 shown;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  uint value = texelFetch(frame, at, 0).r & bits;
  uint level = texelFetch(levels, ivec2(int(value & 255u), int(value >> 8)), 0).r;
  if (covers && texelFetch(mask, at, 0).r == 0u) level = cover;
  shown = vec4(vec3(float(level) / 255.0), 1.0);
}`;

const PLACE = `#version 300 es
precision highp float;
uniform sampler2D picture;
uniform mat3 place;
out vec4 shown;
void main() {
  vec2 at = (place * vec3(gl_FragCoord.xy, 1.0)).xy;
  bool inside = all(greaterThanEqual(at, vec2(0.0))) && all(lessThan(at, vec2(1.0)));
  shown = inside ? vec4(textureLod(picture, at, 0.0).rgb, 1.0) : vec4(0.0, 0.0, 0.0, 1.0);
}`;

const PLACE_SMALLER = PLACE.replace("textureLod(picture, at, 0.0)", "texture(picture, at)");

const COMPUTED = /swiftshader|llvmpipe|software|basic render/i;

// Whether the graphics processor is a program: browsers do not always say so when they are asked to refuse it.
function isComputed(gl) {
  const more = gl.getExtension("WEBGL_debug_renderer_info");
  return COMPUTED.test(String(gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
}

export class GlPainter {
  // A graphics processor that is none, but computed, is slower than canvas 2D: `always` takes it all the same.
  constructor(canvas, always = false) {
    this.name = "WebGL2";
    this.canvas = canvas;
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance", failIfMajorPerformanceCaveat: !always });
    if (!gl || (!always && isComputed(gl))) throw new Error("no WebGL2 that helps");
    this.gl = gl;
    this.most = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.make = this.#link(MAKE);
    this.place = this.#link(PLACE);
    this.placeSmaller = this.#link(PLACE_SMALLER);
    gl.bindVertexArray(gl.createVertexArray());
    this.frame = this.#texture(gl.NEAREST);
    this.levels = this.#texture(gl.NEAREST);
    this.mask = this.#texture(gl.NEAREST);
    this.picture = this.#texture(gl.LINEAR);
    this.buffer = gl.createFramebuffer();
    this.size = [0, 0];
    this.shownFrame = null;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  #link(fragment) {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "no shader");
    const places = {};
    const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let each = 0; each < count; each++) {
      const { name } = gl.getActiveUniform(program, each);
      places[name] = gl.getUniformLocation(program, name);
    }
    return { program, places };
  }

  #texture(filter) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, filter);
    return texture;
  }

  #fill(unit, texture, [inner, format, type], width, height, content) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, inner, width, height, 0, format, type, content);
  }

  canTake(facts) {
    return facts.rows <= this.most && facts.columns <= this.most && !this.gl.isContextLost();
  }

  // The picture at the size of the image.
  paint(frame, facts, look, display) {
    const { gl } = this;
    const { rows, columns } = facts;
    const rgba = [gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE];
    this.hasSmaller = false;
    if (!fitsTable(frame) || facts.palette) {
      const picture = new Uint32Array(rows * columns);
      makePicture(frame, facts, look, display, picture);
      this.#fill(3, this.picture, rgba, columns, rows, new Uint8Array(picture.buffer));
      this.size = [columns, rows];
      this.shownFrame = null;
      return;
    }
    if (this.shownFrame !== frame) {
      const wide = frame.kind === "u16";
      const form = wide ? [gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT] : [gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE];
      this.#fill(0, this.frame, form, columns, rows, frame.values);
      this.shownFrame = frame;
    }
    const byte = [gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE];
    const levels = makeLevels(frame, facts, look, display);
    this.#fill(1, this.levels, byte, 256, levels.length / 256, levels);
    const mask = makeMask(facts);
    this.#fill(2, this.mask, byte, mask ? columns : 1, mask ? rows : 1, mask || new Uint8Array(1));
    if (this.size[0] !== columns || this.size[1] !== rows) {
      this.#fill(3, this.picture, rgba, columns, rows, null);
      this.size = [columns, rows];
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.buffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.picture, 0);
    gl.activeTexture(gl.TEXTURE3);
    gl.bindTexture(gl.TEXTURE_2D, null);
    gl.viewport(0, 0, columns, rows);
    const { program, places } = this.make;
    gl.useProgram(program);
    gl.uniform1i(places.frame, 0);
    gl.uniform1i(places.levels, 1);
    gl.uniform1i(places.mask, 2);
    gl.uniform1ui(places.bits, frame.mask);
    gl.uniform1ui(places.cover, findCover(facts, display));
    gl.uniform1i(places.covers, mask ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  // The picture on the canvas. `matrix` goes from places of the image to pixels of the canvas.
  draw(matrix) {
    const { gl } = this;
    const { width, height } = this.canvas;
    const isSmaller = Math.hypot(matrix.a, matrix.b) < 0.75;
    const [columns, rows] = this.size;
    gl.activeTexture(gl.TEXTURE3);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    if (isSmaller && !this.hasSmaller) {
      gl.generateMipmap(gl.TEXTURE_2D);
      this.hasSmaller = true;
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, isSmaller ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
    const back = new DOMMatrix([1, 0, 0, -1, 0, height]).preMultiplySelf(matrix.inverse()).preMultiplySelf(new DOMMatrix([1 / columns, 0, 0, 1 / rows, 0, 0]));
    gl.viewport(0, 0, width, height);
    const { program, places } = isSmaller ? this.placeSmaller : this.place;
    gl.useProgram(program);
    gl.uniform1i(places.picture, 3);
    gl.uniformMatrix3fv(places.place, false, [back.a, back.b, 0, back.c, back.d, 0, back.e, back.f, 1]);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  read() {
    const { gl } = this;
    const [columns, rows] = this.size;
    const pixels = new Uint8Array(4 * columns * rows);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.buffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.picture, 0);
    gl.readPixels(0, 0, columns, rows, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return pixels;
  }
}

export class CanvasPainter {
  constructor(canvas) {
    this.name = "canvas";
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.made = document.createElement("canvas");
    this.making = this.made.getContext("2d", { willReadFrequently: true });
  }

  canTake() {
    return true;
  }

  paint(frame, facts, look, display) {
    if (this.made.width !== facts.columns || this.made.height !== facts.rows) {
      this.made.width = facts.columns;
      this.made.height = facts.rows;
      this.picture = null;
    }
    if (!this.picture) {
      this.picture = new ImageData(facts.columns, facts.rows);
      this.words = new Uint32Array(this.picture.data.buffer);
    }
    makePicture(frame, facts, look, display, this.words);
    this.making.putImageData(this.picture, 0, 0);
  }

  draw(matrix) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(matrix);
    context.imageSmoothingQuality = Math.hypot(matrix.a, matrix.b) < 0.75 ? "high" : "low";
    context.drawImage(this.made, 0, 0);
  }

  read() {
    return this.making.getImageData(0, 0, this.made.width, this.made.height).data;
  }
}
