// An alert that waits: the countdown to the server's end time, and the next page when it leaves.
"use strict";

{
  const page = document.getElementById("alert");
  const byId = (id) => document.getElementById(id);
  const words = byId("hold-words");
  const skew = Number(page.dataset.now) - Date.now(); // milliseconds the server's clock is ahead
  const whole = Math.max(1, page.dataset.heldUntil - page.dataset.frozenAt);

  function countdown() {
    if (!words) return;
    const left = page.dataset.heldUntil - (Date.now() + skew);
    const seconds = Math.max(0, Math.ceil(left / 1000));
    byId("sec").textContent = seconds;
    byId("ring").style.strokeDashoffset = 176 * (1 - Math.max(0, left) / whole);
    if (left > 0) {
      words.textContent = words.dataset[seconds === 1 ? "one" : "many"].replace("%n", seconds);
    } else {
      words.textContent = left < -3000 ? words.dataset.late : words.dataset.over;
    }
    setTimeout(countdown, 200);
  }

  // What a button leads to must not be overtaken by a reload.
  let leaving = false;
  addEventListener("submit", () => { leaving = true; });
  const reload = () => { if (!leaving) location.reload(); };

  function listen() {
    const source = new EventSource(page.dataset.stream);
    source.addEventListener("progress", (event) => {
      const now = JSON.parse(event.data);
      if (now.state !== page.dataset.state
        || String(now.held_until_ms) !== page.dataset.heldUntil) {
        source.close();
        reload();
      }
    });
    source.addEventListener("end", () => { source.close(); reload(); });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
    });
  }

  // The time that is being chosen, with its weekday: a wrong date shows itself.
  const chosen = byId("chosen");
  const tongue = document.documentElement.lang;
  const said = new Intl.DateTimeFormat(tongue === "en" ? "en-GB" : tongue, {
    weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit",
    timeZone: "UTC" });
  for (const field of [byId("day"), byId("clock")]) field?.addEventListener("input", () => {
    const at = new Date(`${byId("day").value}T${byId("clock").value}Z`);
    chosen.textContent = isNaN(at) ? "" : said.format(at);
  });

  byId("take-back")?.focus();
  countdown();
  listen();
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
