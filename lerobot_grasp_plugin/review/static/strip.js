// The filmstrip: lines of frames like lines of a score, with marks above each line. Where an episode is too long for
// thumbnails of all its frames, every n-th one is drawn; marks and pointer stay exact to the frame.

import { colours } from "./colours.js";

const NUMBER = 13, MARK = 6, GAP = 2, LEADING = 4, MOST = 160, LEAST = 40, UNCUT = 0.85; // of a thumbnail's width
const AT_ONCE = 2; // chunks asked for at the same time: the browser keeps connections for labels and large images

// Scrolls a box as little as shows one of its children whole; the page around it stays where it is.
export function scrollTo(box, child) {
  const outer = box.getBoundingClientRect(), inner = child.getBoundingClientRect();
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + LEADING;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + LEADING;
}

export class Strip {
  constructor(element) {
    this.element = element;
    this.lines = [];
    this.step = 64; // pixels from frame to frame
    this.every = 1; // frames from thumbnail to thumbnail
    this.thumb = 64; // pixels of a thumbnail's width
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const line = this.lines[+entry.target.dataset.line];
        if (line) { line.visible = entry.isIntersecting; if (line.visible) this.drawLine(line); }
      }
    }, { root: element, rootMargin: "200px" });
  }

  show(view) {
    for (const image of this.coming ?? []) image.src = "";
    this.view = view;
    this.images = view.cameras.map(() => []);
    this.coming = new Set();
    const chunks = Math.ceil(view.length / view.chunk), wanted = [];
    for (let i = 0; i < chunks; i++) view.cameras.forEach((_, place) => wanted.push([place, i]));
    let open = wanted.length;
    const next = () => {
      if (!wanted.length) return;
      const [place, i] = wanted.shift(), image = new Image();
      const ended = (arrived) => {
        if (this.view !== view) return;
        this.coming.delete(image);
        if (arrived) this.images[place][i] = image;
        this.draw(); this.arrived?.();
        if (--open === 0) this.completed();
        next();
      };
      image.onload = () => ended(true);
      image.onerror = () => ended(false);
      this.coming.add(image);
      image.src = view.stripAddress(view.cameras[place], i);
    };
    for (let i = 0; i < AT_ONCE; i++) next();
    if (!open) this.completed();
  }

  completed() {
    this.element.dataset.complete = String(this.view.episode);
    this.ready?.();
  }

  // The thumbnail of a frame: image, and where in it. Null where it has not arrived.
  thumbnail(place, frame) {
    const { chunk, length } = this.view, at = Math.floor(frame / chunk), image = this.images[place]?.[at];
    if (!image) return null;
    const wide = image.naturalWidth / Math.min(chunk, length - at * chunk);
    return [image, (frame % chunk) * wide, 0, wide, image.naturalHeight];
  }

  heightOf(thumb) {
    const thumbs = this.view.cameras.reduce((sum, camera) => sum + Math.round(thumb / this.view.aspects[camera]) + 2, 0);
    return NUMBER + MARK + GAP + thumbs;
  }

  get room() { return { width: this.element.clientWidth - 12, height: this.element.clientHeight - 6 }; }

  // Puts the whole episode in sight: every frame at the largest size, or as many thumbnails as there is room for.
  fit() {
    const { width, height } = this.room, { length } = this.view;
    const fits = (lines, thumb) => lines * (this.heightOf(thumb) + LEADING) <= height;
    this.every = 1;
    for (let size = MOST; size >= LEAST; size--) {
      if (!fits(Math.ceil(length / Math.max(1, Math.floor(width / size))), size)) continue;
      this.step = this.thumb = size;
      return;
    }
    let best = Infinity;
    for (let lines = 1; lines === 1 || fits(lines, LEAST); lines++) {
      let thumb = MOST;
      while (thumb > LEAST && !fits(lines, thumb)) thumb--;
      const step = width / Math.ceil(length / lines), least = Math.floor(thumb / step);
      const every = least * step >= UNCUT * thumb ? least : Math.ceil(thumb / step);
      if (every < best) { best = every; Object.assign(this, { step, every, thumb }); }
    }
  }

  // Every frame, `width` pixels wide.
  zoom(width) { Object.assign(this, { step: width, thumb: width, every: 1 }); }

  layout() {
    this.seen.disconnect();
    const perLine = Math.max(1, Math.floor(this.room.width / this.step + 1e-6));
    const ratio = window.devicePixelRatio || 1;
    this.height = this.heightOf(this.thumb);
    this.lines = [];
    this.element.replaceChildren();
    this.element.dataset.step = this.step;
    for (let start = 0; start < this.view.length; start += perLine) {
      const canvas = document.createElement("canvas");
      const stop = Math.min(this.view.length, start + perLine);
      const width = Math.round((stop - start) * this.step);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${this.height}px`;
      canvas.width = width * ratio;
      canvas.height = this.height * ratio;
      canvas.dataset.line = this.lines.length;
      this.lines.push({ canvas, start, stop, ratio, visible: false });
      this.element.append(canvas);
      this.seen.observe(canvas);
    }
  }

  draw() { for (const line of this.lines) if (line.visible) this.drawLine(line); }

  frameAt(event) {
    const box = this.element.getBoundingClientRect();
    if (event.clientY < box.top || event.clientY > box.bottom) return null;
    for (const line of this.lines) {
      const rect = line.canvas.getBoundingClientRect();
      if (event.clientY >= rect.top && event.clientY < rect.bottom + LEADING) {
        const place = line.start + Math.floor((event.clientX - rect.left) / this.step);
        return Math.max(line.start, Math.min(line.stop - 1, place));
      }
    }
    return null;
  }

  // Scrolls the strip, and nothing else, until the frame's line is in sight.
  reveal(frame) {
    const line = this.lines.find((item) => frame < item.stop);
    if (line) scrollTo(this.element, line.canvas);
  }

  drawLine({ canvas, start, stop, ratio }) {
    const pen = canvas.getContext("2d"), cursor = this.view.pointed ?? this.view.cursor;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    this.drawThumbs(pen, start, stop);
    this.drawMarks(pen, start, stop);
    this.drawNumbers(pen, start, stop, cursor);
    if (cursor >= start && cursor < stop) {
      const x = (cursor - start) * this.step, width = Math.max(4, this.step);
      pen.strokeStyle = colours.accent; pen.lineWidth = 2;
      pen.strokeRect(Math.max(1, x + this.step / 2 - width / 2 + 1), NUMBER + 1, width - 3, this.height - NUMBER - 2);
    }
  }

  drawThumbs(pen, start, stop) {
    let y = NUMBER + MARK + GAP;
    this.view.cameras.forEach((camera, place) => {
      const height = Math.round(this.thumb / this.view.aspects[camera]);
      for (let frame = start; frame < stop; frame += this.every) {
        const x = (frame - start) * this.step, cell = Math.min(this.every, stop - frame) * this.step;
        const part = Math.min(1, cell / this.thumb), width = Math.min(this.thumb, cell) - 1, found = this.thumbnail(place, frame);
        if (found) { const [image, left, top, wide, high] = found; pen.drawImage(image, left + (wide * (1 - part)) / 2, top, wide * part, high, x, y, width, height); }
        else { pen.fillStyle = colours.empty; pen.fillRect(x, y, width, height); }
      }
      y += height + 2;
    });
  }

  drawMarks(pen, start, stop) {
    const { mask, suggested, labelled } = this.view, edge = (frame) => Math.round((frame - start) * this.step);
    for (let frame = start; frame < stop; frame++) {
      const x = edge(frame), width = edge(frame + 1) - x;
      pen.fillStyle = mask[frame] ? colours.good : labelled ? colours.fail : colours.line;
      if (mask[frame]) { pen.fillRect(x, NUMBER, width, MARK); pen.fillRect(x, this.height - 3, width, 3); }
      else pen.fillRect(x, NUMBER + MARK - 2, width, 2);
      if (suggested[frame] && (this.step >= 8 || frame % 3)) { pen.fillStyle = colours.suggest; pen.fillRect(x, NUMBER - 2, width - (this.step >= 8 ? 3 : 0), 2); }
    }
  }

  drawNumbers(pen, start, stop, cursor) {
    const { mask, base } = this.view, apart = Math.max(1, Math.ceil(34 / this.step)), every = apart === 1 ? 1 : Math.ceil(apart / 5) * 5;
    const starts = (frame) => mask[frame] && !mask[frame - 1], first = (frame) => frame === cursor || starts(frame);
    const near = (frame) => { for (let other = frame - apart; other <= frame + apart; other++) if (other !== frame && first(other)) return true; return false; };
    pen.font = "11px system-ui, sans-serif"; pen.textBaseline = "middle";
    for (let frame = start; frame < stop; frame++) {
      const usual = (frame + base) % every === 0 && (every === 1 || !near(frame));
      if (!first(frame) && !usual) continue;
      if (starts(frame) && frame !== cursor && Math.abs(frame - cursor) < apart && every > 1) continue;
      const words = String(frame + base) + (starts(frame) ? " ✓" : "");
      pen.fillStyle = frame === cursor ? colours.accent : starts(frame) ? colours.good : colours.soft;
      pen.fillText(words, Math.min((frame - start) * this.step + 1, (stop - start) * this.step - pen.measureText(words).width), NUMBER / 2 - 1);
    }
  }
}
