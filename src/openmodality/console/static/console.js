// What every page does: hears what changes, says when it does not, keys, focus, and forms that are not sent twice.
"use strict";
(() => {
  const STALE_MS = 5000;
  const body = document.body;
  const live = document.getElementById("live");
  let heardAt = Date.now();
  let boot = "";
  let isStale = false;

  // What changes

  function dispatch(name) {
    body.dispatchEvent(new CustomEvent(name));
  }

  function hear(message) {
    heardAt = Date.now();
    if (message.kind === "hello") {
      if (boot && boot !== message.boot) dispatch("om-resync");
      boot = message.boot;
    }
    if (message.kind === "change") dispatch(`om-${message.subject}`);
    if (message.kind === "resync") dispatch("om-resync");
    setStale(false);
  }

  function setStale(stale) {
    if (stale === isStale && live.dataset.state) return;
    const wasStale = isStale;
    isStale = stale;
    body.classList.toggle("stale", stale);
    document.getElementById("stale").hidden = !stale;
    live.dataset.state = stale ? "lost" : "live";
    live.className = stale ? "state bad" : "state ok";
    live.querySelector(".said").textContent = stale ? "not live" : "live";
    block();
    if (wasStale && !stale) dispatch("om-resync");
  }

  function block() {
    for (const button of document.querySelectorAll("[data-needs-live] button")) {
      if (isStale) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  function listen() {
    const url = body.dataset.events;
    const position = Number(body.dataset.position);
    if (window.SharedWorker) {
      const worker = new SharedWorker(window.consolePolicy.createScriptURL(body.dataset.worker));
      worker.port.onmessage = (event) => hear(event.data);
      worker.port.start();
      worker.port.postMessage({ kind: "open", url, position });
      window.addEventListener("pagehide", () => worker.port.postMessage({ kind: "bye" }));
      window.addEventListener("pageshow", (event) => event.persisted && location.reload());
      return;
    }
    const source = new EventSource(`${url}?after=${position}`);
    source.addEventListener("hello", (event) => hear({ kind: "hello", boot: JSON.parse(event.data).boot }));
    source.addEventListener("alive", () => hear({ kind: "alive" }));
    source.addEventListener("resync", () => hear({ kind: "resync" }));
    source.addEventListener("change", (event) => hear({ kind: "change", ...JSON.parse(event.data) }));
  }

  setInterval(() => body.dataset.events && Date.now() - heardAt > STALE_MS && setStale(true), 500);

  // Forms

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (isStale && form.matches("[data-needs-live]")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    isDirty = false;
    if (!form.hasAttribute("hx-post") && form.method === "post") {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    }
  }, true);

  // Files go in parts that every server takes, then the form says that all are there

  const PART = 900000;
  async function upload(form) {
    const files = [...form.querySelector("[type=file]").files];
    const name = [...crypto.getRandomValues(new Uint8Array(8))].map((each) => each.toString(16).padStart(2, "0")).join("");
    const said = form.querySelector(".uploading");
    const headers = { "x-form-token": form.elements.form_token.value, "content-type": "application/octet-stream" };
    for (const [number, file] of files.entries()) {
      for (let offset = 0; offset === 0 || offset < file.size; offset += PART) {
        const query = new URLSearchParams({ name: file.name, offset, last: offset + PART >= file.size });
        const answer = await fetch(`${form.dataset.upload}${name}?${query}`, { method: "POST", headers, body: file.slice(offset, offset + PART) });
        if (!answer.ok) {
          const problem = await answer.json().catch(() => ({}));
          throw new Error(`${file.name}: ${problem.title || "it could not be uploaded"}`);
        }
        said.textContent = `file ${number + 1} of ${files.length}: ${Math.round((100 * Math.min(offset + PART, file.size)) / Math.max(file.size, 1))} %`;
      }
    }
    form.elements.upload.value = name;
    form.submit();
  }
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !event.target.matches("[data-upload]")) return;
    event.preventDefault();
    const form = event.target;
    upload(form).catch((error) => {
      const note = document.createElement("div");
      note.className = "notice bad";
      note.setAttribute("role", "alert");
      note.textContent = error.message;
      document.getElementById("notes").replaceChildren(note);
      delete form.dataset.sent;
    });
  });

  const guarded = [...document.querySelectorAll("[data-guard] input")];
  let isDirty = guarded.some((field) => field.value !== field.defaultValue); // typed before this script ran
  document.addEventListener("input", (event) => {
    if (event.target.closest("[data-guard]")) isDirty = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty) event.preventDefault();
  });

  // Trees: who ticks a patient or a study ticks what is below, and nothing else stands for it

  function countChosen(form) {
    const all = [...form.querySelectorAll("[data-above], [data-below]")];
    const chosen = all.filter((box) => box.checked && !box.disabled);
    form.querySelector("[data-chosen]").textContent = chosen.length ? `${chosen.length} chosen` : "nothing chosen";
  }

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || !form.querySelector("[data-chosen]")) return;
    spread(form, event.target);
    countChosen(form);
  });

  function spread(form, box) {
    if (!box.dataset.above) return;
    for (const below of form.querySelectorAll(`[data-below="${box.dataset.above}"]`)) {
      below.checked = below.disabled = box.checked;
      spread(form, below);
    }
  }

  // Film: an image goes to another place by dragging it there; the list has fields for the same

  let dragged = null;
  const findBox = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-film-place]");
  document.addEventListener("pointerdown", (event) => {
    const box = event.target.closest("[data-film-place]");
    if (!box || !box.dataset.uid || !document.getElementById("film-place")) return;
    dragged = box;
    box.classList.add("dragged");
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const over = findBox(event);
    for (const box of document.querySelectorAll(".box.target")) if (box !== over) box.classList.remove("target");
    if (over && over !== dragged) over.classList.add("target");
  });
  document.addEventListener("pointerup", (event) => {
    if (!dragged) return;
    const [from, to] = [dragged, findBox(event)];
    dragged = null;
    from.classList.remove("dragged");
    const form = document.getElementById("film-place");
    if (!to || to.dataset.filmPlace === from.dataset.filmPlace) return;
    form.elements.uid.value = from.dataset.uid;
    form.elements.to.value = to.dataset.filmPlace;
    form.requestSubmit();
  });

  // Keys

  const ofThisComputer = () => {
    try {
      return localStorage.getItem("single-keys") !== "off";
    } catch {
      return true;
    }
  };
  const singleKeys = document.getElementById("single-keys");
  singleKeys.checked = ofThisComputer();
  singleKeys.addEventListener("change", () => {
    try {
      localStorage.setItem("single-keys", singleKeys.checked ? "on" : "off");
    } catch { /* this browser keeps nothing */ }
  });

  // A single key may be another one on this computer: what is pressed is told to the page as the key that it stands for

  const readKeys = () => {
    try {
      return JSON.parse(localStorage.getItem("own-keys") || "{}");
    } catch {
      return {};
    }
  };
  let ownKeys = readKeys();
  const fields = [...document.querySelectorAll("[data-single]")];
  const usualKeys = fields.map((field) => field.dataset.single);
  const keyOf = (usual) => ownKeys[usual] || usual;
  const problem = document.getElementById("key-problem");

  function showOwnKeys() {
    for (const field of fields) field.value = keyOf(field.dataset.single);
    for (const shown of document.querySelectorAll("[data-key]")) shown.textContent = keyOf(shown.dataset.key);
  }
  function keepKeys(keys) {
    ownKeys = keys;
    try {
      localStorage.setItem("own-keys", JSON.stringify(keys));
    } catch { /* this browser keeps nothing */ }
    showOwnKeys();
  }
  function chooseKey(field) {
    const usual = field.dataset.single;
    const wanted = field.value.trim().toLowerCase();
    const taken = usualKeys.find((each) => each !== usual && keyOf(each) === wanted);
    field.toggleAttribute("aria-invalid", false);
    problem.textContent = "";
    if ([...wanted].length !== 1) problem.textContent = "Give one key, a letter, a digit or a sign.";
    else if (taken) problem.textContent = `${wanted} is the key for: ${document.querySelector(`[data-single="${CSS.escape(taken)}"]`).dataset.does}. Choose another one, or change that first.`;
    else {
      const { [usual]: _, ...others } = ownKeys;
      keepKeys(wanted === usual ? others : { ...others, [usual]: wanted });
      return;
    }
    field.setAttribute("aria-invalid", "true");
  }
  for (const field of fields) field.addEventListener("change", () => chooseKey(field));
  document.getElementById("usual-keys").addEventListener("click", () => {
    problem.textContent = "";
    keepKeys({});
  });
  showOwnKeys();

  window.addEventListener("keydown", (event) => {
    const isText = event.target.matches && event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
    if (!event.isTrusted || isText || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    const pressed = event.key.toLowerCase();
    const meant = usualKeys.find((usual) => keyOf(usual) === pressed);
    if (meant === pressed || (meant === undefined && !usualKeys.includes(pressed))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (meant === undefined) return;  // it stands for nothing any more
    const told = { key: meant, code: event.code, shiftKey: event.shiftKey, bubbles: true, cancelable: true };
    event.target.dispatchEvent(new KeyboardEvent("keydown", told));
  }, true);

  const dialog = document.getElementById("keys");
  const showKeys = () => dialog.open || dialog.showModal();
  document.querySelector("[data-keys]").addEventListener("click", showKeys);

  function goBack() {
    const open = document.querySelector("main details[open]");
    const back = document.querySelector("[data-back]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (back) back.click();
  }

  function moveRow(step, table) {
    const links = [...(table || document).querySelectorAll("[data-rows] .row-link, .row-link")];
    if (!links.length) return false;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const inField = event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
    if (event.altKey && !event.ctrlKey && /^[0-9]$/.test(event.key)) {
      const place = document.querySelector(`[data-place="${event.key}"]`);
      if (place) {
        event.preventDefault();
        place.click();
      }
    } else if (event.ctrlKey && event.key === "Enter") {
      const primary = document.querySelector("[data-primary]");
      if (primary) primary.form.requestSubmit(primary);
    } else if (event.key === "Escape" && !dialog.open) {
      if (inField) event.target.blur();
      else goBack();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.matches("select, textarea, [type=radio]") && !dialog.open) {
      if (moveRow(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    } else if (!inField && singleKeys.checked && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (event.key === "/" && search) {
        event.preventDefault();
        search.focus();
        search.select();
      } else if (event.key === "?") {
        event.preventDefault();
        showKeys();
      }
    }
  });

  // Where there is little room each cell of a table stands under the other: it says which column it is of

  const narrow = matchMedia("(max-width: 700px)");
  function nameColumns() {
    if (!narrow.matches) return;
    for (const table of document.querySelectorAll("main table.rows:not(.levels, .statement *)")) {
      const heads = [...table.querySelectorAll("thead th")].map((each) => each.textContent.trim());
      for (const cell of table.querySelectorAll("tbody td, tbody th.when")) if (heads[cell.cellIndex]) cell.dataset.label = heads[cell.cellIndex];
    }
  }
  narrow.addEventListener("change", nameColumns);
  document.addEventListener("htmx:after:swap", nameColumns);
  nameColumns();

  // More of a list: who asked for it by a key is at the first line that came

  let asked = -1;
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-more]")) asked = [...document.querySelectorAll(".row-link")].indexOf(event.target.closest("[data-more]"));
  });
  document.addEventListener("htmx:after:swap", () => {
    if (asked >= 0 && document.activeElement === body) document.querySelectorAll(".row-link")[asked]?.focus();
    asked = -1;
  });

  // Clock

  const clock = document.getElementById("clock");
  const tick = () => {
    const now = new Date();
    clock.textContent = now.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    clock.dateTime = now.toISOString();
  };
  tick();
  setInterval(tick, 5000);

  document.addEventListener("htmx:after:swap", block);
  const invalid = document.querySelector("[aria-invalid=true]");
  if (invalid) invalid.focus();
  if (body.dataset.events) listen(); // who may see no patient gets no events
})();
