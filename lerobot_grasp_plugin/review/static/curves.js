// Curves in bands: reward, gripper, state and action, on the axis of the frames.

import { colours } from "./colours.js";
import { make } from "./dialogs.js";

const HEIGHTS = { reward: 6, gripper: 14, state: 10, action: 10 };
const BETWEEN = 2;
export const HEIGHT = Object.values(HEIGHTS).reduce((sum, height) => sum + height + BETWEEN, 0);

function bandsOf(curves) {
  const groups = new Set(curves.map((curve) => curve.group));
  return Object.keys(HEIGHTS).filter((group) => group === "reward" || groups.has(group)).map((group) => ({ group, height: HEIGHTS[group] }));
}

// Draws a view's bands for the frames [start, stop), each `size` pixels wide, from the height `y` down.
export function drawBands(pen, view, y, start, stop, size) {
  for (const band of bandsOf(view.curves)) {
    pen.fillStyle = colours.ground;
    pen.fillRect(0, y, (stop - start) * size, band.height);
    if (band.group === "reward") drawReward(pen, view.mask, y, band.height, start, stop, size);
    const colour = colours[band.group] ?? colours.soft;
    for (const curve of view.curves) if (curve.group === band.group) drawCurve(pen, curve, colour, y, band.height, start, stop, size);
    y += band.height + BETWEEN;
  }
}

function drawReward(pen, mask, y, height, start, stop, size) {
  pen.strokeStyle = colours.good; pen.lineWidth = 1.5; pen.beginPath();
  for (let frame = start; frame < stop; frame++) {
    const level = y + (mask[frame] ? 2 : height - 2), x = (frame - start) * size;
    if (frame === start) pen.moveTo(x, level); else pen.lineTo(x, level);
    pen.lineTo(x + size, level);
  }
  pen.stroke();
}

function drawCurve(pen, curve, colour, y, height, start, stop, size) {
  const span = curve.max - curve.min || 1, gripper = curve.group === "gripper";
  pen.strokeStyle = colour;
  pen.lineWidth = gripper ? 2 : 1;
  pen.globalAlpha = gripper ? 1 : 0.6;
  pen.setLineDash(curve.group === "reward" || (gripper && curve.column === "action") ? [4, 3] : []);
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
  pen.setLineDash([]); pen.globalAlpha = 1;
}

// Curves with the least and the greatest value that their band shows.
export function scaled(curves) {
  for (const curve of curves) {
    const values = curve.name === "recorded success" ? [0, 1] : curve.values.filter((value) => value !== null);
    curve.min = Math.min(...values); curve.max = Math.max(...values);
  }
  return curves;
}

export function legendOf(curves) {
  const groups = new Set(curves.map((curve) => curve.group)), entries = [["good", "success"]];
  if (groups.has("reward")) entries.push(["soft", "recorded (dashed)"]);
  if (groups.has("gripper")) entries.push(["gripper", "gripper (command dashed)"]);
  for (const group of ["state", "action"]) if (groups.has(group)) entries.push([group, group]);
  return entries.map(([colour, words]) => {
    const entry = make("span", null);
    entry.append(make("i", "", { className: colour }), words);
    return entry;
  });
}
