// What opens over the page: keys, statistics, and the dataset made from the labels.

const at = (id) => document.getElementById(id);

export function make(tag, text, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== null) element.textContent = text;
  return element;
}

function open(id) {
  at(id).showModal();
  at(id).scrollTop = 0;
}

function row(cells, tag) {
  const result = make("tr", null);
  result.append(...cells.map((cell, i) => {
    const place = make(tag, cell instanceof Node ? null : String(cell), { className: i ? "n" : "" });
    if (cell instanceof Node) place.append(cell);
    return place;
  }));
  return result;
}

function table(head, rows) {
  const result = make("table", null);
  result.append(row(head, "th"), ...rows.map((cells) => row(cells, "td")));
  return result;
}

function bar(share) {
  const full = make("span", null, { className: "histogram" }), filled = make("i", null);
  filled.style.width = `${100 * share}%`;
  full.append(filled);
  return full;
}

const share = (item) => [item.frames, item.success_frames, item.frames ? `${((100 * item.success_frames) / item.frames).toFixed(1)} %` : "–"];

// `page` gives: ask(path, body, patience), set, labels, settled() (all changes are answered), select(episode),
// complain(error).
export function dialogs(page) {
  const link = (episode) => {
    const button = make("button", `Episode ${episode}`, { type: "button", className: "link" });
    button.addEventListener("click", () => { at("statistics").close(); page.select(episode); });
    return button;
  };

  async function statistics() {
    await page.settled();
    const found = await page.ask("api/statistics", undefined, 0), most = Math.max(1, ...found.starts);
    at("figures").replaceChildren(
      make("h3", "Class balance of labelled episodes"),
      table(["Source", "Episodes", "Frames", "Success", "Share"], found.sources.map((item) => [item.name, item.episodes, ...share(item)])),
      make("h3", "Episodes that stand out"),
      found.odd.length ? table(["Episode", "Why"], found.odd.map((item) => [link(item.episode), item.why])) : make("p", "None."),
      make("h3", "Where success begins"),
      table(["Part of the episode", "", "Episodes"], found.starts.map((count, i) => [`${i * 10} to ${i * 10 + 10} %`, bar(count / most), count])),
      make("h3", "Each labelled episode"),
      found.episodes.length ? table(["Episode", "Frames", "Success", "Share"], found.episodes.map((item) => [link(item.episode), ...share(item)])) : make("p", "No labelled episodes yet."));
    open("statistics");
  }

  const wanted = () => ({ name: at("apply-name").value, unlisted: at("apply-unlisted").value });
  async function command() {
    try { at("apply-command").textContent = (await page.ask("api/command", wanted())).command; at("apply-go").disabled = false; }
    catch (error) { at("apply-command").textContent = error.message; at("apply-go").disabled = true; }
  }

  async function apply() {
    const report = at("apply-report");
    report.hidden = false; report.className = ""; report.textContent = "Working …"; at("apply-go").disabled = true;
    try { await page.settled(); report.textContent = (await page.ask("api/apply", wanted(), 0)).report; report.className = "done"; }
    catch (error) { report.textContent = error.message; report.className = "wrong"; }
    at("apply-go").disabled = false;
    report.scrollIntoView({ block: "nearest" });
  }

  at("show-keys").addEventListener("click", () => open("keys"));
  at("show-statistics").addEventListener("click", () => statistics().catch(page.complain));
  at("show-apply").addEventListener("click", async () => {
    const { lengths, new_name: name } = page.set, missing = lengths.filter((_, i) => page.labels.of(i) === null).length;
    at("apply-name").value ||= name;
    at("apply-missing").textContent = missing ? `${missing} of ${lengths.length} episodes are unlabelled. They` : "Unlabelled episodes (none)";
    at("apply-report").hidden = true;
    await command();
    open("apply");
  });
  at("apply-name").addEventListener("input", command);
  at("apply-unlisted").addEventListener("change", command);
  at("apply-go").addEventListener("click", apply);
  return { keys: () => open("keys") };
}
