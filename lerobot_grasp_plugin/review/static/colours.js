// Colours of what is drawn on canvases: those that style.css names, as the scheme in use has them.

const NAMES = ["ink", "soft", "line", "card", "ground", "empty", "accent", "good", "fail", "suggest", "gripper", "state", "action"];
const KEY = "grasp-review-scheme";

export const colours = {};

function read() {
  const probe = document.createElement("i");
  document.body.append(probe);
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

// Follows the system until the person chooses; `changed` is called when colours are other ones. Gives the function that
// changes from light to dark and back.
export function scheme(changed) {
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  root.style.colorScheme = localStorage.getItem(KEY) ?? "";
  read();
  system.addEventListener("change", () => { read(); changed(); });
  return () => {
    const dark = (root.style.colorScheme || (system.matches ? "dark" : "light")) === "dark";
    root.style.colorScheme = dark ? "light" : "dark";
    localStorage.setItem(KEY, root.style.colorScheme);
    read(); changed();
  };
}
