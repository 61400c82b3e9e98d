// The time that is left of a declared limit, in whole minutes until the last one; said aloud to a
// screen reader at a few moments only.

const SAID_AT = [300, 60, 0];

class TimeLeft {
  // seconds: left when the page was served.
  constructor(seconds) {
    this.end = performance.now() + seconds * 1000;
    this.shown = make("span", { role: "timer" });
    this.said = make("span", { class: "sm-unseen", role: "status" });
    this.before = seconds;
    this.tick();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  get parts() {
    return [this.shown, this.said];
  }

  close() {
    clearInterval(this.timer);
  }

  tick() {
    const left = (this.end - performance.now()) / 1000;
    this.shown.textContent = TimeLeft.words(left);
    this.shown.className = left <= 0 ? "sm-over" : "";
    if (SAID_AT.some((moment) => this.before > moment && left <= moment)) {
      this.said.textContent = TimeLeft.words(left);
    }
    this.before = left;
  }

  static words(left) {
    if (left <= 0) return "Time is up. Submit what stands here; it is kept, and noted as late.";
    if (left <= 60) return `${Math.ceil(left)} s left`;
    return `${Math.ceil(left / 60)} min left`;
  }
}
