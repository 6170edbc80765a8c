// What mouse, finger and keyboard do. A click goes to a frame; dragging, keys and buttons label.

import { painted } from "./marks.js";

const at = (id) => document.getElementById(id);
const APART = 8; // pixels that a pointer moves before it drags

// `page` gives: view(), blocked(), go(frame), point(frame), preview(mask), mark(mask, before), playing().
export function dragging(strip, page) {
  const element = strip.element;
  let press = null, mouse = "";

  function cancel() {
    if (press?.mask) page.preview(null);
    press = null;
  }

  element.addEventListener("pointerdown", (event) => {
    const frame = strip.frameAt(event);
    if (press || frame === null || event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    press = { id: event.pointerId, x: event.clientX, from: frame, view: page.view(), before: page.view().ranges, was: page.view().mask };
  });

  element.addEventListener("pointermove", (event) => {
    const place = `${event.clientX},${event.clientY}`;
    if (!page.view() || place === mouse) return; // the page moved, not the mouse
    mouse = place;
    const frame = strip.frameAt(event);
    if (!press) { if (event.pointerType === "mouse" && !page.playing()) page.point(frame); return; }
    if (event.pointerId !== press.id || frame === null || page.blocked()) return;
    if (!press.mask && (frame === press.from || Math.abs(event.clientX - press.x) < APART)) return;
    press.mask = painted(press.was, press.from, frame, !press.was[press.from]);
    page.preview(press.mask);
    page.point(frame);
  });

  element.addEventListener("pointerup", (event) => {
    if (!press || event.pointerId !== press.id) return;
    const { mask, before, view, from } = press, frame = strip.frameAt(event) ?? from;
    press = null;
    page.preview(null);
    if (view !== page.view()) return;
    page.go(mask ? frame : from);
    if (mask) page.mark(mask, before);
  });

  element.addEventListener("pointerleave", () => { if (page.view() && !press) page.point(null); });
  element.addEventListener("pointercancel", cancel);
  element.addEventListener("lostpointercapture", cancel);
  return { cancel, active: () => press !== null };
}

// A key is the page's, unless a text is written, or it works the control that was reached by Tab.
const WORKS = { SELECT: ["ArrowUp", "ArrowDown", "Home", "End", " ", "Enter"], BUTTON: [" ", "Enter"], INPUT: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", " "] };

// `acts`: a function for each key. Only those named in `repeats` are called again while the key is held.
export function keyboard(acts, repeats, drag) {
  document.addEventListener("keydown", (event) => {
    const sign = event.getModifierState("AltGraph"); // as [ and ] are written on many keyboards
    if (document.querySelector("dialog[open]") || event.metaKey || (event.altKey && !sign)) return;
    const held = event.ctrlKey && !sign ? `ctrl+${event.key.toLowerCase()}` : event.key, act = acts[held];
    if (drag.active()) { if (event.key === "Escape") drag.cancel(); return; }
    const target = event.target, writes = target.matches("textarea, input:not([type='range'])");
    if (!act || writes || (WORKS[target.tagName]?.includes(event.key) && target.dataset.pointer === undefined)) return;
    event.preventDefault();
    if (!event.repeat || repeats.includes(held)) act(event);
  });

  // After a control was used with the pointer, keys are the page's again.
  const control = (event) => event.target.closest?.("button, select, input[type='range']");
  document.addEventListener("pointerdown", (event) => { const one = control(event); if (one) one.dataset.pointer = ""; }, true);
  document.addEventListener("focusout", (event) => { delete event.target.dataset?.pointer; });
  const leave = (event) => {
    const one = control(event);
    if (one?.dataset.pointer !== undefined && !document.querySelector("dialog[open]")) at("strip").focus({ preventScroll: true });
  };
  for (const kind of ["click", "change"]) document.addEventListener(kind, (event) => { if (!(kind === "click" && event.target.tagName === "SELECT")) leave(event); });
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => at("strip").focus({ preventScroll: true }));
}
