// Small helps while writing: counters, guards, passwords. All of it works without, too.
"use strict";

const all = (selector) => document.querySelectorAll(selector);
const byId = (id) => document.getElementById(id);

function counters() {
  all("[data-counter]").forEach((counter) => {
    const input = byId(counter.dataset.counter);
    const limit = Number(input.dataset.limit);
    const figures = new Intl.NumberFormat(document.documentElement.lang);
    const count = () => {
      const length = [...input.value.trim()].length;
      counter.textContent = `${figures.format(length)} / ${figures.format(limit)}`
        + (length > limit ? ` (−${length - limit})` : "");
      counter.classList.toggle("counter-over", length > limit);
    };
    input.addEventListener("input", count);
    count();
  });
  all("[data-one-line]").forEach((input) => {
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); });
    input.addEventListener("input", () => {
      if (/[\r\n]/.test(input.value)) input.value = input.value.replace(/\s*[\r\n]+\s*/g, " ");
    });
  });
}

function guards() {
  // Leaving with unsaved words asks first.
  all("form[data-guard]").forEach((form) => {
    let dirty = "dirty" in form.dataset;
    form.addEventListener("input", () => { dirty = true; });
    for (const done of ["submit", "saved"]) form.addEventListener(done, () => { dirty = false; });
    all("[data-leave]").forEach((link) => link.addEventListener("click", () => { dirty = false; }));
    addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  });
  // A second click on Send, Take it back or Stop does nothing. (The server refuses it as well.)
  all("form[data-once]").forEach((form) => {
    let gone = false;
    form.addEventListener("submit", (event) => {
      if (gone) return event.preventDefault();
      gone = true;
      form.querySelector("button").setAttribute("aria-disabled", "true");
    });
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      gone = false;
      form.querySelector("button").removeAttribute("aria-disabled");
    });
  });
}

function passwords() {
  all("[data-show]").forEach((button) => {
    const input = byId(button.dataset.show);
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    });
  });
}

counters();
guards();
passwords();
document.querySelector("[aria-invalid='true']")?.focus();
