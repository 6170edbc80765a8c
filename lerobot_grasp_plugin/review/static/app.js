// The page: which episode and frame are looked at, what the person does, and how it is drawn.

import { legendOf } from "./curves.js";
import { dialogs, make } from "./dialogs.js";
import { dragging, keyboard } from "./gestures.js";
import { Labels } from "./labels.js";
import { Large } from "./large.js";
import { EpisodeList } from "./list.js";
import { endAt, maskOf, painted, rangesOf, said, startAt } from "./marks.js";
import { Messages } from "./messages.js";
import { Overview } from "./overview.js";
import { ask } from "./server.js";
import { Strip } from "./strip.js";

const at = (id) => document.getElementById(id);
const EVERY = 1000, SOON = 250; // ms until the server is asked for news again, and when it did not answer
const strip = new Strip(at("strip")), overview = new Overview(at("overview")), messages = new Messages();
let set, base, labels, list, large, episode = 0, cursor = 0, view, playing = null, preview = null;

const text = (i, ranges) => `episode ${i}: ${said(ranges, set.lengths[i], base)}`;

function complain(error) {
  if (error.kind !== "gone") answered();
  if (error.kind === "expired") messages.expired = true;
  else if (error.kind === "gone") messages.gone = true;
  else if (error.kind === "outside") messages.outside = true;
  else messages.complaint = error.message;
  redraw();
}

// The server answers. It is taken for gone until it has answered all changes, not only a question for news.
function answered() {
  if (!messages.gone || labels?.queue.length) return;
  messages.gone = false;
  messages.unsaved = [];
}

// What an answer says beyond labels: how the server and the file are.
function hear(news) {
  base = news.index_base;
  answered();
  const lost = Object.keys(refused).length > 0;
  Object.assign(messages, { file: news.trouble, outside: news.changed_outside || lost });
  redraw();
}

// Changes that have no answer, or were taken back: of every episode the last one.
let refused = {}; // by episode, the ranges that were not saved because the file is another one
function failed(error, changes) {
  const last = Object.fromEntries(changes.map((change) => [change.episode, change.after]));
  const names = Object.entries(last).map(([i, ranges]) => text(i, ranges));
  if (error.kind === "gone") messages.unsaved = names;
  else {
    answered();
    messages.notice = messages.saving = "";
    if (error.kind === "refused") error.message = `Not saved: ${names.join("; ")}: ${error.message}.`;
    else messages.unsaved = [...messages.unsaved, ...names];
    if (error.kind === "outside") Object.assign(refused, last);
  }
  complain(error);
}

function notice(words) { messages.notice = words; messages.draw(); }

function redraw() {
  if (view) refresh();
  messages.hint = labels !== undefined && set.lengths.every((_, i) => labels.of(i) === null);
  messages.draw();
  for (const button of document.querySelectorAll("[data-label]")) button.disabled = messages.blocked;
  if (labels) {
    list.draw(episode);
    for (const [act, changes] of [["undo", labels.done], ["redo", labels.undone]]) {
      const button = document.querySelector(`[data-act="${act}"]`), last = changes.at(-1);
      button.disabled = messages.blocked || !last;
      button.lastElementChild.textContent = last ? ` episode ${last.episode}` : "";
    }
  }
}

function refresh() {
  view.ranges = labels.of(episode);
  view.labelled = view.ranges !== null;
  view.mask = preview ?? maskOf(view.ranges, view.length);
  view.base = base;
  at("said").textContent = at("said").title = said(view.ranges, view.length, base);
  at("said").dataset.episode = episode;
  showSuggestion();
  draw();
  describe();
}

function draw() { strip.draw(); overview.draw(view); }

