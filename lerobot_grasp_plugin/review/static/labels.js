// The labels of all episodes as this tab shows them: what the server has confirmed, and on top of it the changes that
// are not confirmed yet. They are sent in order, one request at a time, and sent again until there is an answer.

import { same } from "./marks.js";

const AT_ONCE = 50; // changes in one request, each a file that is written: browsers refuse requests over 64 KB that outlive their page

export class Labels {
  // `ask(path, body)` sends; `changed()` is called when what is shown changed; `failed(error, changes)` when changes
  // have no answer (kind "gone": they are sent again), or are taken back.
  constructor(lengths, ask, changed, failed) {
    Object.assign(this, { lengths, ask, changed, failed });
    this.tab = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
    this.confirmed = lengths.map(() => null);
    this.notes = {}; // flag and note of an episode, where it has any
    this.definition = null; // what counts as success
    this.altered = new Set(); // episodes whose labels are others than when the server started
    this.serial = -1;
    this.queue = [];
    this.count = 0;
    this.done = []; this.undone = []; // changes of this tab that can be undone and redone
    this.sending = false;
  }

  // Success ranges of an episode: null where it is not labelled.
  of(episode) {
    const last = this.queue.findLast((change) => change.episode === episode);
    return last ? last.after : this.confirmed[episode];
  }

  same(episode, one, other) { return same(one, other, this.lengths[episode]); }

  // An answer of the server; one that is older than what is known already changes nothing.
  take(news) {
    if (news.serial <= this.serial) return false;
    this.serial = news.serial;
    this.notes = news.notes; this.definition = news.definition;
    for (const [episode, { ranges, changed }] of Object.entries(news.labels)) {
      this.confirmed[episode] = ranges;
      if (changed) this.altered.add(+episode); else this.altered.delete(+episode);
    }
    return true;
  }

  mark(episode, before, after) {
    if (this.same(episode, before, after)) return;
    this.done.push({ episode, before, after });
    this.undone = [];
    this.add(episode, before, after);
  }

  // Takes the tab's last change back, or makes it again. Gives the change; null where there is none, or where the
  // episode has been changed elsewhere since (`lost`).
  undo() { return this.step(this.done, this.undone, "after", "before"); }
  redo() { return this.step(this.undone, this.done, "before", "after"); }

  step(from, to, now, then) {
    const change = from.pop();
    if (!change) return null;
    const { episode } = change;
    if (!this.same(episode, this.of(episode), change[now])) { this.forget(episode); return { ...change, lost: true }; }
    to.push(change);
    this.add(episode, change[now], change[then]);
    return change;
  }

  forget(episode) {
    const others = (change) => change.episode !== episode;
    this.done = this.done.filter(others);
    this.undone = this.undone.filter(others);
  }

  add(episode, before, after) {
    this.queue.push({ number: ++this.count, episode, before, after });
    this.changed();
    this.send();
  }

  // The first changes without an answer. The server passes over those that it had before.
  get unanswered() {
    return { tab: this.tab, serial: this.serial, changes: this.queue.slice(0, AT_ONCE) };
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.queue.length) {
      const asked = this.unanswered, last = asked.changes.at(-1).number;
      try {
        const news = await this.ask("api/change", asked);
        this.take(news);
        this.queue = this.queue.filter((change) => change.number > last);
        this.changed(news);
      } catch (error) {
        if (error.kind === "gone") { this.failed(error, this.queue); break; }
        while (this.queue[0].number < error.number) { // those before the refused one are saved
          const { episode, after } = this.queue.shift();
          this.confirmed[episode] = after;
        }
        const first = this.queue[0].episode;
        const refused = this.queue.filter((change) => error.kind === "expired" || change.episode === first);
        this.queue = this.queue.filter((change) => !refused.includes(change));
        for (const { episode } of refused) this.forget(episode);
        this.failed(error, refused);
      }
    }
    this.sending = false;
  }
}
