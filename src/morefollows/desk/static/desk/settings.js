// Live previews of the settings: words and colours follow the fields as one types. Without scripts
// the previews show what is in force.
"use strict";

for (const shown of document.querySelectorAll("[data-live]")) {
  const fields = shown.dataset.live.split(" ").map((id) => document.getElementById(id))
    .filter(Boolean);
  for (const field of fields) field.addEventListener("input", () => {
    // The first field that has something counts.
    shown.textContent = (fields.find((one) => one.value) || field).value;
  });
}

// The server derives the colours, so that the preview is what is saved.
const form = document.querySelector("[data-palette]");
if (form) {
  let asked = 0;
  const colours = [...form.querySelectorAll("[data-colour]")];
  const show = async () => {
    const mine = ++asked;
    const query = new URLSearchParams(colours.map((field) => [field.name, field.value]));
    const answer = await fetch(`${form.dataset.palette}?${query}`);
    if (!answer.ok || mine !== asked) return;
    const told = await answer.json();
    for (const brand of document.querySelectorAll(".brand"))
      for (const name in told.tokens) brand.style.setProperty(name, told.tokens[name]);
    for (const field of colours) {
      const { shown, ratio, suggestion } = told.colours[field.name];
      const row = field.closest(".colour");
      const badge = row.querySelector("[data-ratio]");
      row.querySelector("rect").setAttribute("fill", shown);
      badge.querySelector("span").textContent = ratio;
      badge.className = `badge ${suggestion ? "look" : "go"}`;
      const use = row.querySelector("[data-use]");
      use.hidden = !suggestion;
      use.textContent = suggestion;
      use.value = suggestion;
    }
  };
  let later;
  form.addEventListener("input", (event) => {
    if (!colours.includes(event.target)) return;
    clearTimeout(later);
    later = setTimeout(show, 150);
  });
  for (const use of form.querySelectorAll("[data-use]")) use.addEventListener("click", () => {
    document.getElementById(use.dataset.use).value = use.value;
    show();
  });
}
