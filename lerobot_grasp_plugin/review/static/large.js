// The large image of the camera that is chosen, or one box for each camera. All show the same frame; a camera without an
// image says why.

import { make } from "./dialogs.js";
import { frameAddress, Images } from "./images.js";

const at = (id) => document.getElementById(id);
const AHEAD = 4; // frames that are asked for before they are played

export class Large {
  // `chosen(cameras)` is called when other cameras are to be shown.
  constructor(element, cameras, chosen) {
    Object.assign(this, { element, chosen, images: new Images(), loading: false, waiting: null, choice: 0 });
    this.names = cameras.map((name) => name.replace("observation.images.", ""));
    this.boxes = this.names.map((name) => {
      const figure = make("figure", null);
      figure.append(make("img", null, { alt: "" }), make("p", "", { className: "why", hidden: true }), make("figcaption", name));
      return figure;
    });
    element.replaceChildren(...this.boxes);
    if (!cameras.length) element.append(make("p", "This dataset has no cameras; see the curves."));
    element.addEventListener("dblclick", () => this.full());
    if (cameras.length > 1) this.addChoices();
    this.mark();
  }

  addChoices() {
    [...this.names, "all"].forEach((name, i) => {
      const button = make("button", name, { type: "button", title: "key c: the next one" });
      button.addEventListener("click", () => this.choose(i));
      at("cameras").append(button);
    });
    at("cameras").hidden = false;
  }

  // Indices of the cameras that are shown.
  get cameras() { return this.choice < this.names.length ? [this.choice] : this.names.map((_, i) => i); }

  choose(choice) {
    if (this.names.length < 2) return;
    this.choice = choice % (this.names.length + 1);
    this.mark();
    this.chosen();
  }

  mark() {
    const shown = this.names.length ? this.cameras : [];
    this.boxes.forEach((box, i) => { box.hidden = !shown.includes(i); });
    this.element.dataset.cameras = shown.length;
    [...at("cameras").children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === this.choice)));
  }

  // The whole window for the image, or back.
  full(on = !this.element.classList.contains("full")) { this.element.classList.toggle("full", on); }

  // Empties the boxes, for another episode.
  begin(episode) {
    this.episode = episode;
    delete this.element.dataset.frame;
    for (const box of this.boxes) this.put(box, make("img", null, { alt: "" }), "");
  }

  put(box, image, why) {
    box.querySelector("img").replaceWith(image);
    box.querySelector(".why").textContent = why;
    box.querySelector(".why").hidden = !why;
  }

  // Shows a frame of every chosen camera at once, when all have arrived; of those asked for meanwhile, the last.
  // `wanted`: episode, frame, kind ("jpg" or "png"), number (in the file's index base).
  async show(wanted) {
    if (this.loading) { this.waiting = wanted; return; }
    this.loading = true;
    const cameras = this.cameras, found = await Promise.all(cameras.map((camera) => this.load(wanted, camera)));
    if (wanted.episode === this.episode) {
      found.forEach(({ image, why }, i) => this.put(this.boxes[cameras[i]], image, why));
      this.element.dataset.frame = wanted.frame;
    }
    this.loading = false;
    if (this.waiting) { const last = this.waiting; this.waiting = null; this.show(last); }
  }

  load({ episode, frame, kind, number }, camera) {
    return this.images.load(frameAddress(episode, camera, frame, kind), `frame ${number}`);
  }

  // Asks for the frames that are played next, `by` frames apart.
  ahead(wanted, by, length) {
    for (let i = 1; i <= AHEAD; i++) {
      const frame = wanted.frame + i * by;
      if (frame < length) for (const camera of this.cameras) this.load({ ...wanted, frame, number: wanted.number + i * by }, camera);
    }
  }
}
