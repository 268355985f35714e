// Home renews itself. What has the focus, and a menu that is open, stay as they are.
"use strict";

{
  const home = document.getElementById("home");
  const QUICK = 1500; // ms between looks while something is on its way
  const SLOW = 6000;
  let tag = "";
  let late = 0; // ms that this clock is ahead of the server's

  const busy = () => !document.getElementById("part-way").hidden;

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(home.dataset.parts, {
        headers: tag ? { "If-None-Match": tag } : {},
        credentials: "same-origin", cache: "no-store" });
      const date = Date.parse(answer.headers.get("Date") || "");
      if (date) late = Math.min(Date.now() - date, late || Infinity);
      if (answer.status !== 200 || answer.redirected) return;
      tag = answer.headers.get("ETag") || "";
      renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the next look may work */ }
  }

  function renew(found) {
    found.querySelectorAll("[id^='part-']").forEach((part) => {
      const old = document.getElementById(part.id);
      if (!old || old.querySelector("details[open]")) return;
      if (steady(old) === steady(part)) return;
      const kept = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceWith(document.adoptNode(part));
      if (kept) document.getElementById(kept)?.focus({ preventScroll: true });
    });
    count();
  }

  const steady = (part) => part.outerHTML.replace(/name="csrfmiddlewaretoken" value="\w+"/g, "");

  // Holds are counted down to the server's end time.
  function count() {
    document.querySelectorAll("[data-until]").forEach((one) => {
      const left = Math.max(0, Math.round((Number(one.dataset.until) - Date.now() + late) / 1000));
      if (left < 120) one.textContent = `${left} s`;
    });
  }

  async function turn() {
    await look();
    setTimeout(turn, busy() ? QUICK : SLOW);
  }

  setTimeout(turn, busy() ? QUICK : SLOW);
  setInterval(count, 500);
  document.addEventListener("visibilitychange", look);

  // A file that is dropped on the boxes is brought in at once, as one that is chosen.
  const bring = document.querySelector("form[data-drop]");
  const file = bring?.querySelector("input[type=file]");
  const targets = bring ? [bring, document.querySelector("form.ask")] : [];
  file?.addEventListener("change", () => file.files.length && bring.requestSubmit());
  targets.forEach((target) => {
    target.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      bring.classList.add("over");
    });
    target.addEventListener("dragleave", () => bring.classList.remove("over"));
    target.addEventListener("drop", (event) => {
      bring.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      file.files = event.dataTransfer.files;
      bring.requestSubmit();
    });
  });
}