// The largest frames at which the episode is in sight as a whole. Longer episodes scroll.
let fitted = true;
function fit() {
  fitted = true;
  if (!strip.fit(20)) strip.width = 48;
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
  stop(); drag.cancel();
  episode = i; cursor = frame;
  const length = set.lengths[i];
  view = { episode: i, length, aspects: set.aspects, chunk: set.chunk, base, curves: [], suggested: new Array(length).fill(false), cursor, pointed: null, mask: [],
    stripAddress: (camera, chunk) => `pictures/${i}/${camera}/strip/${chunk}` };
  delete at("strip").dataset.complete;
  at("title").textContent = `Episode ${i} · ${length} frames · ${(length / set.fps).toFixed(1)} s`;
  at("strip").setAttribute("aria-valuemin", base);
  at("strip").setAttribute("aria-valuemax", length - 1 + base);
  large.begin(i);
  strip.show(view);
  fit(); redraw(); move(cursor);
  const mine = view;
  try {
    const found = await ask(`api/signals/${i}`, undefined, 0);
    if (view !== mine) return;
    for (const curve of found.curves) {
      const values = curve.values.filter((value) => value !== null);
      const known = curve.name === "recorded success" ? [0, 1] : values;
      curve.min = Math.min(...known); curve.max = Math.max(...known);
    }
    view.curves = found.curves; view.suggestion = found.suggestion;
    view.suggested = maskOf(found.suggestion.ranges, length);
    at("legend").replaceChildren(...legendOf(found.curves).map(([colour, words]) => {
      const entry = make("span", null), line = make("i", "");
      line.style.background = colour; entry.append(line, words);
      return entry;
    }));
    refresh();
  } catch (error) { if (view === mine) complain(error); }
}

function describe() {
  const frame = here(), number = frame + base, success = view.mask[frame];
  at("where").textContent = `${number} / ${view.length - 1 + base} · ${(frame / set.fps).toFixed(2)} s`;
  at("strip").setAttribute("aria-valuenow", number);
  at("strip").setAttribute("aria-valuetext", `frame ${number}, ${success ? "success" : view.labelled ? "failure" : "not labelled"}`);
}

// The frame the keys work on: the one the mouse points at, else the one last gone to.
const here = () => view.pointed ?? cursor;

let exact;
function look(fast) {
  const frame = here(), wanted = { episode, frame, number: frame + base };
  clearTimeout(exact);
  if (fast) large.show({ ...wanted, kind: "jpg" });
  if (!fast || playing === null) exact = setTimeout(() => large.show({ ...wanted, kind: "png" }), fast ? 150 : 30);
  draw(); describe();
}

function go(frame, fast = false) {
  cursor = view.cursor = Math.max(0, Math.min(view.length - 1, frame));
  view.pointed = null;
  look(fast);
}

function move(frame, fast = false) { go(frame, fast); strip.reveal(cursor); }

function point(frame) {
  if (frame === view.pointed) return;
  view.pointed = frame;
  look(true);
}

function mark(ranges, before = view.ranges) {
  if (messages.blocked) return;
  messages.notice = text(episode, ranges);
  labels.mark(episode, before, ranges);
}

// The labels on the page changed; `news` is the answer that confirmed a change.
function marked(news) {
  if (labels.queue.length) messages.saving = "saving …";
  else if (news) messages.saving = `saved in ${set.file}`;
  if (news) hear(news); else { messages.complaint = null; redraw(); }
}

function travel(act, word) {
  if (messages.blocked) return;
  const change = labels[act]();
  if (!change) { notice(`Nothing to ${act}`); return; }
  const i = change.episode;
  if (i !== episode) { select(i); list.reveal(i); }
  notice(change.lost ? `Episode ${i} was changed elsewhere since; nothing is ${word.toLowerCase()}` : `${word}: ${text(i, labels.of(i))}`);
}

// Takes the file as it is now; `again` makes the changes that were not saved once more.
async function load(again) {
  const changes = again ? refused : {};
  try {
    const news = await ask("api/load", { serial: labels.serial });
    labels.take(news);
    refused = {}; messages.unsaved = [];
    hear(news);
    for (const [i, ranges] of Object.entries(changes)) labels.mark(+i, labels.of(+i), ranges);
  } catch (error) { complain(error); }
}

function showSuggestion() {
  const found = view.suggestion, any = found !== undefined && found.ranges.length > 0;
  at("suggestion").className = any ? "" : "none";
  const words = any ? `Gripper suggests ${said(found.ranges, view.length, base)}` : found?.reason ? `No suggestion: ${found.reason}` : "";
  at("suggestion-text").textContent = at("suggestion-text").title = any && found.reason ? `${words} (${found.reason})` : words;
  at("take").disabled = !any || messages.blocked;
}

function play() {
  if (playing !== null) { stop(); move(cursor); return; }
  const from = here() >= view.length - 1 ? 0 : here(), began = performance.now();
  at("play").textContent = "Stop";
  const tick = (now) => {
    const frame = from + Math.floor(((now - began) * set.fps) / 1000);
    if (frame >= view.length) { stop(); move(view.length - 1); return; }
    if (frame !== cursor) move(frame, true);
    playing = requestAnimationFrame(tick);
  };
  playing = requestAnimationFrame(tick);
}

