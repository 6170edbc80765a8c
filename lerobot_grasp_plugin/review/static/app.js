// The page: which episode and frame are looked at, what the person does, and how it is drawn.

import { Boundary } from "./boundary.js";
import { scheme } from "./colours.js";
import { legendOf, scaled } from "./curves.js";
import { dialogs } from "./dialogs.js";
import { finding } from "./find.js";
import { dragging, keyboard } from "./gestures.js";
import { Labels } from "./labels.js";
import { Large } from "./large.js";
import { EpisodeList } from "./list.js";
import { endAt, maskOf, painted, rangesOf, said, startAt } from "./marks.js";
import { Messages } from "./messages.js";
import { Notes } from "./notes.js";
import { Overview } from "./overview.js";
import { Player } from "./player.js";
import { Proposals } from "./proposals.js";
import { ask } from "./server.js";
import { Strip } from "./strip.js";

const at = (id) => document.getElementById(id);
const EVERY = 1000, SOON = 250; // ms until the server is asked for news again, and when it did not answer
const strip = new Strip(at("strip")), overview = new Overview(at("overview")), boundary = new Boundary(strip), messages = new Messages();
let set, base, labels, list, large, player, notes, proposals, episode = 0, cursor = 0, view, preview = null;

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
    if (error.kind === "outside") { Object.assign(refused, last); messages.redo = true; }
  }
  complain(error);
}

function unsaved(words) {
  if (!messages.unsaved.includes(words)) messages.unsaved.push(words);
  messages.draw();
}

function notice(words) { messages.notice = words; messages.draw(); }

