// Asks every second and a half whether mail has come in, while somebody looks.
"use strict";

const list = document.getElementById("list");

async function look() {
  if (document.hidden) return;
  const newest = list.querySelector("[data-newest]").dataset.newest;
  const answer = await fetch(`${list.dataset.rows}?after=${newest}`, { redirect: "error" });
  if (answer.status !== 200) return;
  const focused = list.contains(document.activeElement) ? 
    document.activeElement.getAttribute("href") : null;
  list.innerHTML = await answer.text();
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function watch() {
  try {
    await look();
  } catch {
    // The server is away for the moment: ask again.
  }
  setTimeout(watch, 1500);
}

watch();
document.addEventListener("visibilitychange", () => look().catch(() => {}));
