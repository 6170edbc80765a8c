// The page: what is selected, what the person does, and what the server keeps.

import { legendOf } from "./curves.js";
import { dialogs, make } from "./dialogs.js";
import { endAt, maskOf, painted, rangesOf, said, startAt } from "./marks.js";
import { Overview } from "./overview.js";
import { Strip } from "./strip.js";

const at = (id) => document.getElementById(id);
const strip = new Strip(at("strip")), overview = new Overview(at("overview"));
let state, episode = 0, cursor = 0, view, playing = null, drag = null, refused = null, saving = Promise.resolve();

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try { answer = await fetch(path, options); } catch { at("gone").hidden = false; throw new Error("the server does not answer"); }
  at("gone").hidden = true;
  const value = await answer.json().catch(() => ({ error: "the server gave no answer" }));
  if (!answer.ok) throw Object.assign(new Error(value.error), { status: answer.status });
  return value;
}

const kindOf = (i) => (!(i in state.labels) ? "unlabelled" : state.labels[i].length ? "labelled" : "fail");
const SIGNS = { unlabelled: "○", labelled: "✓", fail: "✗" };
const WORDS = { unlabelled: "unlabelled", labelled: "labelled", fail: "all fail" };

function shown() {
  const filter = at("filter").value;
  return state.lengths.map((_, i) => i).filter((i) => filter === "all" || (filter === "changed" ? state.changed.includes(i) : kindOf(i) === filter));
}

function showList() {
  const rows = shown().map((i) => {
    const kind = kindOf(i), length = state.lengths[i];
    const count = maskOf(state.labels[i], length).filter(Boolean).length;
    const changed = state.changed.includes(i) ? " •" : "";
    const row = make("li", null, { className: kind, id: `episode-${i}` });
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(i === episode));
    row.setAttribute("aria-label", `Episode ${i}, ${WORDS[kind]}, ${length} frames${changed && ", changed"}`);
    row.append(make("span", SIGNS[kind], { className: "mark" }), make("span", String(i), { className: "number" }),
      make("span", WORDS[kind] + changed.trim(), { className: "state", title: changed ? "changed in this session" : "" }),
      make("span", kind === "unlabelled" ? `${length} fr` : `${length} · ${Math.round((100 * count) / length)} %`, { className: "share" }));
    row.addEventListener("click", () => select(i));
    return row;
  });
  at("episodes").replaceChildren(...(rows.length ? rows : [make("li", "No episode is like this.", { className: "empty" })]));
  if (shown().includes(episode)) at("episodes").setAttribute("aria-activedescendant", `episode-${episode}`);
  const done = Object.keys(state.labels).length;
  at("progress").max = state.lengths.length; at("progress").value = done;
  at("progress-text").textContent = `${done} of ${state.lengths.length} episodes labelled`;
  at("dataset").textContent = state.dataset; at("dataset").title = state.dataset;
  document.querySelector('[data-act="undo"]').disabled = !state.undo;
  at("hint").hidden = done > 0;
}

function take(next) {
  state = next;
  showOutside(state.changed_outside);
  showList();
  if (view) refresh();
}

function refresh() {
  view.labelled = episode in state.labels;
  view.mask = drag?.mask ?? maskOf(state.labels[episode], view.length);
  at("said").textContent = said(state.labels[episode], view.length, state.index_base);
  at("said").dataset.episode = episode;
  showSuggestion();
  draw();
  describe();
}

function draw() { strip.draw(); overview.draw(view); }

// The largest frames at which the episode is in sight as a whole: with the curves in every line, or with
// one overview of them below. Longer episodes scroll.
let fitted = true;
function fit() {
  fitted = true;
  const curves = at("curves").checked;
  at("overview").hidden = true;
  strip.curvesInLines = curves;
  if (!strip.fit(44)) {
    strip.curvesInLines = false;
    at("overview").hidden = !curves;
    overview.draw(view);
    if (!strip.fit(20)) strip.width = 48;
  }
  at("zoom").value = strip.width;
  strip.layout();
}

