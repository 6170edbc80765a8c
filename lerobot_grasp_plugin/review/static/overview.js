// The whole episode on one axis: marks and curves. Its box has the height of all bands, whatever curves there are.

import { colours } from "./colours.js";
import { drawBands, HEIGHT as BANDS } from "./curves.js";

const NUMBERS = 12, MARK = 6;

export class Overview {
  // `proposals` draws a track for each labeler.
  constructor(canvas) { Object.assign(this, { canvas, proposals: null }); }

  frameAt(event) {
    const box = this.canvas.getBoundingClientRect(), length = this.view.length;
    return Math.max(0, Math.min(length - 1, Math.floor(((event.clientX - box.left) / box.width) * length)));
  }

  draw(view) {
    this.view = view;
    const ratio = window.devicePixelRatio || 1, width = this.canvas.clientWidth;
    const height = NUMBERS + MARK + 3 + this.proposals.height + BANDS, size = width / view.length;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = width * ratio; this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "11px system-ui, sans-serif"; pen.textBaseline = "middle";
    this.drawNumbers(pen, size);
    for (let frame = 0; frame < view.length; frame++) {
      pen.fillStyle = view.mask[frame] ? colours.good : view.labelled ? colours.fail : colours.line;
      pen.fillRect(frame * size, view.mask[frame] ? NUMBERS : NUMBERS + MARK - 2, size + 0.5, view.mask[frame] ? MARK : 2);
      if (view.suggested[frame]) { pen.fillStyle = colours.suggest; if (frame % 3) pen.fillRect(frame * size, NUMBERS - 2, size, 2); }
    }
    drawBands(pen, view, this.proposals.drawTracks(pen, view, NUMBERS + MARK + 3, size), 0, view.length, size);
    const x = ((view.pointed ?? view.cursor) + 0.5) * size;
    pen.strokeStyle = colours.accent; pen.lineWidth = 2;
    pen.beginPath(); pen.moveTo(x, NUMBERS - 2); pen.lineTo(x, height); pen.stroke();
  }

  drawNumbers(pen, size) {
    const apart = [10, 20, 50, 100, 200, 500, 1000, 5000].find((step) => step * size >= 44) ?? 10000;
    pen.fillStyle = colours.soft;
    for (let number = apart; number - this.view.base < this.view.length; number += apart) {
      const x = (number - this.view.base) * size;
      if (x + 24 < size * this.view.length) pen.fillText(String(number), x + 2, NUMBERS / 2 - 1);
      pen.fillRect(x, 2, 1, NUMBERS - 4);
    }
  }
}
