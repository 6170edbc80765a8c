// What is said of an episode besides its labels, and of success: the flag, the note and the definition.

const at = (id) => document.getElementById(id);
const USUAL = ["bad", "look again"];
const NOTHING = { flag: null, note: null };
const AGAIN = 250; // ms until a definition without an answer is sent again

// `page` gives: ask(path, body), labels, episode(), blocked(), heard(news), complain(error), unsaved(text), leave().
export class Notes {
  constructor(page) {
    this.page = page;
    at("definition").addEventListener("keydown", (event) => {
      if (event.key === "Escape") at("definition").value = page.labels.definition ?? "";
      if (event.key === "Enter" || event.key === "Escape") page.leave();
    });
    at("definition").addEventListener("change", () => this.define());
    at("flag-save").addEventListener("click", () => this.save());
    for (const id of ["flag-words", "flag-note"]) at(id).addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.save(); } });
    at("flag-words").addEventListener("input", () => { at("flag-own").checked = true; });
    at("flag-own").addEventListener("change", () => at("flag-words").focus());
  }

  of(episode) { return this.page.labels.notes[episode] ?? NOTHING; }

  // The flag and the note of an episode in one line.
  words(episode) {
    const { flag, note } = this.of(episode);
    return [flag !== null && `⚑ ${flag || "flagged"}`, note].filter(Boolean).join(" · ");
  }

  draw() {
    const { labels, blocked, episode } = this.page, field = at("definition");
    if (document.activeElement !== field) field.value = (this.wanted ? this.wanted.words : labels.definition) ?? "";
    field.readOnly = blocked();
    field.title = field.value;
    at("noted").textContent = at("noted").title = this.words(episode());
    at("show-flag").disabled = blocked();
    at("show-flag").setAttribute("aria-pressed", String(this.of(episode()).flag !== null));
  }

  open() {
    if (this.page.blocked()) return;
    const episode = this.page.episode(), before = this.of(episode), { flag, note } = before;
    this.asked = { episode, before };
    at("flag-title").textContent = `Episode ${episode}`;
    const own = flag !== null && !USUAL.includes(flag);
    at(flag === null ? "flag-none" : own ? "flag-own" : `flag-${USUAL.indexOf(flag)}`).checked = true;
    at("flag-words").value = own ? flag : "";
    at("flag-note").value = note ?? "";
    at("flag-wrong").textContent = "";
    at("flag").showModal();
    document.querySelector("#flag input:checked").focus();
  }

  async save() {
    const { episode, before } = this.asked, chosen = document.querySelector("#flag input:checked").value;
    const flag = chosen === "none" ? null : chosen === "own" ? at("flag-words").value.trim() : USUAL[+chosen];
    const after = { flag, note: at("flag-note").value.trim() || null };
    try {
      this.page.heard(await this.page.ask("api/note", { serial: this.page.labels.serial, episode, before, after }));
      at("flag").close();
    } catch (error) { at("flag-wrong").textContent = `Not saved: ${error.message}`; }
  }

  // What was written is sent until there is an answer, as marks are, and the field shows it until then.
  async define() {
    this.wanted = { words: at("definition").value.trim() || null };
    if (this.sending) return;
    this.sending = true;
    while (this.wanted) {
      const { labels } = this.page, wanted = this.wanted, { words } = wanted;
      try {
        if (words !== labels.definition) this.page.heard(await this.page.ask("api/definition", { serial: labels.serial, before: labels.definition, after: words }));
      } catch (error) {
        const text = `success is “${words ?? ""}”`;
        error.message = `Not saved: ${text}: ${error.message}`;
        this.page.complain(error);
        if (["gone", "expired", "outside"].includes(error.kind)) this.page.unsaved(text); // these have a line of their own
        if (error.kind === "gone") { await new Promise((done) => setTimeout(done, AGAIN)); continue; }
      }
      if (this.wanted === wanted) this.wanted = undefined;
    }
    this.sending = false;
    this.draw();
  }
}
