// Keeps what is typed or scored: on the server while there is one, and in this tab until the server
// has acknowledged it. One save is under way at a time; a stale one is never forced.

const DEBOUNCE_MS = 700;
const RETRY_MS = [2000, 4000, 8000, 15000];
// Browsers refuse to keep more than 64 KiB alive after a page is left.
const KEEPALIVE_BYTES = 60000;

// Equal for equal content, whatever the order of the scores.
function print(values) {
  const scores = Object.entries(values.scores ?? {}).sort();
  const { reasoning, answer } = values.texts ?? {};
  return JSON.stringify([
    values.text ?? values.comment,
    values.confidence ?? null,
    scores,
    reasoning,
    answer,
  ]);
}

class DraftSaver {
  // kind: "answer" or "rating"; shown: called with {state, words, savedAt, theirs} at each change.
  constructor({ kind, item, values, revision, savedAt, shown }) {
    Object.assign(this, { kind, item, values, revision, savedAt, shown });
    this.acknowledged = print(values);
    this.inFlight = null;
    this.timer = null;
    this.failures = 0;
    this.conflict = null;
    this.recover();
  }

  get url() {
    const places = {
      answer: "/api/draft",
      rating: "/api/rating-draft",
      marking: "/api/marking-draft",
      adjudication: "/api/adjudication-draft",
      review: "/api/review-draft",
    };
    return places[this.kind];
  }

  get isSaved() {
    return print(this.values) === this.acknowledged;
  }

  body(revision) {
    const { item, values } = this;
    return JSON.stringify(
      this.kind === "answer"
        ? { item, text: values.text, confidence: values.confidence ?? null, revision }
        : { code: item, ...DraftSaver.given(values), revision },
    );
  }

  valuesOf(draft) {
    return this.kind === "answer"
      ? { text: draft.text, confidence: draft.confidence }
      : DraftSaver.given(draft);
  }

  static given({ scores, comment, texts }) {
    return texts ? { scores, comment, texts } : { scores, comment };
  }

  change(values) {
    this.values = values;
    this.keepHere();
    if (this.conflict) return;
    this.shown({ state: "typing" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), DEBOUNCE_MS);
  }

  // Resolves to true once the server holds exactly what stands here.
  async flush() {
    clearTimeout(this.timer);
    while (this.inFlight) await this.inFlight;
    if (!this.isSaved && !this.conflict) await this.save();
    return this.isSaved && !this.conflict;
  }

  // The page is being left: send at once, even while another save is under way.
  leave() {
    clearTimeout(this.timer);
    if (!this.url || this.isSaved || this.conflict) return;
    this.send(this.revision + (this.inFlight ? 1 : 0)).catch(() => {});
  }

  send(revision) {
    const body = this.body(revision);
    return fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      credentials: "same-origin",
      keepalive: body.length * 3 < KEEPALIVE_BYTES,
      body,
    });
  }

  async save() {
    if (!this.url) {
      // Practice and guesses keep their few choices in this tab until they are sent.
      this.acknowledged = print(this.values);
      this.shown({ state: "saved", savedAt: null });
      return;
    }
    if (this.inFlight || this.conflict || this.isSaved) return;
    const sent = print(this.values);
    this.keepHere(sent);
    this.shown({ state: "saving" });
    this.inFlight = this.settle(sent);
    try {
      await this.inFlight;
    } finally {
      this.inFlight = null;
    }
    if (!this.isSaved && !this.conflict && this.failures === 0) {
      this.timer = setTimeout(() => this.save(), DEBOUNCE_MS);
    }
  }

  async settle(sent) {
    let response;
    let answer = {};
    try {
      response = await this.send(this.revision);
      answer = await response.json();
    } catch {
      this.again("Not saved yet: the server cannot be reached. Your words are kept here.");
      return;
    }
    if (response.ok) {
      this.acknowledge(sent, answer);
    } else if (response.status === 409 && answer.draft) {
      this.meet(answer.draft);
    } else {
      this.again(answer.error || "Not saved yet. Your words are kept here.");
    }
  }

  acknowledge(sent, draft) {
    this.failures = 0;
    this.acknowledged = sent;
    this.revision = draft.revision;
    this.savedAt = draft.saved_at;
    if (this.isSaved) this.dropHere();
    this.shown({ state: this.isSaved ? "saved" : "typing", savedAt: draft.saved_at });
  }

  again(words) {
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.save(), wait);
    this.shown({ state: "unsaved", words });
  }

  // A newer draft came from elsewhere: the person decides, and nothing is overwritten meanwhile.
  meet(draft) {
    const theirs = this.valuesOf(draft);
    this.failures = 0;
    if (print(theirs) === print(this.values)) {
      this.acknowledge(print(theirs), draft);
      return;
    }
    this.conflict = draft;
    this.shown({ state: "conflict", theirs, savedAt: draft.saved_at });
  }

  keepMine() {
    this.revision = this.conflict.revision;
    this.conflict = null;
    this.acknowledged = "";
    return this.save();
  }

  takeTheirs() {
    const draft = this.conflict;
    this.conflict = null;
    this.values = this.valuesOf(draft);
    this.acknowledge(print(this.values), draft);
    return this.values;
  }

  get place() {
    return `safemed-draft:${this.item}`;
  }

  keepHere(sent = this.sent ?? this.acknowledged) {
    this.sent = sent;
    const copy = { values: this.values, sent, base: this.revision };
    try {
      sessionStorage.setItem(this.place, JSON.stringify(copy));
    } catch {
      // A browser that keeps nothing still has the server's draft.
    }
  }

  dropHere() {
    try {
      sessionStorage.removeItem(this.place);
    } catch {
      // As above.
    }
  }

  // What this tab still held when it was left, if the server's draft is one it knew.
  recover() {
    let copy = null;
    try {
      copy = JSON.parse(sessionStorage.getItem(this.place));
    } catch {
      copy = null;
    }
    if (!copy || print(copy.values) === this.acknowledged) {
      this.dropHere();
      return;
    }
    const isOurs = copy.base === this.revision || copy.sent === this.acknowledged;
    const theirs = { values: this.values, revision: this.revision, saved_at: this.savedAt };
    this.values = copy.values;
    if (isOurs) {
      this.timer = setTimeout(() => this.save(), 0);
    } else {
      const draft = { ...theirs.values, revision: theirs.revision, saved_at: theirs.saved_at };
      setTimeout(() => this.meet(draft), 0);
    }
  }
}
