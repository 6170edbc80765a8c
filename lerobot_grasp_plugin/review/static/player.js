// Playing: the clock says which frame is shown, at the chosen rate, once or again and again.

const at = (id) => document.getElementById(id);
export const RATES = [0.25, 0.5, 1, 2, 4];

export class Player {
  // `show(frame)` goes to a frame; `ended(frame)` is called after the last one.
  constructor(fps, show, ended) {
    Object.assign(this, { fps, show, ended, request: null, rate: 1, repeats: false });
    at("rate").replaceChildren(...RATES.map((rate) => new Option(`${rate}×`, rate, rate === 1, rate === 1)));
    at("rate").addEventListener("change", () => this.set(+at("rate").value));
  }

  get playing() { return this.request !== null; }

  // Plays the frames [first, stop) from one of them on.
  start(first, stop, from, repeats) {
    this.stop();
    Object.assign(this, { first, length: stop - first, repeats, frame: null });
    this.begin(from);
    this.request = requestAnimationFrame((now) => this.tick(now));
    this.draw();
  }

  begin(frame) { this.offset = frame - this.first; this.began = performance.now(); }

  tick(now) {
    const played = this.offset + Math.floor(((now - this.began) * this.fps * this.rate) / 1000);
    if (!this.repeats && played >= this.length) { this.stop(); this.ended(this.first + this.length - 1); return; }
    const frame = this.first + (played % this.length);
    if (frame !== this.frame) { this.frame = frame; this.show(frame); }
    this.request = requestAnimationFrame((later) => this.tick(later));
  }

  set(rate) {
    this.rate = rate;
    at("rate").value = rate;
    if (this.playing && this.frame !== null) this.begin(this.frame);
  }

  change(by) { this.set(RATES[Math.max(0, Math.min(RATES.length - 1, RATES.indexOf(this.rate) + by))]); }

  stop() { cancelAnimationFrame(this.request); this.request = null; this.draw(); }

  draw() {
    at("play").textContent = this.playing ? "Stop" : "Play";
    at("loop").setAttribute("aria-pressed", String(this.playing && this.repeats));
  }
}
