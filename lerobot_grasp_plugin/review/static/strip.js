// The filmstrip: lines of frames like lines of a score, with marks above and curves below each line.

const NUMBER = 15, MARK = 8, GAP = 3, REWARD = 9, GRIPPER = 18, OTHER = 13;
const COLOURS = { gripper: "#8a3ffc", state: "#1f5fbf", action: "#b04a00" };

export class Strip {
  constructor(element) {
    this.element = element;
    this.lines = [];
    this.width = 64;
    this.curvesShown = true;
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const line = this.lines[+entry.target.dataset.line];
        if (line) { line.visible = entry.isIntersecting; if (line.visible) this.drawLine(line); }
      }
    }, { root: element, rootMargin: "200px" });
  }

  show(view) {
    this.view = view;
    this.images = view.aspects.map(() => []);
    this.layout();
    const chunks = Math.ceil(view.length / view.chunk);
    view.aspects.forEach((_, camera) => {
      for (let i = 0; i < chunks; i++) {
        const image = new Image();
        image.onload = () => { if (this.view === view) { this.images[camera][i] = image; this.draw(); this.arrived(); } };
        image.src = view.stripAddress(camera, i);
      }
    });
  }

  arrived() {
    const wanted = Math.ceil(this.view.length / this.view.chunk);
    if (this.images.every((list) => list.filter(Boolean).length === wanted)) {
      this.element.dataset.complete = String(this.view.episode);
    }
  }

  get height() {
    const thumbs = this.view.aspects.reduce((sum, aspect) => sum + Math.round(this.width / aspect) + 2, 0);
    return NUMBER + MARK + GAP + thumbs + (this.curvesShown ? this.bands.reduce((sum, band) => sum + band.height + 2, 0) : 0);
  }

  get bands() {
    const groups = new Set((this.view.curves ?? []).map((curve) => curve.group));
    const bands = [{ group: "reward", height: REWARD }];
    if (groups.has("gripper")) bands.push({ group: "gripper", height: GRIPPER });
    if (groups.has("state")) bands.push({ group: "state", height: OTHER });
    if (groups.has("action")) bands.push({ group: "action", height: OTHER });
    return bands;
  }

  fit() {
    const room = { width: this.element.clientWidth - 14, height: this.element.clientHeight - 14 };
    for (let width = 160; width > 44; width -= 4) {
      this.width = width;
      const lines = Math.ceil(this.view.length / Math.max(1, Math.floor(room.width / width)));
      if (lines * (this.height + 6) <= room.height) break;
    }
    this.layout();
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
      if (event.clientY >= rect.top && event.clientY < rect.bottom + 6) {
        const place = line.start + Math.floor((event.clientX - rect.left) / this.width);
        return Math.max(line.start, Math.min(line.stop - 1, place));
      }
    }
    return null;
  }

  reveal(frame) {
    const line = this.lines.find((item) => frame < item.stop);
    if (line) line.canvas.scrollIntoView({ block: "nearest" });
  }

  drawLine({ canvas, start, stop, ratio }) {
    const { mask, cursor, base, suggested, chunk } = this.view;
    const pen = canvas.getContext("2d");
    const size = this.width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(30 / size));
    for (let frame = start; frame < stop; frame++) {
      const x = (frame - start) * size;
      if ((frame + base) % every === 0 || frame === cursor) {
        pen.fillStyle = frame === cursor ? "#1f5fbf" : "#56606f";
        pen.fillText(String(frame + base), x + 2, NUMBER / 2);
      }
      if (mask[frame]) {
        pen.fillStyle = "#0b7a4b";
        pen.fillRect(x, NUMBER, size, MARK);
        if (!mask[frame - 1]) pen.fillText("✓", x + Math.min(size - 10, 26), NUMBER / 2);
      } else {
        pen.fillStyle = this.view.labelled ? "#c9a19a" : "#e1e5ea";
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
    if (this.curvesShown) {
      for (const band of this.bands) { this.drawBand(pen, band, y, start, stop); y += band.height + 2; }
    }
    if (cursor >= start && cursor < stop) {
      pen.strokeStyle = "#1f5fbf"; pen.lineWidth = 2;
      pen.strokeRect((cursor - start) * size + 1, NUMBER + 1, size - 3, this.height - NUMBER - 2);
    }
  }

  drawBand(pen, band, y, start, stop) {
    const size = this.width, { mask, curves } = this.view;
    pen.fillStyle = "#f5f6f8";
    pen.fillRect(0, y, (stop - start) * size, band.height);
    if (band.group === "reward") {
      pen.strokeStyle = "#0b7a4b"; pen.lineWidth = 1.5; pen.beginPath();
      for (let frame = start; frame < stop; frame++) {
        const level = y + (mask[frame] ? 2 : band.height - 2), x = (frame - start) * size;
        if (frame === start) pen.moveTo(x, level); else pen.lineTo(x, level);
        pen.lineTo(x + size, level);
      }
      pen.stroke();
      this.drawCurves(pen, curves.filter((curve) => curve.group === "reward"), "#56606f", y, band.height, start, stop);
      return;
    }
    this.drawCurves(pen, curves.filter((curve) => curve.group === band.group), COLOURS[band.group], y, band.height, start, stop);
  }

  drawCurves(pen, curves, colour, y, height, start, stop) {
    const size = this.width;
    pen.strokeStyle = colour;
    for (const curve of curves) {
      pen.lineWidth = curve.group === "gripper" ? 2 : 1;
      pen.globalAlpha = curve.group === "gripper" ? 1 : 0.6;
      pen.setLineDash(curve.group === "reward" || (curve.group === "gripper" && curve.column === "action") ? [4, 3] : []);
      const span = curve.max - curve.min || 1;
      let open = false;
      pen.beginPath();
      for (let frame = Math.max(0, start - 1); frame < Math.min(curve.values.length, stop + 1); frame++) {
        const value = curve.values[frame];
        if (value === null) { open = false; continue; }
        const x = (frame - start + 0.5) * size, level = y + height - 3 - ((value - curve.min) / span) * (height - 6);
        if (open) pen.lineTo(x, level); else pen.moveTo(x, level);
        open = true;
      }
      pen.stroke();
    }
    pen.setLineDash([]); pen.globalAlpha = 1;
  }
}

export function legendOf(curves) {
  const entries = [["#0b7a4b", "success / reward"]];
  if (curves.some((curve) => curve.group === "reward")) entries.push(["#56606f", "recorded reward (dashed)"]);
  if (curves.some((curve) => curve.group === "gripper")) entries.push([COLOURS.gripper, "gripper (command dashed)"]);
  for (const group of ["state", "action"]) if (curves.some((curve) => curve.group === group)) entries.push([COLOURS[group], group]);
  return entries;
}
