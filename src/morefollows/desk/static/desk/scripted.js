// Scripts run, and whether the text is wanted as plain text: before anything is drawn, so that
// nothing moves afterwards.
"use strict";

document.documentElement.classList.add("scripted");
try {
  if (localStorage.getItem("morefollows-plain-text") !== null)
    document.documentElement.classList.add("plain-text");
} catch { /* private mode */ }
