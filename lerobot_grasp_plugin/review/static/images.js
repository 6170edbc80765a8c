// Images in full size. The last ones are kept, so that stepping back and playing again asks for nothing.

import { make } from "./dialogs.js";

const MOST = 60;

export class Images {
  constructor() { this.kept = new Map(); }

  // An image that is ready to be shown, or an empty one and why.
  load(address, alt) {
    const found = this.kept.get(address) ?? this.fetch(address, alt);
    this.kept.delete(address);
    this.kept.set(address, found);
    if (this.kept.size > MOST) this.kept.delete(this.kept.keys().next().value);
    return found;
  }

  async fetch(address, alt) {
    const image = make("img", null, { alt, src: address });
    try { await image.decode(); return { image, why: "" }; } catch { this.kept.delete(address); }
    const why = await fetch(address).then((answer) => answer.json()).then((value) => value.error).catch(() => "The image could not be loaded.");
    return { image: make("img", null, { alt: `${alt}: no image` }), why };
  }
}

export const frameAddress = (episode, camera, frame, kind) => `images/${episode}/${camera}/frame/${frame}/${kind}`;