function redraw() {
  if (view) refresh();
  messages.hint = labels !== undefined && set.lengths.every((_, i) => labels.of(i) === null);
  messages.draw();
  for (const button of document.querySelectorAll("[data-label]")) button.disabled = messages.blocked;
  if (labels) {
    list.draw(episode);
    notes.draw();
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
  proposals.draw(episode);
  draw();
  describe();
}

function draw() {
  strip.draw(); overview.draw(view); boundary.draw(view);
  const known = view.labelled ? (view.mask[here()] ? "success" : "failure") : "";
  if (at("large").dataset.label !== known) at("large").dataset.label = known;
}

// The whole episode in sight, or every frame of it, larger.
let fitted = true;
function fit() {
  fitted = true;
  strip.fit();
  at("zoom").value = strip.thumb;
  strip.layout();
}

function zoom(width) {
  fitted = false;
  strip.zoom(Math.max(20, Math.min(200, Math.round(width))));
  at("zoom").value = strip.thumb;
  strip.layout(); strip.reveal(here());
}

// Shows the episode's images, of the cameras that are chosen.
function film() {
  view.cameras = large.cameras;
  delete at("strip").dataset.complete;
  strip.show(view);
  if (fitted) fit(); else strip.layout();
}

// The thumbnails are there: those of the next episode are decoded, and its first image.
strip.ready = () => {
  const next = list.nextUnlabelled(episode);
  if (next === undefined || next === episode) return;
  for (const camera of large.cameras) {
    ask(`images/${next}/${camera}/ahead`, {}).catch(() => {});
    large.load({ episode: next, frame: 0, kind: "jpg", number: base }, camera);
  }
};
strip.arrived = () => boundary.draw(view);

async function select(i, frame = 0) {
  player.stop(); drag.cancel();
  episode = i; cursor = frame;
  const length = set.lengths[i];
  view = { episode: i, length, aspects: set.aspects, chunk: set.chunk, base, curves: [], suggested: proposals.suggested(i), cursor, pointed: null, mask: [], cameras: large.cameras,
    stripAddress: (camera, chunk) => `images/${i}/${camera}/strip/${chunk}` };
  at("title").textContent = `Episode ${i} · ${length} frames · ${(length / set.fps).toFixed(1)} s`;
  at("strip").setAttribute("aria-valuemin", base);
  at("strip").setAttribute("aria-valuemax", length - 1 + base);
  at("task").textContent = at("task").title = set.tasks[i] || "no task";
  large.begin(i);
  fitted = true;
  film(); redraw(); move(cursor, true);
  const mine = view;
  proposals.load(i).catch((error) => { if (view === mine) complain(error); });
  try {
    const found = await ask(`api/signals/${i}`, undefined, 0);
    if (view !== mine) return;
    view.curves = scaled(found.curves);
    at("legend").replaceChildren(...legendOf(found.curves));
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
  if (fast && player.playing) large.ahead({ ...wanted, kind: "jpg" }, Math.ceil(player.rate), view.length);
  if (!fast || !player.playing) exact = setTimeout(() => large.show({ ...wanted, kind: "png" }), fast ? 150 : 30);
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

function mark(ranges, before = view.ranges, i = episode) {
  if (messages.blocked) return;
  messages.notice = text(i, ranges);
  labels.mark(i, before, ranges);
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
  notice(change.lost ? `Episode ${i} was changed elsewhere; nothing is ${word.toLowerCase()}` : `${word}: ${text(i, labels.of(i))}`);
}

// Takes the file as it is now; `again` makes the changes that were not saved once more.
async function load(again) {
  const changes = again ? refused : {};
  try {
    const news = await ask("api/load", { serial: labels.serial });
    labels.take(news);
    refused = {}; messages.redo = false; messages.unsaved = [];
    hear(news);
    for (const [i, ranges] of Object.entries(changes)) labels.mark(+i, labels.of(+i), ranges);
  } catch (error) { complain(error); }
}

function play() {
  if (player.playing) { player.stop(); move(cursor); return; }
  player.start(0, view.length, here() >= view.length - 1 ? 0 : here(), false);
}

// Plays a second before and a second after the boundary, again and again.
function loop() {
  if (player.playing && player.repeats) { player.stop(); move(cursor); return; }
  const around = Math.max(5, Math.round(set.fps)), middle = boundary.next(view, here()) ?? here();
  const first = Math.max(0, middle - around);
  player.start(first, Math.min(view.length, middle + around), first, true);
}

function step(by) {
  const next = list.neighbour(by);
  if (next !== undefined) { select(next); list.reveal(next); }
}

const ACTS = {
  start: () => { move(here()); mark(rangesOf(startAt(view.mask, cursor))); },
  end: () => { move(here()); mark(rangesOf(endAt(view.mask, cursor))); },
  rest: () => { move(here()); mark(rangesOf(painted(view.mask, cursor, view.length - 1, true))); },
  fail: () => mark([]),
  undo: () => travel("undo", "Undone"),
  redo: () => travel("redo", "Redone"),
  flag: () => notes.open(),
  next: () => {
    const found = list.nextUnlabelled(episode);
    if (found === undefined) { notice("every episode is labelled"); return; }
    select(found); list.reveal(found);
  },
};

const drag = dragging(strip, {
  view: () => view, blocked: () => messages.blocked, playing: () => player.playing, go, point,
  preview: (mask) => { preview = mask; refresh(); }, mark: (mask, before) => mark(rangesOf(mask), before),
});
const focus = () => at("strip").focus({ preventScroll: true });

const REPEATS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "+", "-"];
function start() {
  const light = scheme(() => { if (view) draw(); }), find = finding({
    lengths: set.lengths, base: () => base, episode: () => episode, notice, leave: focus, search: (words) => list.search(words),
    go: (i, frame) => { if (i !== episode) select(i, frame); else move(frame); list.reveal(i); },
  });
  keyboard({
    ArrowLeft: (event) => move(here() - (event.shiftKey ? 10 : 1)), ArrowRight: (event) => move(here() + (event.shiftKey ? 10 : 1)),
    ArrowUp: () => step(-1), ArrowDown: () => step(1), Home: () => move(0), End: () => move(view.length - 1),
    "[": ACTS.start, "]": ACTS.end, s: ACTS.rest, f: ACTS.fail, ...Object.fromEntries([..."t23456789"].map((key, place) => [key, () => proposals.take(place)])), 1: () => proposals.take(0), x: ACTS.flag, u: ACTS.undo, y: ACTS.redo, n: ACTS.next, " ": play, l: loop,
    ",": () => player.change(-1), ".": () => player.change(1), c: () => large.choose(large.choice + 1), v: () => large.full(), Escape: () => large.full(false),
    g: find, "/": find, d: light,
    "ctrl+z": (event) => (event.shiftKey ? ACTS.redo() : ACTS.undo()), "ctrl+y": ACTS.redo,
    "+": () => zoom(strip.thumb + 12), "-": () => zoom(strip.thumb - 12), 0: fit, "?": () => opened.keys(),
  }, REPEATS, drag);
  const opened = dialogs({ ask, set, labels, settled, select, complain });
  at("overview").addEventListener("pointerdown", (event) => { at("overview").setPointerCapture(event.pointerId); move(overview.frameAt(event), true); });
  at("overview").addEventListener("pointermove", (event) => { if (event.buttons) move(overview.frameAt(event), true); });
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => ACTS[button.dataset.act]());
  at("back").addEventListener("click", () => move(cursor - 1));
  at("forward").addEventListener("click", () => move(cursor + 1));
  at("play").addEventListener("click", play);
  at("loop").addEventListener("click", loop);
  at("scheme").addEventListener("click", light);
  boundary.listen({ go: move, point: (frame) => { if (!player.playing) point(frame); } });
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
  notes = new Notes({ ask, labels, episode: () => episode, blocked: () => messages.blocked, heard: (news) => { labels.take(news); hear(news); }, complain, unsaved, leave: focus });
  list = new EpisodeList(labels, select, (i) => `episode ${text(i, labels.of(i))} ${set.tasks[i]} ${notes.words(i)}`);
  large = new Large(at("large"), set.cameras, () => { film(); draw(); look(true); });
  proposals = overview.proposals = new Proposals(set.labelers, set.tracks, {
    ask, labels, lengths: set.lengths, base: () => base, episode: () => episode, blocked: () => messages.blocked, complain,
    select: (i) => { select(i); list.reveal(i); }, take: (i, ranges) => mark(ranges, labels.of(i), i),
    arrived: (i) => { if (i === episode && view) { view.suggested = proposals.suggested(i); refresh(); } },
  });
  player = new Player(set.fps, (frame) => move(frame, true), (frame) => move(frame));
  start();
  hear(set.news);
  messages.saving = `Labels are in ${set.file}; every change is saved at once.`;
  const first = list.nextUnlabelled(-1) ?? 0;
  select(first); list.reveal(first);
  focus();
  listen();
} catch (error) { complain(error); }