function stop() { cancelAnimationFrame(playing); playing = null; at("play").textContent = "Play"; }

function step(by) {
  const next = list.neighbour(by);
  if (next !== undefined) { select(next); list.reveal(next); }
}

const ACTS = {
  start: () => { move(here()); mark(rangesOf(startAt(view.mask, cursor))); },
  end: () => { move(here()); mark(rangesOf(endAt(view.mask, cursor))); },
  rest: () => { move(here()); mark(rangesOf(painted(view.mask, cursor, view.length - 1, true))); },
  fail: () => mark([]),
  suggestion: () => { if (view.suggestion?.ranges.length) mark(view.suggestion.ranges); },
  undo: () => travel("undo", "Undone"),
  redo: () => travel("redo", "Redone"),
  next: () => {
    const found = list.nextUnlabelled(episode);
    if (found === undefined) { notice("every episode is labelled"); return; }
    select(found); list.reveal(found);
  },
};

const drag = dragging(strip, {
  view: () => view, blocked: () => messages.blocked, playing: () => playing !== null, go, point,
  preview: (mask) => { preview = mask; refresh(); }, mark: (mask, before) => mark(rangesOf(mask), before),
});

const REPEATS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "+", "-"];
function start() {
  keyboard({
    ArrowLeft: (event) => move(here() - (event.shiftKey ? 10 : 1)), ArrowRight: (event) => move(here() + (event.shiftKey ? 10 : 1)),
    ArrowUp: () => step(-1), ArrowDown: () => step(1), Home: () => move(0), End: () => move(view.length - 1),
    "[": ACTS.start, "]": ACTS.end, s: ACTS.rest, f: ACTS.fail, t: ACTS.suggestion, u: ACTS.undo, y: ACTS.redo, n: ACTS.next, " ": play,
    "ctrl+z": (event) => (event.shiftKey ? ACTS.redo() : ACTS.undo()), "ctrl+y": ACTS.redo,
    "+": () => zoom(strip.width + 12), "-": () => zoom(strip.width - 12), 0: fit, "?": () => opened.keys(),
  }, REPEATS, drag);
  const opened = dialogs({ ask, set, labels, settled, select, complain });
  at("overview").addEventListener("pointerdown", (event) => { at("overview").setPointerCapture(event.pointerId); move(overview.frameAt(event), true); });
  at("overview").addEventListener("pointermove", (event) => { if (event.buttons) move(overview.frameAt(event), true); });
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => ACTS[button.dataset.act]());
  at("back").addEventListener("click", () => move(cursor - 1));
  at("forward").addEventListener("click", () => move(cursor + 1));
  at("play").addEventListener("click", play);
  at("zoom").addEventListener("input", () => zoom(+at("zoom").value));
  at("fit").addEventListener("click", fit);
  at("outside-load").addEventListener("click", () => load(false));
  at("outside-redo").addEventListener("click", () => load(true));
  new ResizeObserver(() => { if (fitted) fit(); else strip.layout(); draw(); }).observe(at("strip"), { box: "border-box" });
  window.addEventListener("pagehide", () => { if (labels.queue.length) ask("api/change", labels.unanswered).catch(() => {}); });
  window.addEventListener("beforeunload", (event) => { if (labels.queue.length) event.preventDefault(); });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
async function settled() { while (labels.queue.length && !messages.expired) await pause(20); }

// Asks for news for as long as the address is valid: what others change, and whether marks can be kept.
async function listen() {
  while (!messages.expired) {
    await pause(messages.gone ? SOON : EVERY);
    if (document.hidden) continue;
    try {
      const news = await ask(`api/news/${labels.serial}`);
      labels.take(news);
      hear(news);
      labels.send();
    } catch (error) {
      if (error.kind === "gone") failed(error, labels.queue); else complain(error);
      if (error.kind === "expired") labels.send();
    }
  }
}

try {
  set = await ask("api/state");
  base = set.news.index_base;
  at("dataset").textContent = at("dataset").title = set.dataset;
  labels = new Labels(set.lengths, ask, marked, failed);
  labels.take(set.news);
  list = new EpisodeList(labels, select);
  large = new Large(at("large"), set.cameras);
  start();
  hear(set.news);
  messages.saving = `Labels are in ${set.file}; every change is saved at once.`;
  const first = list.nextUnlabelled(-1) ?? 0;
  select(first); list.reveal(first);
  at("strip").focus({ preventScroll: true });
  listen();
} catch (error) { complain(error); }
