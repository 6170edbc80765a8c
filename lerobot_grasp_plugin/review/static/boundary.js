// The boundary next to the frame that is looked at, where failure becomes success or success failure: the two frames at it
// side by side, and every frame around it. Where nothing is marked it is that of the suggestion, or the frame itself.

import { colours } from "./colours.js";
import { make } from "./dialogs.js";
import { frameAddress, Images } from "./images.js";

const at = (id) => document.getElementById(id);
const NUMBER = 12, MARK = 5, SETTLED = 80; // ms until the frames of a boundary that moves are loaded

const boundariesOf = (mask) => mask.flatMap((on, i) => (i && on !== mask[i - 1] ? [i] : []));

export class Boundary {
  constructor(strip) {
    this.strip = strip;
    this.element = at("near");
    this.pair = [at("pair-before"), at("pair-after")];
    this.images = new Images();
    this.first = 0; this.count = 1;
  }

  // A click goes to a frame, the mouse points at one.
  listen({ go, point }) {
    this.element.addEventListener("pointerdown", (event) => go(this.frameAt(event)));
    this.element.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") point(this.frameAt(event)); });
    this.element.addEventListener("pointerleave", () => point(null));
    for (const figure of this.pair) figure.addEventListener("click", () => { if (figure.dataset.frame) go(+figure.dataset.frame); });
  }

  // The first frame after the boundary next to a frame; null where there is none.
  next(view, frame) {
    const marked = boundariesOf(view.mask), all = marked.length || view.labelled ? marked : boundariesOf(view.suggested);
    return all.reduce((best, one) => (best === null || Math.abs(one - frame - 0.5) < Math.abs(best - frame - 0.5) ? one : best), null);
  }

  draw(view) {
    this.view = view;
    const marks = `${view.episode} ${boundariesOf(view.mask)} ${boundariesOf(view.suggested)} ${this.element.clientWidth}`;
    const outside = view.cursor < this.first || view.cursor >= this.first + this.count;
    if (marks !== this.marks || outside) this.centre = this.next(view, view.cursor) ?? view.cursor;
    this.marks = marks;
    this.drawRow(view);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(view), SETTLED);
  }

  drawRow(view) {
    const canvas = this.element, ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !view.cameras.length) return;
    canvas.width = width * ratio; canvas.height = height * ratio;
    const high = height - NUMBER - MARK - 1, wide = high * view.aspects[view.cameras[0]];
    this.count = Math.min(view.length, Math.max(2, Math.floor(width / wide)));
    this.first = Math.max(0, Math.min(view.length - this.count, this.centre - Math.floor(this.count / 2)));
    this.size = Math.min(width / this.count, wide * 1.5);
    const pen = canvas.getContext("2d"), cursor = view.pointed ?? view.cursor;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "10px system-ui, sans-serif"; pen.textBaseline = "middle";
    for (let i = 0; i < this.count; i++) {
      const frame = this.first + i, x = Math.round(i * this.size), cell = Math.round((i + 1) * this.size) - x, found = this.strip.thumbnail(0, frame);
      if (found) pen.drawImage(...found, x, NUMBER + MARK + 1, cell - 1, high);
      else { pen.fillStyle = colours.empty; pen.fillRect(x, NUMBER + MARK + 1, cell - 1, high); }
      pen.fillStyle = view.mask[frame] ? colours.good : view.labelled ? colours.fail : colours.line;
      pen.fillRect(x, NUMBER, cell, view.mask[frame] ? MARK : 2);
      if (view.suggested[frame]) { pen.fillStyle = colours.suggest; pen.fillRect(x, NUMBER - 2, cell - 3, 2); }
      pen.fillStyle = frame === cursor ? colours.accent : colours.soft;
      pen.fillText(String(frame + view.base), x + 1, NUMBER / 2 - 1);
      if (frame === cursor) { pen.strokeStyle = colours.accent; pen.lineWidth = 2; pen.strokeRect(x + 1, NUMBER, cell - 3, height - NUMBER - 1); }
    }
  }

  frameAt(event) {
    const box = this.element.getBoundingClientRect();
    return Math.max(this.first, Math.min(this.first + this.count - 1, this.first + Math.floor((event.clientX - box.left) / this.size)));
  }

  // Loads the two frames, unless they are shown already.
  async show(view) {
    if (view !== this.view || !view.cameras.length) return;
    const after = Math.max(Math.min(1, view.length - 1), this.next(view, view.cursor) ?? view.cursor), frames = [after - 1, after].map((frame) => Math.max(0, frame));
    const wanted = [view.episode, view.cameras[0], ...frames, ...frames.map((frame) => view.mask[frame]), view.labelled, view.base].join();
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    const found = await Promise.all(frames.map((frame) => this.images.load(frameAddress(view.episode, view.cameras[0], frame, "jpg"), `frame ${frame + view.base}`)));
    if (wanted !== this.wanted) return;
    this.pair.forEach((figure, i) => {
      const success = view.mask[frames[i]];
      figure.querySelector("img").replaceWith(found[i].image.isConnected ? make("img", null, { alt: found[i].image.alt, src: found[i].image.src }) : found[i].image);
      figure.querySelector("figcaption").textContent = `${frames[i] + view.base} ${success ? "✓ success" : view.labelled ? "✗ failure" : "not labelled"}`;
      figure.className = success ? "success" : view.labelled ? "failure" : "";
      figure.dataset.frame = frames[i];
    });
  }
}