function zoom(width) {
  fitted = false;
  strip.width = Math.max(20, Math.min(200, Math.round(width)));
  at("zoom").value = strip.width;
  strip.layout(); strip.reveal(here());
}

async function select(i, frame = 0) {
  stop();
  episode = i; cursor = frame;
  const length = state.lengths[i];
  view = { episode: i, length, aspects: state.aspects, chunk: state.chunk, base: state.index_base, curves: [], suggested: new Array(length).fill(false), cursor, pointed: null, mask: [],
    stripAddress: (camera, chunk) => `pictures/${i}/${camera}/strip/${chunk}` };
  delete at("strip").dataset.complete;
  showList();
  at(`episode-${i}`)?.scrollIntoView({ block: "nearest" });
  at("title").textContent = `Episode ${i} · ${length} frames · ${(length / state.fps).toFixed(1)} s`;
  at("strip").setAttribute("aria-valuemin", state.index_base);
  at("strip").setAttribute("aria-valuemax", length - 1 + state.index_base);
  delete at("large").dataset.frame;
  at("large").replaceChildren(...state.cameras.map((name) => {
    const figure = make("figure", null);
    figure.append(make("img", null, { alt: name }), make("figcaption", name.replace("observation.images.", "")));
    return figure;
  }));
  if (!state.cameras.length) at("large").append(make("p", "This dataset has no camera; the curves are what there is."));
  strip.show(view);
  fit(); refresh(); move(cursor);
  const mine = view;
  try {
    const found = await ask(`api/signals/${i}`);
    if (view !== mine) return;
    for (const curve of found.curves) {
      const values = curve.values.filter((value) => value !== null);
      const known = curve.name === "recorded success" ? [0, 1] : values;
      curve.min = Math.min(...known); curve.max = Math.max(...known);
    }
    view.curves = found.curves; view.suggestion = found.suggestion;
    view.suggested = maskOf(found.suggestion.ranges, length);
    at("legend").replaceChildren(...legendOf(found.curves).map(([colour, text]) => {
      const entry = make("span", null), line = make("i", "");
      line.style.background = colour; entry.append(line, text);
      return entry;
    }));
    refresh(); fit(); draw();
  } catch (error) { complain(error); }
}

function describe() {
  const frame = here(), number = frame + state.index_base, success = view.mask[frame];
  at("where").textContent = `${number} / ${view.length - 1 + state.index_base} · ${(frame / state.fps).toFixed(2)} s`;
  at("strip").setAttribute("aria-valuenow", number);
  at("strip").setAttribute("aria-valuetext", `frame ${number}, ${success ? "success" : view.labelled ? "failure" : "not labelled"}`);
}

// The frame the keys work on: the one the mouse points at, else the one last stepped to.
const here = () => view.pointed ?? cursor;

// Shows a frame of every camera at once, when all have arrived; of those asked for meanwhile, the last.
let loading = false, waiting = null;
async function show(wanted) {
  if (loading) { waiting = wanted; return; }
  loading = true;
  const images = state.cameras.map((name, camera) => make("img", null, { alt: `${name}, frame ${wanted.frame + state.index_base}`,
    src: `pictures/${wanted.episode}/${camera}/frame/${wanted.frame}/${wanted.kind}` }));
  try {
    await Promise.all(images.map((image) => image.decode()));
    if (wanted.episode === episode) {
      document.querySelectorAll("#large img").forEach((old, camera) => old.replaceWith(images[camera]));
      at("large").dataset.frame = wanted.frame;
    }
  } catch {
    if (wanted.episode === episode) complain(new Error(`Frame ${wanted.frame + state.index_base} of episode ${episode} cannot be shown.`));
  }
  loading = false;
  if (waiting) { const last = waiting; waiting = null; show(last); }
}

let exact;
function look(fast) {
  const wanted = { episode, frame: here() };
  clearTimeout(exact);
  if (fast) show({ ...wanted, kind: "jpg" });
  if (!fast || playing === null) exact = setTimeout(() => show({ ...wanted, kind: "png" }), fast ? 150 : 30);
  draw(); describe();
}

