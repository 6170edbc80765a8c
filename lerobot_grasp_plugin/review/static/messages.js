// The line under the header: one message at a time, the gravest first, in a box that never changes its size.

const at = (id) => document.getElementById(id);
const ORDER = ["gone", "outside", "trouble", "hint", "saved"];

export class Messages {
  constructor() {
    this.expired = this.gone = this.outside = false;
    this.file = null; // why the file cannot be written
    this.complaint = null;
    this.notice = ""; // what was done last
    this.saving = ""; // and whether it is saved
    this.hint = false;
    this.redo = false; // whether marks among them can be made again
    this.unsaved = []; // changes without an answer, or refused, as text
    at("trouble-close").addEventListener("click", () => { this.complaint = null; this.draw(); });
  }

  // Whether a mark made now could be kept.
  get blocked() { return this.expired || this.gone || this.outside || this.file !== null; }

  draw() {
    const lost = this.unsaved.length ? ` Not saved: ${this.unsaved.join("; ")}.` : "";
    at("gone-text").textContent = this.expired
      ? `This address is no longer valid: open the last one that lerobot-grasp-review printed. Labelling is disabled.${lost}`
      : `The server does not answer. Labelling is disabled until it does. If lerobot-grasp-review has stopped, start it and open the address it prints.${lost}`;
    at("outside-detail").textContent = lost || " Nothing was overwritten.";
    at("outside-redo").hidden = !this.redo;
    at("trouble-text").textContent = [this.file && `Labelling is disabled: ${this.file}.${lost}`, this.complaint].filter(Boolean).join(" ");
    at("trouble-close").hidden = this.file !== null;
    at("saved").textContent = [this.notice, this.saving].filter(Boolean).join(" · ");
    const holds = { gone: this.expired || this.gone, outside: this.outside, trouble: this.file !== null || this.complaint !== null, saved: true, hint: this.hint && this.notice === "" };
    const first = ORDER.find((id) => holds[id]);
    for (const id of ORDER) at(id).hidden = id !== first;
    document.body.classList.toggle("blocked", this.blocked);
  }
}
