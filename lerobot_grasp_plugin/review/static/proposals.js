// What labelers propose: a row for each with a key that takes it, a track over the whole episode, and the list from which
// many are taken at once.

import { colours } from "./colours.js";
import { make } from "./dialogs.js";
import { maskOf, said, same } from "./marks.js";

const at = (id) => document.getElementById(id);
const TRACK = 11, BETWEEN = 2, ROWS = 4; // pixels of a track; rows in sight
const KEYS = "t23456789";

const titled = (name) => name[0].toUpperCase() + name.slice(1);

export class Proposals {
  // `page` gives: ask(path), lengths, labels, base(), blocked(), arrived(episode), take(episode, ranges), select(episode),
  // episode(), complain(error).
  constructor(names, tracks, page) {
    Object.assign(this, { names, tracks, page, known: names.map(() => new Map()), asked: names.map(() => new Map()) });
    this.rows = names.map((_, place) => this.row(place));
    at("suggestions").replaceChildren(...this.rows);
    at("suggestions").style.setProperty("--rows", Math.min(ROWS, names.length));
    at("suggestions").closest("aside").classList.toggle("several", names.length > 1);
    at("show-proposals").hidden = !names.length;
    at("show-proposals").addEventListener("click", () => this.open());
    at("proposals-labeler").replaceChildren(...names.map((name, place) => make("option", titled(name), { value: place })));
    at("proposals-labeler").addEventListener("change", () => this.list());
    at("proposals-take").addEventListener("click", () => this.takeChosen());
    at("proposals").addEventListener("close", () => { this.listing = null; });
  }

  // The height of all tracks on the axis of the episode.
  get height() { return this.tracks ? this.names.length * (TRACK + BETWEEN) : 0; }

  // The first labeler has the names that stood alone here.
  row(place) {
    const part = (name) => (place ? `${name}-${place + 1}` : name);
    const row = make("div", null, { id: part("suggestion"), className: "suggestion none" });
    const button = make("button", null, { id: part("take"), type: "button", disabled: true });
    button.append(make("kbd", KEYS[place] ?? ""), " Take it");
    button.addEventListener("click", () => this.take(place));
    row.append(make("span", "", { id: part("suggestion-text") }), button);
    return row;
  }

  of(place, episode) { return this.known[place].get(episode); }

  // Asks for what is not known of an episode; each answer is shown when it arrives.
  load(episode) { return Promise.all(this.names.map((_, place) => this.fetch(place, episode))); }

  fetch(place, episode) {
    const asked = this.asked[place];
    if (!asked.has(episode)) {
      asked.set(episode, this.page.ask(`api/proposals/${place}/${episode}`, undefined, 0).then((found) => {
        this.known[place].set(episode, found);
        this.page.arrived(episode);
      }, (error) => { asked.delete(episode); throw error; }));
    }
    return asked.get(episode);
  }

  // The frames that the first labeler with a proposal proposes.
  suggested(episode) {
    const found = this.names.map((_, place) => this.of(place, episode)).find((one) => one?.ranges?.length);
    return maskOf(found?.ranges ?? [], this.page.lengths[episode]);
  }

  words(place, episode) {
    const found = this.of(place, episode), name = titled(this.names[place]);
    if (!found) return "";
    if (!found.ranges) return `${this.names.length > 1 ? `${name}: no` : "No"} suggestion: ${found.reason}`;
    const confidence = found.confidence === null ? "" : `, confidence ${found.confidence.toFixed(2)}`;
    const words = `${name} suggests ${said(found.ranges, this.page.lengths[episode], this.page.base())}${confidence}`;
    return found.reason ? `${words} (${found.reason})` : words;
  }

  draw(episode) {
    this.rows.forEach((row, place) => {
      const [text, button] = row.children, found = this.of(place, episode), any = Boolean(found?.ranges);
      row.className = any ? "suggestion" : "suggestion none";
      text.textContent = text.title = this.words(place, episode);
      button.disabled = !any || this.page.blocked();
    });
  }

  take(place) {
    const { page } = this, episode = page.episode(), found = this.of(place, episode);
    if (found?.ranges && !page.blocked()) page.take(episode, found.ranges);
  }

