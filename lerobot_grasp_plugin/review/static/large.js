// The large images: one box for each camera, all showing the same frame. A camera without an image says why.

import { make } from "./dialogs.js";

export class Large {
  constructor(element, cameras) {
    this.element = element;
    this.loading = false;
    this.waiting = null;
    this.boxes = cameras.map((name) => {
      const figure = make("figure", null), short = name.replace("observation.images.", "");
      figure.append(make("img", null, { alt: short }), make("p", "", { className: "why", hidden: true }), make("figcaption", short));
      return figure;
    });
    element.replaceChildren(...this.boxes);
    element.dataset.cameras = cameras.length;
    if (!cameras.length) element.append(make("p", "This dataset has no camera; the curves show what it has."));
  }

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

  // Shows a frame of every camera at once, when all have arrived; of those asked for meanwhile, the last.
  // `wanted`: episode, frame, kind ("jpg" or "png"), number (as a person counts).
  async show(wanted) {
    if (this.loading) { this.waiting = wanted; return; }
    this.loading = true;
    const found = await Promise.all(this.boxes.map((box, camera) => this.load(wanted, camera)));
    if (wanted.episode === this.episode) {
      found.forEach(({ image, why }, camera) => this.put(this.boxes[camera], image, why));
      this.element.dataset.frame = wanted.frame;
    }
    this.loading = false;
    if (this.waiting) { const last = this.waiting; this.waiting = null; this.show(last); }
  }

  async load({ episode, frame, kind, number }, camera) {
    const address = `pictures/${episode}/${camera}/frame/${frame}/${kind}`;
    const image = make("img", null, { alt: `frame ${number}`, src: address });
    try { await image.decode(); return { image, why: "" }; } catch { /* the answer says why */ }
    const empty = make("img", null, { alt: `frame ${number}: no image` });
    return { image: empty, why: await fetch(address).then((answer) => answer.json()).then((value) => value.error).catch(() => "The image did not arrive.") };
  }
}
