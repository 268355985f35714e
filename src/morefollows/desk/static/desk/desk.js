// What every page of the desk can do with a keyboard, and small helps while writing. All of it
// works without, too.
"use strict";

const all = (selector) => document.querySelectorAll(selector);
const byId = (id) => document.getElementById(id);

// Single keys can be switched off (WCAG 2.2, 2.1.4): speech input and cats press them by chance.
const SINGLE_KEYS_OFF = "morefollows-single-keys-off";
const remembered = {
  get() {
    try { return localStorage.getItem(SINGLE_KEYS_OFF) !== null; } catch { return false; }
  },
  set(off) {
    try { off ? localStorage.setItem(SINGLE_KEYS_OFF,
      "1") : localStorage.removeItem(SINGLE_KEYS_OFF); } catch { /* private mode */ }
  },
};

function sheet() {
  const dialog = byId("shortcuts");
  const tick = byId("single-keys");
  if (!dialog) return;
  tick.checked = !remembered.get();
  tick.addEventListener("change", () => remembered.set(!tick.checked));
  // Opened by a key there was nothing to give the focus back to: it would stay inside, in a field,
  // where keys do nothing.
  dialog.addEventListener("close", () => {
    if (dialog.contains(document.activeElement)) document.activeElement.blur(); });
  all("[data-open='shortcuts']").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  });
}

function keys(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const form = document.querySelector("form.write");
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === "Enter") {
    if (form) form.requestSubmit(form.querySelector("[name='check']"));
    else byId("send")?.focus();
    return event.preventDefault();
  }
  if (command && event.key.toLowerCase() === "s" && form) {
    form.requestSubmit(form.querySelector("[name='save']"));
    return event.preventDefault();
  }
  const back = byId("hold")?.hidden === false ? byId("take-back") : null;
  if (event.key === "Escape" && back && !byId("shortcuts").open) return back.focus();
  if (command || event.repeat || remembered.get() || byId("shortcuts")?.open) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "?") byId("shortcuts")?.showModal();
  else if (event.key === "t" && back) back.form.requestSubmit(back);
  else follow([...all("[data-key]")].find((link) => link.dataset.key === event.key), event);
}

// A link within the page leads to the first field there: the key that led to it is not typed into
// it.
function follow(link, event) {
  if (!link) return;
  event.preventDefault();
  link.click();
  if (link.hash &&
    link.pathname === location.pathname) document.querySelector(`${link.hash} textarea`)?.focus();
}

function counters() {
  all("[data-counter]").forEach((counter) => {
    const input = byId(counter.dataset.counter);
    const limit = Number(input.dataset.limit);
    const figures = new Intl.NumberFormat(document.documentElement.lang);
    const count = () => {
      const length = [...input.value.trim()].length;
      counter.textContent = `${figures.format(length)} / ${figures.format(limit)}` + (length > limit ? ` (−${length - limit})` : "");
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

sheet();
counters();
guards();
passwords();
addEventListener("keydown", keys);
document.querySelector("[aria-invalid='true']")?.focus();