function move(frame, fast = false) {
  cursor = view.cursor = Math.max(0, Math.min(view.length - 1, frame));
  view.pointed = null;
  look(fast); strip.reveal(cursor);
}

function point(frame) {
  if (frame === view.pointed) return;
  view.pointed = frame;
  look(true);
}

function save(ranges) {
  const mine = episode;
  at("saved").textContent = "saving …";
  saving = saving.then(() => send(mine, ranges));
  return saving;
}

async function send(mine, ranges) {
  try {
    take(await ask("api/label", { episode: mine, ranges, version: state.version }));
    at("trouble").hidden = true;
    at("saved").textContent = `saved in ${state.file}`;
  } catch (error) {
    refresh();
    if (error.status === 409) { refused = { episode: mine, ranges }; at("saved").textContent = ""; showOutside(true); } else complain(error);
  }
}

function complain(error) {
  at("saved").textContent = "";
  if (!at("gone").hidden) return;
  at("trouble-text").textContent = error.message;
  at("trouble").hidden = false;
}

async function undo() {
  await saving;
  try { take(await ask("api/undo", { version: state.version })); at("saved").textContent = `undone in ${state.file}`; }
  catch (error) { if (error.status === 409) showOutside(true); else complain(error); }
}

function showOutside(yes) {
  at("outside").hidden = !yes;
  at("outside-redo").hidden = !refused;
  at("outside-detail").textContent = refused ? `Your change of episode ${refused.episode} is not saved.` : "Nothing was overwritten.";
}

async function load(again) {
  try {
    const change = again ? refused : null;
    refused = null;
    take(await ask("api/load", {}));
    if (change) await send(change.episode, change.ranges);
  } catch (error) { complain(error); }
}

function showSuggestion() {
  const found = view.suggestion, box = at("suggestion");
  box.hidden = !found || (!found.ranges.length && !found.reason);
  if (box.hidden) return;
  box.className = found.ranges.length ? "" : "none";
  box.replaceChildren(make("span", found.ranges.length ? `Gripper suggests ${said(found.ranges, view.length, state.index_base)}` : `No suggestion: ${found.reason}`));
  if (found.ranges.length) {
    const button = make("button", null, { type: "button" });
    button.append(make("kbd", "t"), " Take it");
    button.addEventListener("click", ACTS.suggestion);
    box.append(button);
    if (found.reason) box.append(make("small", found.reason));
  }
}

const ACTS = {
  start: () => { move(here()); save(rangesOf(startAt(view.mask, cursor))); },
  end: () => { move(here()); save(rangesOf(endAt(view.mask, cursor))); },
  rest: () => { move(here()); save(rangesOf(painted(view.mask, cursor, view.length - 1, true))); },
  fail: () => save([]),
  suggestion: () => { if (view.suggestion?.ranges.length) save(view.suggestion.ranges); },
  undo,
  next: () => {
    const order = state.lengths.map((_, i) => i), open = (i) => kindOf(i) === "unlabelled";
    const found = order.slice(episode + 1).find(open) ?? order.find(open);
    if (found !== undefined) select(found); else at("saved").textContent = "every episode is labelled";
  },
};

function step(by) {
  const list = shown(), place = list.indexOf(episode);
  const next = place < 0 ? list[0] : list[place + by];
  if (next !== undefined) select(next);
}

function stop() { cancelAnimationFrame(playing); playing = null; at("play").textContent = "Play"; }

function play() {
  if (playing !== null) { stop(); move(cursor); return; }
  const from = here() >= view.length - 1 ? 0 : here(), began = performance.now();
  at("play").textContent = "Stop";
  const tick = (now) => {
    const frame = from + Math.floor(((now - began) * state.fps) / 1000);
    if (frame >= view.length) { stop(); move(view.length - 1); return; }
    if (frame !== cursor) move(frame, true);
    playing = requestAnimationFrame(tick);
  };
  playing = requestAnimationFrame(tick);
}

