// "Copy link" on a story's page. The address is the plain one: nothing in it tells who shared it.
"use strict";

document.querySelectorAll("[data-copy]").forEach((button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch { return; }
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = words; }, 3000);
  });
});
