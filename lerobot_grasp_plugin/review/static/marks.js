// Success frames as a list of booleans, and as ranges [start, stop) whose last stop is null where it is open; null instead
// of ranges where an episode is not labelled.

export function maskOf(ranges, length) {
  const mask = new Array(length).fill(false);
  for (const [start, stop] of ranges ?? []) mask.fill(true, start, stop ?? length);
  return mask;
}

export function rangesOf(mask) {
  const ranges = [];
  mask.forEach((on, i) => {
    if (on && !mask[i - 1]) ranges.push([i, i + 1]);
    else if (on) ranges.at(-1)[1] = i + 1;
  });
  if (mask.at(-1)) ranges.at(-1)[1] = null;
  return ranges;
}

export const countOf = (ranges, length) => (ranges ?? []).reduce((sum, [start, stop]) => sum + (stop ?? length) - start, 0);

export function same(one, other, length) {
  if (one === null || other === null) return one === other;
  const mask = maskOf(other, length);
  return maskOf(one, length).every((on, i) => on === mask[i]);
}

export function said(ranges, length, base) {
  if (ranges === null) return "not labelled";
  if (!ranges.length) return "all fail";
  return ranges.map(([start, stop]) => {
    if (stop === null || stop >= length) return start === 0 ? "all success" : `${start + base}-`;
    return stop - start === 1 ? `${start + base}` : `${start + base}-${stop - 1 + base}`;
  }).join(", ");
}

// "[" at a frame: the range around or after it starts here; without one, success from here to the end.
export function startAt(mask, frame) {
  const next = mask.indexOf(true, frame);
  const result = mask.slice();
  if (mask[frame]) {
    for (let i = frame - 1; i >= 0 && mask[i]; i--) result[i] = false;
  } else {
    result.fill(true, frame, next < 0 ? mask.length : next);
  }
  return result;
}

// "]" at a frame: the range around or before it ends here; without one, success from the start to here.
export function endAt(mask, frame) {
  const before = mask.lastIndexOf(true, frame);
  const result = mask.slice();
  if (mask[frame]) {
    for (let i = frame + 1; i < mask.length && mask[i]; i++) result[i] = false;
  } else {
    result.fill(true, before < 0 ? 0 : before, frame + 1);
  }
  return result;
}

export function painted(mask, from, to, on) {
  const result = mask.slice();
  result.fill(on, Math.min(from, to), Math.max(from, to) + 1);
  return result;
}