const KEYS = {
  ArrowLeft: (event) => move(here() - (event.shiftKey ? 10 : 1)), ArrowRight: (event) => move(here() + (event.shiftKey ? 10 : 1)),
  ArrowUp: () => step(-1), ArrowDown: () => step(1), Home: () => move(0), End: () => move(view.length - 1),
  "[": ACTS.start, "]": ACTS.end, s: ACTS.rest, f: ACTS.fail, t: ACTS.suggestion, u: undo, n: ACTS.next, " ": play,
  "+": () => zoom(strip.width + 12), "-": () => zoom(strip.width - 12), 0: fit, "?": () => opened.keys(),
};

document.addEventListener("keydown", (event) => {
  if (!view || document.querySelector("dialog[open]") || event.altKey || event.metaKey) return;
  if (event.ctrlKey) { if (event.key === "z") { event.preventDefault(); undo(); } return; }
  const target = event.target.tagName;
  if (target === "SELECT" || target === "INPUT" || (target === "BUTTON" && (event.key === " " || event.key === "Enter"))) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(event); }
});

at("strip").addEventListener("pointerdown", (event) => {
  const frame = strip.frameAt(event);
  if (frame === null || event.button !== 0) return;
  at("strip").setPointerCapture(event.pointerId);
  move(frame);
  drag = { from: frame, on: !view.mask[frame], before: view.mask };
  drag.mask = painted(drag.before, frame, frame, drag.on);
  view.mask = drag.mask; draw();
});
let mouse = "";
at("strip").addEventListener("pointermove", (event) => {
  const place = `${event.clientX},${event.clientY}`;
  if (!view || place === mouse) return; // the page moved, not the mouse
  mouse = place;
  const frame = strip.frameAt(event);
  if (!drag) { if (event.pointerType === "mouse" && playing === null) point(frame); return; }
  if (frame === null || frame === cursor) return;
  drag.mask = view.mask = painted(drag.before, drag.from, frame, drag.on);
  move(frame, true);
});
at("strip").addEventListener("pointerleave", () => { if (view && !drag) point(null); });
at("strip").addEventListener("pointerup", () => {
  if (!drag) return;
  const mask = drag.mask; drag = null;
  move(cursor); save(rangesOf(mask));
});
at("strip").addEventListener("pointercancel", () => { drag = null; refresh(); });

at("overview").addEventListener("pointerdown", (event) => { at("overview").setPointerCapture(event.pointerId); move(overview.frameAt(event), true); });
at("overview").addEventListener("pointermove", (event) => { if (event.buttons) move(overview.frameAt(event), true); });

for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => ACTS[button.dataset.act]());
at("back").addEventListener("click", () => move(cursor - 1));
at("forward").addEventListener("click", () => move(cursor + 1));
at("play").addEventListener("click", play);
at("zoom").addEventListener("input", () => zoom(+at("zoom").value));
at("fit").addEventListener("click", fit);
at("curves").addEventListener("change", fit);
at("trouble-close").addEventListener("click", () => { at("trouble").hidden = true; });
at("filter").addEventListener("change", () => { showList(); });
at("outside-load").addEventListener("click", () => load(false));
at("outside-redo").addEventListener("click", () => load(true));
let room = "";
new ResizeObserver(() => {
  const now = `${at("strip").offsetWidth},${at("strip").offsetHeight}`;
  if (!view || now === room) return;
  if (fitted) fit(); else strip.layout();
  room = `${at("strip").offsetWidth},${at("strip").offsetHeight}`;
}).observe(at("strip"), { box: "border-box" });
const opened = dialogs({ ask, select, complain, state: () => state });

setInterval(async () => {
  if (document.hidden || !at("outside").hidden || drag) return;
  try { const next = await ask("api/state"); if (next.changed_outside) showOutside(true); else if (next.version !== state.version) take(next); } catch { /* the next try may do */ }
}, 2500);

try {
  take(await ask("api/state"));
  const first = state.lengths.findIndex((_, i) => kindOf(i) === "unlabelled");
  await select(Math.max(0, first));
  at("strip").focus();
} catch (error) { complain(error); }
