// The Wire renews its list. What has the focus, and a group that is open, stay as they are.
"use strict";

{
  const EVERY = 2000; // ms between looks
  const wire = document.getElementById("wire");
  const steady = (part) => part.outerHTML.replace(/name="csrfmiddlewaretoken" value="\w+"/g, "");
  let tag = "";

  async function look() {
    if (document.hidden || !wire) return;
    try {
      const answer = await fetch(wire.dataset.parts, {
        headers: tag ? { "If-None-Match": tag } : {},
        credentials: "same-origin", cache: "no-store" });
      if (answer.status !== 200 || answer.redirected) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = found.getElementById("part-wire");
      const old = document.getElementById("part-wire");
      if (!part || old.querySelector("details[open]")) return;
      tag = answer.headers.get("ETag") || "";
      if (steady(old) === steady(part)) return;
      const kept = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceWith(document.adoptNode(part));
      if (kept) document.getElementById(kept)?.focus({ preventScroll: true });
    } catch { /* the next look may work */ }
  }

  async function turn() {
    await look();
    setTimeout(turn, EVERY);
  }

  setTimeout(turn, EVERY);
  document.addEventListener("visibilitychange", look);
}
