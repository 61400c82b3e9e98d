// One form for answering and for rating: scales with every point in words, text areas, and one
// button. It holds what the person typed; Streamlit only hears of it when it is submitted.

const SUBMIT_WAIT_MS = 15000;
const instances = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let form = instances.get(parentElement);
  if (form && form.data.item !== data.item) {
    form.close();
    form = undefined;
  }
  if (form) {
    form.hear(data, setTriggerValue);
  } else {
    form = new DraftForm(parentElement, data, setTriggerValue);
    instances.set(parentElement, form);
  }
  return () => form.close();
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function clock(moment) {
  return new Date(moment).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

function countWords(text) {
  const trimmed = text.trim();
  return trimmed ? trimmed.split(/\s+/).length : 0;
}

class DraftForm {
  constructor(parent, data, setTriggerValue) {
    this.parent = parent;
    this.data = data;
    this.setTriggerValue = setTriggerValue;
    this.name = `g${Math.random().toString(36).slice(2)}`;
    this.isOpen = true;
    this.isSubmitting = false;
    this.saver = new DraftSaver({
      kind: data.kind,
      item: data.item,
      values: data.values,
      revision: data.revision,
      savedAt: data.saved_at,
      shown: (news) => this.show(news),
    });
    this.build();
    this.fill(this.saver.values);
    this.show({ state: "saved", savedAt: data.saved_at });
    this.listen();
    if (data.conduct) {
      this.conduct = new ConductCounter(data.item, data.conduct, this.areas.text);
    }
    this.tell(data.problem);
    if (data.first) this.goToTop();
  }

  build() {
    this.root = make("div", { class: "sm-form" });
    this.areas = {};
    this.diffs = {};
    this.groups = {};
    this.alert = make("div", { class: "sm-alert", role: "alert", hidden: true });
    this.meeting = make("div", { class: "sm-alert", role: "alert", hidden: true });
    this.status = make("span", { role: "status" });
    this.count = make("span");
    if (this.data.seconds_left != null) this.time = new TimeLeft(this.data.seconds_left);
    for (const part of this.data.parts) {
      this.root.append(part.type === "scale" ? this.scale(part) : this.area(part));
    }
    this.root.append(
      make("div", { class: "sm-under" }, this.count, ...(this.time?.parts ?? []), this.status),
      this.meeting,
      this.alert,
      this.actions(),
    );
    this.parent.querySelectorAll(".sm-form").forEach((old) => old.remove());
    this.parent.append(this.root);
  }

  area(part) {
    const id = `${this.name}-${part.name}`;
    const area = make("textarea", {
      id,
      rows: part.rows,
      maxlength: part.max_characters,
      spellcheck: "true",
      oninput: () => {
        this.grow(area);
        this.changed();
      },
    });
    area.dataset.minimum = part.rows;
    this.areas[part.name] = area;
    if (part.diff_from !== null) this.diffs[part.name] = { place: make("p", { class: "sm-diff" }), from: part.diff_from };
    return make(
      "div",
      { class: "sm-area" },
      make("label", { for: id, class: part.asks ? "sm-question" : "" }, part.label),
      area,
      this.diffs[part.name]?.place,
    );
  }

  scale(part) {
    const points = part.points.map(([value, words]) =>
      make(
        "label",
        { class: "sm-point" },
        make("input", {
          type: "radio",
          name: `${this.name}-${part.name}`,
          value,
          onchange: () => this.scored(part.name),
        }),
        part.numbered ? make("b", {}, String(value)) : null,
        make("span", {}, words),
      ),
    );
    const group = make(
      "fieldset",
      { onkeydown: (event) => this.pickByDigit(event, part.name) },
      make("legend", {}, part.label),
      part.asks ? make("p", { class: "sm-ask" }, part.asks) : null,
      make("div", { class: part.in_row ? "sm-points sm-row" : "sm-points" }, ...points),
    );
    this.groups[part.name] = { group, label: part.label, optional: part.optional };
    return group;
  }

  actions() {
    const { submit } = this.data;
    this.button = make("button", { type: "button", onclick: () => this.ask() }, submit.label);
    this.note = make("span", { class: "sm-quiet" }, submit.note);
    this.confirm = make(
      "div",
      { class: "sm-act", hidden: true, role: "group", "aria-label": submit.label },
      make("strong", {}, submit.confirm || ""),
      make("button", { type: "button", onclick: () => this.submit() }, submit.yes || ""),
      make(
        "button",
        { type: "button", class: "sm-second", onclick: () => this.doNotSubmit() },
        "Go on writing",
      ),
    );
    this.act = make("div", { class: "sm-act" }, this.button, this.note);
    return make("div", {}, this.act, this.confirm);
  }

  listen() {
    this.onHidden = () => {
      if (document.visibilityState === "hidden") this.saver.leave();
    };
    this.onLeave = () => this.saver.leave();
    document.addEventListener("visibilitychange", this.onHidden);
    window.addEventListener("pagehide", this.onLeave);
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    document.removeEventListener("visibilitychange", this.onHidden);
    window.removeEventListener("pagehide", this.onLeave);
    clearTimeout(this.waiting);
    this.time?.close();
    this.conduct?.close();
    if (!this.isSubmitting && this.saver.url) this.saver.leave();
    else this.saver.dropHere();
    this.root.remove();
  }

  // Streamlit ran again and the same task stands: only what went wrong may be new.
  hear(data, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    if (data.problem?.number !== this.data.problem?.number) this.tell(data.problem);
    this.data = data;
  }

  fill(values) {
    const texts =
      this.data.kind === "answer"
        ? { text: values.text }
        : { comment: values.comment, ...values.texts };
    for (const [name, words] of Object.entries(texts)) {
      if (!this.areas[name]) continue;
      this.areas[name].value = words;
      this.grow(this.areas[name]);
    }
    const scores =
      this.data.kind === "answer" ? { confidence: values.confidence } : values.scores;
    for (const [name, { group }] of Object.entries(this.groups)) {
      for (const input of group.querySelectorAll("input")) {
        input.checked = String(scores[name] ?? "") === input.value;
      }
    }
    this.countNow();
    this.diffNow();
  }

  read() {
    const scores = {};
    for (const [name, { group }] of Object.entries(this.groups)) {
      const chosen = group.querySelector("input:checked");
      if (chosen) scores[name] = Number(chosen.value);
    }
    return this.data.kind === "answer"
      ? { text: this.areas.text.value, confidence: scores.confidence ?? null }
      : { scores, comment: this.areas.comment?.value ?? "", ...this.edited() };
  }

  // Texts that are edited, where the form has any.
  edited() {
    const names = Object.keys(this.diffs);
    if (names.length === 0) return {};
    return { texts: Object.fromEntries(names.map((name) => [name, this.areas[name].value])) };
  }

  diffNow() {
    for (const [name, { place, from }] of Object.entries(this.diffs)) {
      showDiff(place, from, this.areas[name].value);
    }
  }

  changed() {
    this.countNow();
    this.diffNow();
    this.saver.change(this.read());
  }

  scored(name) {
    this.groups[name].group.classList.remove("sm-missing");
    this.changed();
  }

  pickByDigit(event, name) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const input = this.groups[name].group.querySelector(`input[value="${CSS.escape(event.key)}"]`);
    if (!input) return;
    input.checked = true;
    input.focus();
    this.scored(name);
  }

  grow(area) {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }

  countNow() {
    if (this.data.kind !== "answer") return;
    const words = countWords(this.areas.text.value);
    const limit = this.data.max_words;
    const over = limit ? words - limit : 0;
    this.count.className = over > 0 ? "sm-over" : "";
    this.count.textContent =
      over > 0
        ? `${words} words, ${over} over the limit of ${limit}`
        : limit
          ? `${words} of at most ${limit} words`
          : `${words} words`;
  }

  show({ state, words, savedAt, theirs }) {
    const said = {
      typing: "Not saved yet",
      saving: "Saving",
      saved: savedAt ? `Saved ${clock(savedAt)}` : "",
      unsaved: words,
      conflict: "Not saved: choose a text below",
    }[state];
    this.status.textContent = said;
    this.status.className = state === "unsaved" ? "sm-over" : "";
    if (state === "conflict") this.offerBoth(theirs, savedAt);
    else this.meeting.hidden = true;
  }

  offerBoth(theirs, savedAt) {
    const isAnswer = this.data.kind === "answer";
    const scored = (values) =>
      Object.entries(this.groups)
        .map(([name, { label }]) => `${label}: ${values[name] ?? "none"}`)
        .join("\n");
    const edited = Object.values(theirs.texts ?? {}).map((text) => `\n${text}`);
    const newer = isAnswer
      ? theirs.text
      : `${scored(theirs.scores)}\nComment: ${theirs.comment}${edited.join("")}`;
    const what = isAnswer ? "text" : "rating";
    this.meeting.replaceChildren(
      make("p", {}, `A newer ${what} was saved from another tab or device at ${clock(savedAt)}:`),
      make("blockquote", {}, newer || "(empty)"),
      make("p", {}, `What stands above in this tab is older. Both are kept until you choose.`),
      make(
        "div",
        { class: "sm-act" },
        make("button", { type: "button", onclick: () => this.takeNewer() }, `Use the newer ${what}`),
        make(
          "button",
          { type: "button", class: "sm-second", onclick: () => this.saver.keepMine() },
          `Keep what stands here`,
        ),
      ),
    );
    this.meeting.hidden = false;
  }

  takeNewer() {
    this.fill(this.saver.takeTheirs());
  }

  tell(problem) {
    this.alert.hidden = !problem;
    if (!problem) return;
    this.alert.textContent = problem.words;
    this.idle();
    this.alert.scrollIntoView({ block: "nearest" });
  }

  missing() {
    if (this.data.kind === "answer") return [];
    const { scores } = this.read();
    return Object.entries(this.groups).filter(
      ([name, { optional }]) => !optional && scores[name] === undefined,
    );
  }

  ask() {
    this.alert.hidden = true;
    const missing = this.missing();
    if (missing.length > 0) {
      for (const [, { group }] of missing) group.classList.add("sm-missing");
      const names = missing.map(([, { label }]) => label).join(", ");
      this.tell({ words: `${this.data.missing} Missing: ${names}.` });
      missing[0][1].group.querySelector("input").focus();
      return;
    }
    if (!this.data.submit.confirm) {
      this.submit();
      return;
    }
    this.act.hidden = true;
    this.confirm.hidden = false;
    this.confirm.querySelector("button").focus();
  }

  doNotSubmit() {
    this.idle();
    this.areas.text?.focus();
  }

  idle() {
    clearTimeout(this.waiting);
    this.isSubmitting = false;
    this.act.hidden = false;
    this.confirm.hidden = true;
    this.button.disabled = false;
    this.button.textContent = this.data.submit.label;
  }

  async submit() {
    if (this.isSubmitting) return;
    this.isSubmitting = true;
    this.act.hidden = false;
    this.confirm.hidden = true;
    this.button.disabled = true;
    this.button.textContent = this.data.submit.doing;
    const isKept = await this.saver.flush();
    if (!isKept) {
      const words = this.saver.conflict
        ? "Choose one of the two first; nothing was submitted."
        : this.status.textContent || "The server cannot be reached.";
      this.tell({ words: `${words} Nothing was submitted; nothing is lost.` });
      return;
    }
    this.setTriggerValue("submitted", { item: this.data.item, ...this.read() });
    this.waiting = setTimeout(
      () =>
        this.tell({
          words:
            "The server has not answered yet. Everything is saved; reload the page to see where you are.",
        }),
      SUBMIT_WAIT_MS,
    );
  }

  // A new task starts at its top, for the eye and for the keyboard.
  goToTop() {
    const main = document.querySelector('[data-testid="stMain"]');
    main?.scrollTo(0, 0);
    document.querySelector(".sm-head .sm-place")?.focus({ preventScroll: true });
  }
}
