// Counts pastes into an answer and looks away from the page, where the study declares it and the
// person has consented. Totals are sent, so a count that is sent twice counts once.

class ConductCounter {
  // totals: as the server holds them; area: where pastes are counted.
  constructor(item, totals, area) {
    Object.assign(this, { item, totals: { ...totals }, area });
    this.awaySince = null;
    this.onPaste = (event) => this.pasted(event.clipboardData?.getData("text") ?? "");
    this.onAway = () => this.left();
    this.onBack = () => this.cameBack();
    this.onVisibility = () => (document.visibilityState === "hidden" ? this.left() : this.cameBack());
    area.addEventListener("paste", this.onPaste);
    window.addEventListener("blur", this.onAway);
    window.addEventListener("focus", this.onBack);
    window.addEventListener("pagehide", this.onAway);
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  close() {
    this.cameBack();
    this.area.removeEventListener("paste", this.onPaste);
    window.removeEventListener("blur", this.onAway);
    window.removeEventListener("focus", this.onBack);
    window.removeEventListener("pagehide", this.onAway);
    document.removeEventListener("visibilitychange", this.onVisibility);
  }

  pasted(text) {
    this.totals.pastes += 1;
    this.totals.pasted_characters += text.length;
    this.send();
  }

  left() {
    if (this.awaySince !== null) return;
    this.awaySince = Date.now();
    this.totals.focus_losses += 1;
    this.send();
  }

  cameBack() {
    if (this.awaySince === null) return;
    this.totals.seconds_away += Math.round((Date.now() - this.awaySince) / 1000);
    this.awaySince = null;
    this.send();
  }

  send() {
    fetch("/api/conduct", {
      method: "POST",
      headers: { "content-type": "application/json" },
      credentials: "same-origin",
      keepalive: true,
      body: JSON.stringify({ item: this.item, ...this.totals }),
    }).catch(() => {}); // the next count carries it
  }
}
