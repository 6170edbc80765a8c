// The list of episodes. Which ones it holds is settled when a filter is chosen: no row moves because of a mark.

import { make } from "./dialogs.js";
import { countOf } from "./marks.js";
import { scrollTo } from "./strip.js";

const at = (id) => document.getElementById(id);
const SIGNS = { unlabelled: "○", labelled: "✓", fail: "✗" };
const WORDS = { unlabelled: "unlabelled", labelled: "labelled", fail: "all fail" };

export class EpisodeList {
  constructor(labels, select) {
    Object.assign(this, { labels, select });
    at("filter").addEventListener("change", () => { this.choose(); this.draw(); });
    this.choose();
  }

  kindOf(i) {
    const ranges = this.labels.of(i);
    return ranges === null ? "unlabelled" : ranges.length ? "labelled" : "fail";
  }

  choose() {
    const filter = at("filter").value;
    const fits = (i) => filter === "all" || (filter === "changed" ? this.labels.altered.has(i) : this.kindOf(i) === filter);
    this.episodes = this.labels.lengths.map((_, i) => i).filter(fits);
    this.rows = new Map(this.episodes.map((i) => [i, this.row(i)]));
    at("episodes").replaceChildren(...(this.rows.size ? this.rows.values() : [make("li", "No episode is like this.", { className: "empty" })]));
  }

  row(i) {
    const row = make("li", null, { id: `episode-${i}` });
    row.setAttribute("role", "option");
    row.append(make("span", "", { className: "mark" }), make("span", String(i), { className: "number" }), make("span", "", { className: "state" }), make("span", "", { className: "share" }));
    row.addEventListener("click", () => this.select(i));
    return row;
  }

  draw(selected = this.selected) {
    this.selected = selected;
    for (const [i, row] of this.rows) {
      const kind = this.kindOf(i), length = this.labels.lengths[i], changed = this.labels.altered.has(i);
      const count = countOf(this.labels.of(i), length), drawn = [kind, count, changed, i === selected].join();
      if (row.dataset.drawn === drawn) continue;
      row.dataset.drawn = drawn;
      const [mark, , words, share] = row.children;
      row.className = kind;
      row.setAttribute("aria-selected", String(i === selected));
      row.setAttribute("aria-label", `Episode ${i}, ${WORDS[kind]}, ${length} frames${changed ? ", changed" : ""}`);
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
