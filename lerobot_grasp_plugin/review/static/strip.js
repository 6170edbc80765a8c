// The filmstrip: lines of frames like lines of a score, with marks above each line.

const NUMBER = 14, MARK = 8, GAP = 2, LEADING = 4, MOST = 160;
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
    this.width = 64;
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
    this.images = view.aspects.map(() => []);
    this.coming = new Set();
    this.layout();
    const chunks = Math.ceil(view.length / view.chunk), wanted = [];
    for (let i = 0; i < chunks; i++) view.aspects.forEach((_, camera) => wanted.push([camera, i]));
    let open = wanted.length;
    const next = () => {
      if (!wanted.length) return;
      const [camera, i] = wanted.shift(), image = new Image();
      const ended = (arrived) => {
        if (this.view !== view) return;
        this.coming.delete(image);
        if (arrived) this.images[camera][i] = image;
        this.draw();
        if (--open === 0) this.element.dataset.complete = String(view.episode);
        next();
      };
      image.onload = () => ended(true);
      image.onerror = () => ended(false);
      this.coming.add(image);
      image.src = view.stripAddress(camera, i);
    };
    for (let i = 0; i < AT_ONCE; i++) next();
    if (!open) this.element.dataset.complete = String(view.episode);
  }

  get height() {
    const thumbs = this.view.aspects.reduce((sum, aspect) => sum + Math.round(this.width / aspect) + 2, 0);
    return NUMBER + MARK + GAP + thumbs;
  }

  // Takes the largest size at which every frame is in sight; false when it would be smaller than `least`.
  fit(least) {
    const room = { width: this.element.clientWidth - 14, height: this.element.clientHeight - 14 };
    for (let perLine = Math.max(1, Math.ceil(room.width / MOST)); ; perLine++) {
      const width = Math.min(MOST, Math.floor(room.width / perLine));
      if (width < least) return false;
      this.width = width;
      if (Math.ceil(this.view.length / perLine) * (this.height + LEADING) <= room.height) return true;
    }
  }

  layout() {
    this.seen.disconnect();
    const perLine = Math.max(1, Math.floor((this.element.clientWidth - 14) / this.width));
    const ratio = window.devicePixelRatio || 1;
    this.lines = [];
    this.element.replaceChildren();
    for (let start = 0; start < this.view.length; start += perLine) {
      const canvas = document.createElement("canvas");
      const stop = Math.min(this.view.length, start + perLine);
      const width = (stop - start) * this.width;
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
        const place = line.start + Math.floor((event.clientX - rect.left) / this.width);
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
    const { mask, base, suggested, chunk } = this.view, cursor = this.view.pointed ?? this.view.cursor;
    const pen = canvas.getContext("2d");
    const size = this.width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(30 / size));
    const starts = (frame) => mask[frame] && !mask[frame - 1];
    const near = (frame) => every > 1 && [frame - 1, frame + 1].some((other) => other === cursor || starts(other));
    for (let frame = start; frame < stop; frame++) {
      const x = (frame - start) * size;
      if (frame === cursor || starts(frame) || ((frame + base) % every === 0 && !near(frame))) {
        pen.fillStyle = frame === cursor ? "#1f5fbf" : "#56606f";
        pen.fillText(String(frame + base), x + 2, NUMBER / 2);
      }
      if (starts(frame)) {
        pen.fillStyle = "#0b7a4b";
        pen.fillText("✓", x + 3 + pen.measureText(String(frame + base)).width, NUMBER / 2);
      }
      if (mask[frame]) {
        pen.fillStyle = "#0b7a4b";
        pen.fillRect(x, NUMBER, size, MARK);
      } else {
        pen.fillStyle = this.view.labelled ? "#b5685c" : "#e1e5ea";
        pen.fillRect(x, NUMBER + MARK - 2, size, 2);
      }
      if (suggested[frame]) {
        pen.strokeStyle = "#b07d00"; pen.lineWidth = 2; pen.setLineDash([4, 3]);
        pen.beginPath(); pen.moveTo(x, NUMBER - 1); pen.lineTo(x + size, NUMBER - 1); pen.stroke(); pen.setLineDash([]);
      }
    }
    let y = NUMBER + MARK + GAP;
    this.view.aspects.forEach((aspect, camera) => {
      const height = Math.round(size / aspect);
      for (let frame = start; frame < stop; frame++) {
        const x = (frame - start) * size;
        const image = this.images[camera][Math.floor(frame / chunk)];
        if (image) {
          const count = Math.min(chunk, this.view.length - Math.floor(frame / chunk) * chunk);
          const wide = image.naturalWidth / count;
          pen.drawImage(image, (frame % chunk) * wide, 0, wide, image.naturalHeight, x, y, size - 1, height);
        } else {
          pen.fillStyle = "#e9ecf0"; pen.fillRect(x, y, size - 1, height);
        }
        if (mask[frame]) { pen.fillStyle = "#0b7a4b"; pen.fillRect(x, y + height - 3, size, 3); }
      }
      y += height + 2;
    });
    if (cursor >= start && cursor < stop) {
      pen.strokeStyle = "#1f5fbf"; pen.lineWidth = 2;
      pen.strokeRect((cursor - start) * size + 1, NUMBER + 1, size - 3, this.height - NUMBER - 2);
    }
  }
}