  // Draws the tracks of a view from the height `y` down: ranges filled, probability as a line.
  drawTracks(pen, view, y, size) {
    if (!this.tracks) return y;
    this.names.forEach((name, place) => {
      const found = this.of(place, view.episode);
      pen.fillStyle = colours.ground;
      pen.fillRect(0, y, view.length * size, TRACK);
      pen.fillStyle = colours.suggest;
      for (const [start, stop] of found?.ranges ?? []) pen.fillRect(start * size, y + TRACK - 4, ((stop ?? view.length) - start) * size, 4);
      if (found?.curve) {
        pen.strokeStyle = colours.ink; pen.lineWidth = 1; pen.beginPath();
        found.curve.forEach((value, frame) => {
          const x = (frame + 0.5) * size, level = y + TRACK - 1 - value * (TRACK - 2);
          if (frame) pen.lineTo(x, level); else pen.moveTo(x, level);
        });
        pen.stroke();
      }
      if (this.names.length > 1) { pen.fillStyle = colours.soft; pen.fillText(name, 2, y + TRACK / 2); }
      y += TRACK + BETWEEN;
    });
    return y;
  }

  // The list of all proposals of one labeler, disagreements first: with the labels, else between labelers.
  async open() {
    at("proposals").showModal();
    const lengths = this.page.lengths, mine = (this.listing = {});
    at("proposals-rows").replaceChildren();
    at("proposals-take").disabled = true;
    try {
      for (let episode = 0; episode < lengths.length; episode++) {
        at("proposals-state").textContent = `Reading episode ${episode} of ${lengths.length} …`;
        await this.load(episode);
        if (this.listing !== mine) return;
      }
    } catch (error) { at("proposals").close(); this.page.complain(error); return; }
    this.list();
  }

  difference(episode, ranges, other) {
    const length = this.page.lengths[episode], mask = maskOf(other, length);
    return maskOf(ranges, length).filter((on, frame) => on !== mask[frame]).length;
  }

  list() {
    const { page } = this, place = +at("proposals-labeler").value, lines = [];
    page.lengths.forEach((length, episode) => {
      const { ranges, confidence, reason } = this.of(place, episode), label = page.labels.of(episode);
      const others = this.names.map((_, other) => this.of(other, episode)).filter((other) => ranges && other.ranges);
      const against = ranges === null ? 0 : label !== null ? this.difference(episode, ranges, label)
        : Math.max(...others.map((other) => this.difference(episode, ranges, other.ranges)));
      lines.push({ episode, length, ranges, confidence, reason, label, against });
    });
    lines.sort((one, other) => other.against - one.against || (one.confidence ?? 1) - (other.confidence ?? 1) || one.episode - other.episode);
    const none = lines.filter((line) => line.ranges === null).length, against = lines.filter((line) => line.against).length;
    at("proposals-state").textContent = `${lines.length - none} proposals, ${against} that differ from the label, or from another labeler where no label exists.`;
    this.lines = lines.filter((line) => line.ranges !== null);
    at("proposals-rows").replaceChildren(...this.lines.map((line) => this.line(line)));
    this.count();
  }

  line(line) {
    const { page } = this, row = make("tr", null), length = line.length, share = (ranges) => said(ranges, length, page.base());
    line.box = make("input", null, { type: "checkbox", checked: line.label === null, disabled: line.label !== null && same(line.label, line.ranges, length) });
    line.box.setAttribute("aria-label", `Take the proposal for episode ${line.episode}`);
    line.box.addEventListener("change", () => this.count());
    const link = make("button", `Episode ${line.episode}`, { type: "button", className: "link" });
    link.addEventListener("click", () => { at("proposals").close(); page.select(line.episode); });
    const cells = [line.box, link, share(line.ranges), share(line.label), line.against ? `${line.against} of ${length}` : "–", line.confidence?.toFixed(2) ?? "–"];
    row.append(...cells.map((cell) => { const place = make("td", null); place.append(cell); return place; }));
    row.children[2].title = line.reason;
    return row;
  }

  get chosen() { return this.lines.filter((line) => line.box.checked && !line.box.disabled); }

  count() {
    const chosen = this.chosen, marked = chosen.filter((line) => line.label !== null).length;
    at("proposals-take").disabled = !chosen.length || this.page.blocked();
    at("proposals-take").textContent = `Take ${chosen.length}${marked ? `, ${marked} replacing labels` : ""}`;
  }

  // Takes what is chosen, as it is in the list; an episode whose label has changed since is left alone.
  takeChosen() {
    const { page } = this;
    for (const { episode, label, ranges, length } of this.chosen) if (!page.blocked() && same(page.labels.of(episode), label, length)) page.take(episode, ranges);
    at("proposals").close();
  }
}
