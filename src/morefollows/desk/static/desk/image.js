// Adding an image while writing: in a dialog, by the button, by pasting or by dropping a file onto
// the text. Where it is added, its line is put in at the caret. Without scripts the button leads to
// a page that gives the line to copy.
"use strict";

(() => {
const link = document.querySelector("[data-image-for]");
const dialog = document.getElementById("image-dialog");
if (!link || !dialog || !window.htmx) return;
const text = document.getElementById(link.dataset.imageFor);
const said = document.getElementById("image-said");

async function open(file) {
  dialog.showModal();
  await htmx.ajax("GET", link.href, { target: "#image-add", swap: "outerHTML" });
  const input = dialog.querySelector("input[type='file']");
  if (!input) return;
  if (file) {
    const files = new DataTransfer();
    files.items.add(file);
    input.files = files.files;
  }
  (file ? dialog.querySelector("textarea[name='alt']") : input).focus();
}

// In a paragraph of its own, whatever stands around it.
function insert(line) {
  const rich = new CustomEvent("insert-markdown", { detail: line, cancelable: true });
  if (!text.dispatchEvent(rich)) {
    dialog.close();
    said.textContent = said.dataset.added;
    return;
  }
  const before = text.value.slice(0, text.selectionStart).replace(/\s+$/, "");
  const after = text.value.slice(text.selectionEnd).replace(/^\s+/, "");
  text.value = (before && `${before}\n\n`) + line + (after ? `\n\n${after}` : "\n");
  const caret = (before && `${before}\n\n`).length + line.length;
  dialog.close();
  text.focus();
  text.setSelectionRange(caret, caret);
  text.dispatchEvent(new Event("input", { bubbles: true }));
  said.textContent = said.dataset.added;
}

link.addEventListener("click", (event) => {
  event.preventDefault();
  open();
});

function says(html) {
  return new DOMParser().parseFromString(html, "text/html").body.textContent.trim() !== "";
}

for (const [kind, where] of [["paste", "clipboardData"], ["drop", "dataTransfer"]]) {
  const drop = (event) => {
    const file = [...event[where].files].find((one) => one.type.startsWith("image/"));
    // Word puts a picture of what is copied beside the words. A browser's "Copy image" puts an
    // element beside the picture, and no words.
    if (!file || says(event[where].getData("text/html"))) return;
    event.preventDefault();
    event.stopPropagation();
    open(file);
  };
  text.addEventListener(kind, drop);
  document.getElementById("rich")?.addEventListener(kind, drop, true);
}

dialog.addEventListener("htmx:beforeRequest", () => {
  const busy = dialog.querySelector("[data-busy]");
  if (busy) busy.textContent = busy.dataset.busy;
});
dialog.addEventListener("htmx:afterSwap", () => {
  const added = dialog.querySelector("[data-markdown]");
  if (added) return insert(added.dataset.markdown);
  const wrong = dialog.querySelector("[aria-invalid='true']");
  if (wrong) wrong.focus();
});
for (const kind of ["htmx:responseError", "htmx:sendError"]) {
  dialog.addEventListener(kind, () => {
    dialog.close();
    said.textContent = said.dataset.tooLarge;
  });
}
})();
