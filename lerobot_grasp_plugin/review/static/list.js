// The list of episodes. Which ones it holds is settled when a filter is chosen: no row moves because of a mark.

import { make } from "./dialogs.js";
import { countOf } from "./marks.js";
import { scrollTo } from "./strip.js";

const at = (id) => document.getElementById(id);
const SIGNS = { unlabelled: "○", labelled: "✓", fail: "✗" };
const WORDS = { unlabelled: "unlabelled", labelled: "labelled", fail: "all fail" };

export class EpisodeList {
  // `text(i)`: what a search looks at.
  constructor(labels, select, text) {
    Object.assign(this, { labels, select, text, query: "" });
    at("filter").addEventListener("change", () => { this.choose(); this.draw(); });
    this.choose();
  }

  kindOf(i) {
    const ranges = this.labels.of(i);
    return ranges === null ? "unlabelled" : ranges.length ? "labelled" : "fail";
  }

  flagOf(i) { return this.labels.notes[i]?.flag ?? null; }

  search(words) {
    const query = words.trim().toLowerCase();
    if (query === this.query) return;
    this.query = query;
    this.choose(); this.draw();
  }

  choose() {
    const filter = at("filter").value;
    const fits = (i) => filter === "all" || (filter === "changed" ? this.labels.altered.has(i) : filter === "flagged" ? this.flagOf(i) !== null : this.kindOf(i) === filter);
    const found = (i) => !this.query || this.text(i).toLowerCase().includes(this.query);
    this.episodes = this.labels.lengths.map((_, i) => i).filter((i) => fits(i) && found(i));
    this.rows = new Map(this.episodes.map((i) => [i, this.row(i)]));
    at("episodes").replaceChildren(...(this.rows.size ? this.rows.values() : [make("li", "No matching episodes.", { className: "empty" })]));
  }

  row(i) {
    const row = make("li", null, { id: `episode-${i}` });
    row.setAttribute("role", "option");
    row.append(make("span", "", { className: "mark" }), make("span", String(i), { className: "number" }), make("span", "", { className: "flag" }), make("span", "", { className: "state" }), make("span", "", { className: "share" }));
    row.addEventListener("click", () => this.select(i));
    return row;
  }

  draw(selected = this.selected) {
    this.selected = selected;
    for (const [i, row] of this.rows) {
      const kind = this.kindOf(i), length = this.labels.lengths[i], changed = this.labels.altered.has(i);
      const count = countOf(this.labels.of(i), length), flag = this.flagOf(i);
      const drawn = [kind, count, changed, i === selected, flag].join();
      if (row.dataset.drawn === drawn) continue;
      row.dataset.drawn = drawn;
      const [mark, , flagged, words, share] = row.children;
      row.className = kind;
      row.setAttribute("aria-selected", String(i === selected));
      row.setAttribute("aria-label", `Episode ${i}, ${WORDS[kind]}, ${length} frames${changed ? ", changed" : ""}${flag !== null ? `, flagged: ${flag}` : ""}`);
      flagged.textContent = flag === null ? "" : "⚑";
      row.title = flag ?? "";
      mark.textContent = SIGNS[kind];
      words.textContent = WORDS[kind] + (changed ? " •" : "");
      words.title = changed ? "changed since the server started" : "";
      share.textContent = kind === "unlabelled" ? `${length} fr` : `${length} · ${Math.round((100 * count) / length)} %`;
    }
    if (this.rows.has(selected)) at("episodes").setAttribute("aria-activedescendant", `episode-${selected}`);
    const all = this.labels.lengths.length, done = this.labels.lengths.filter((_, i) => this.kindOf(i) !== "unlabelled").length;
    at("progress").max = all; at("progress").value = done;
    at("progress-text").textContent = `${done} of ${all} episodes labelled`;
  }

  reveal(i) { if (this.rows.has(i)) scrollTo(at("episodes"), this.rows.get(i)); }

  neighbour(by) {
    const place = this.episodes.indexOf(this.selected);
    return place < 0 ? this.episodes[0] : this.episodes[place + by];
  }

  // The next episode without labels after one, and then from the first.
  nextUnlabelled(after) {
    const open = this.labels.lengths.map((_, i) => i).filter((i) => this.kindOf(i) === "unlabelled");
    return open.find((i) => i > after) ?? open[0];
  }
}
