// The field that goes to an episode or a frame, and searches in tasks, flags, notes and labels.

const at = (id) => document.getElementById(id);
const PLACE = /^\s*(\d+)?\s*(?:[\s:/,]\s*(\d+))?\s*$/;

// `page` gives: lengths, base(), episode(), go(episode, frame), search(words), notice(words), leave().
export function finding(page) {
  const field = at("find");

  function goTo([, number, frame]) {
    const episode = number === undefined ? page.episode() : +number, length = page.lengths[episode];
    const place = frame === undefined ? 0 : +frame - page.base();
    if (length === undefined) return page.notice(`Episode ${episode} does not exist: the last one is ${page.lengths.length - 1}`);
    if (place < 0 || place >= length) return page.notice(`Episode ${episode} has the frames ${page.base()} to ${length - 1 + page.base()}`);
    field.value = "";
    page.search("");
    page.leave();
    page.go(episode, place);
  }

  field.addEventListener("input", () => page.search(PLACE.test(field.value) ? "" : field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { field.value = ""; page.search(""); page.leave(); }
    if (event.key !== "Enter") return;
    const found = field.value.trim() && PLACE.exec(field.value);
    if (found) goTo(found); else page.leave();
  });
  return () => { field.focus(); field.select(); };
}
