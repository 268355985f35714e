// Buttons that copy what stands in a field. Without scripts the field can be marked and copied by
// hand.
"use strict";

document.querySelectorAll("[data-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      return; // it is marked: the keyboard's own copy works
    }
    button.nextElementSibling.textContent = button.dataset.copied;
  });
});
