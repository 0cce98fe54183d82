// Frames and what is said of them, fetched once, kept within a limit, and fetched ahead of who pages through them.

import { readFrame } from "./pixels.js";

const MOST_BYTES = 384 * 1024 * 1024;
const AT_ONCE = 3;

async function ask(url) {
  const answer = await fetch(url, { headers: { accept: "application/json, application/octet-stream" } });
  if (answer.ok) return answer;
  let said = { title: `the console answered ${answer.status}`, advice: "" };
  try {
    said = await answer.json();
  } catch { /* no words came with it */ }
  const error = new Error(said.title);
  error.advice = said.advice || "";
  throw error;
}

export class FrameStore {
  #kept = new Map();
  #bytes = 0;
  #waiting = [];
  #working = 0;

  constructor(base) {
    this.base = base;
  }

  // What is said of a frame, and its samples. A presentation state changes what is said only.
  get(uid, number, state = "") {
    const facts = this.#keep(`facts ${uid} ${number} ${state}`, () => this.#readFacts(uid, number, state));
    const frame = this.#keep(`frame ${uid} ${number}`, () => this.#readFrame(uid, number));
    return Promise.all([facts, frame]).then(([said, samples]) => ({ facts: said, frame: samples }));
  }

  has(uid, number, state = "") {
    return [`facts ${uid} ${number} ${state}`, `frame ${uid} ${number}`].every((key) => this.#kept.get(key)?.value);
  }

  put(uid, number, facts) {
    this.#kept.set(`facts ${uid} ${number} `, { promise: Promise.resolve(facts), value: facts, bytes: 0 });
  }

  // Fetch these soon, a few at a time; what was to be fetched before and is not begun yet is forgotten.
  fetchAhead(wanted, state = "") {
    this.#waiting = wanted.filter(([uid, number]) => !this.has(uid, number, state)).map(([uid, number]) => [uid, number, state]);
    this.#work();
  }

  #work() {
    while (this.#working < AT_ONCE && this.#waiting.length) {
      const [uid, number, state] = this.#waiting.shift();
      this.#working++;
      this.get(uid, number, state).catch(() => {}).finally(() => {
        this.#working--;
        this.#work();
      });
    }
  }

  #keep(key, read) {
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.promise;
    }
    const entry = { value: null, bytes: 0 };
    entry.promise = read().then((value) => {
      entry.value = value;
      entry.bytes = value.bytes || 0;
      this.#bytes += entry.bytes;
      this.#forget();
      return value;
    });
    entry.promise.catch(() => this.#kept.delete(key));
    this.#kept.set(key, entry);
    return entry.promise;
  }

  #forget() {
    for (const [key, entry] of this.#kept) {
      if (this.#bytes <= MOST_BYTES) return;
      if (!entry.bytes) continue;
      this.#kept.delete(key);
      this.#bytes -= entry.bytes;
    }
  }

  async #readFacts(uid, number, state) {
    const more = state ? `&state=${encodeURIComponent(state)}` : "";
    return (await ask(`${this.base}/instance/${uid}/facts?frame=${number}${more}`)).json();
  }

  async #readFrame(uid, number) {
    const answer = await ask(`${this.base}/instance/${uid}/frames/${number}`);
    return readFrame(await answer.arrayBuffer(), answer.headers.get("x-samples"));
  }
}
