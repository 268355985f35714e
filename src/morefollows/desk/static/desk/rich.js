// A story's text. What is stored stands there as the editor shows it. The editor itself is a large
// script: it is run when somebody begins to do something, and takes the place of what stands there.
// Until then the text area takes what is typed; if the script does not come, it stays.
"use strict";

{
  const PLAIN = "morefollows-plain-text";
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const [area, rich, tools, plain] = ["id_text", "rich", "tools", "plain-text"].map(byId);
  const still = byId("still"); // the stored text, until something takes its place
  let view = null; // the editor
  let asked = null; // a promise of it
  let isPlain = root.classList.contains("plain-text");

  function remember() {
    try { isPlain ? localStorage.setItem(PLAIN, "1") : localStorage.removeItem(PLAIN); } catch {
      /* private mode */ }
  }

  function askLink(href) {
    const dialog = byId("link-dialog");
    const address = byId("link-address");
    address.value = href;
    dialog.returnValue = "";
    dialog.showModal();
    address.select();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        const typed = address.value.trim();
        const full = /^[a-z][a-z0-9+.-]*:/i.test(typed) ? typed
          : /^[^\s/@]+@[^\s/@]+$/.test(typed) ? `mailto:${typed}` : typed && `https://${typed}`;
        resolve({ set: full, out: "" }[dialog.returnValue] ?? null);
      }, { once: true });
    });
  }

  // The caret -------------------------------------------------------------------------------------

  // The text at a place, and how far in it that is.
  function textAt(node, offset) {
    if (node.nodeType === Node.TEXT_NODE) return [node, offset];
    const at = node.childNodes[offset];
    const text = at && document.createTreeWalker(at, NodeFilter.SHOW_TEXT);
    return [at?.nodeType === Node.TEXT_NODE ? at : text?.nextNode(), 0];
  }

  // The index in the Markdown of a place in the text that stands there: beside the same words. They
  // are looked for in shorter pieces where the Markdown has a line end or a sign among them.
  function inMarkdown(...place) {
    const [text, offset] = textAt(...place);
    if (!text) return area.value.length;
    const range = document.createRange();
    range.setStart(still, 0);
    range.setEnd(text, offset);
    const before = range.toString();
    const source = area.value.replace(/\n/g, " ");
    for (const length of [40, 12, 4, 1]) {
      const words = offset ? text.data.slice(Math.max(0, offset - length), offset)
        : text.data.slice(0, length);
      let at = -1;
      for (let left = before.split(words).length - (offset ? 1 : 0); left > 0; left -= 1) {
        at = source.indexOf(words, at + 1);
        if (at < 0) break;
      }
      if (at >= 0) return at + (offset ? words.length : 0);
    }
    return area.value.length;
  }

  // From where to where in the Markdown the selection is; null if the focus is elsewhere.
  function caret() {
    if (document.activeElement === area) return [area.selectionStart, area.selectionEnd];
    if (!still || document.activeElement !== still) return null;
    const selection = getSelection();
    if (!still.contains(selection.anchorNode) || !still.contains(selection.focusNode))
      return [0, 0]; // reached by a key
    return [inMarkdown(selection.anchorNode, selection.anchorOffset),
      inMarkdown(selection.focusNode, selection.focusOffset)].sort((one, other) => one - other);
  }

  function toArea() {
    const at = caret();
    still?.remove();
    if (!at) return;
    area.focus();
    area.setSelectionRange(...at);
  }

  // The editor ------------------------------------------------------------------------------------

  let composing = false;
  let pressed = false;
  const next = (target, ...names) => new Promise((resolve) => {
    for (const name of names) target.addEventListener(name, resolve, { once: true });
  }).then(() => new Promise((resolve) => { setTimeout(resolve); }));

  async function mount() {
    let at = null;
    for (;;) {
      if (composing) await next(area, "compositionend", "blur");
      else if (pressed) await next(window, "pointerup", "pointercancel", "dragend");
      else {
        at = isPlain ? null : caret();
        const placed = at && morefollowsEditor.placed(area.value, ...at);
        if (!at || placed || document.activeElement !== area) {
          at = placed;
          break;
        }
        await next(area, "blur", "input"); // in the midst of a sign of Markdown
      }
    }
    const focused = document.activeElement === still || document.activeElement === area;
    still?.remove();
    view = morefollowsEditor.mount(area, rich, tools, askLink, at);
    morefollowsEditor.pasteMarkdown(area);
    if (focused && !isPlain) view.focus();
  }

  function load() {
    asked ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: rich.dataset.editor, onload: resolve, onerror: reject });
      document.head.append(script);
    }).then(mount, () => {
      toArea();
      root.classList.remove("scripted"); // it stays a text area
    });
    return asked;
  }

  // The browser fetches it when it has nothing else to do, and does not run it.
  function prefetch() {
    const link = document.createElement("link");
    Object.assign(link, { rel: "prefetch", as: "script", href: rich.dataset.editor });
    document.head.append(link);
  }

  // What is pasted meanwhile waits for the editor, which keeps links, lists and tables.
  function paste(event) {
    if (view || isPlain || composing) return;
    const [html, text] = ["text/html", "text/plain"]
      .map((kind) => event.clipboardData.getData(kind));
    if (!html && !text) return;
    event.preventDefault();
    load().then(() => {
      if (!view) document.execCommand("insertText", false, text);
      else if (html) view.pasteHTML(html);
      else view.pasteText(text);
    });
  }

  function types(event) {
    const command = (event.ctrlKey || event.metaKey || event.altKey)
      && !event.getModifierState("AltGraph");
    return !command && (event.key.length === 1
      || ["Enter", "Backspace", "Delete", "Process", "Dead", "Unidentified"].includes(event.key));
  }

  function listen() {
    area.addEventListener("compositionstart", () => { composing = true; });
    area.addEventListener("compositionend", () => { composing = false; });
    addEventListener("pointerdown", () => { pressed = true; }, true);
    for (const name of ["pointerup", "pointercancel", "dragend"])
      addEventListener(name, () => { pressed = false; }, true);
    area.addEventListener("input", () => still?.remove()); // it is out of date
    area.addEventListener("paste", paste);
    plain.addEventListener("click", () => {
      isPlain = !isPlain;
      remember();
      show();
      (rich.hidden || !window.morefollowsText.focus()) && area.focus();
    });
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-command]");
      if (button && !view) load().then(() => { if (view) button.click(); });
    });
    if (!still) return;
    // A text field, as the editor is one. Without scripts it is hidden.
    const facts = { role: "textbox", "aria-multiline": "true", tabindex: "0",
      "aria-label": area.labels[0]?.textContent,
      "aria-describedby": area.getAttribute("aria-describedby") };
    for (const [name, value] of Object.entries(facts)) if (value) still.setAttribute(name, value);
    // A key that types something is typed into the text area; a finger needs its keyboard at once.
    still.addEventListener("focus", load);
    still.addEventListener("keydown", (event) => { if (types(event)) toArea(); });
    still.addEventListener("paste", paste);
    still.addEventListener("click", ({ clientX, clientY }) => {
      if (!still.isConnected || !matchMedia("(pointer: coarse)").matches) return;
      const point = document.caretPositionFromPoint?.(clientX, clientY);
      const range = point ? null : document.caretRangeFromPoint?.(clientX, clientY);
      if (point) getSelection().collapse(point.offsetNode, point.offset);
      else if (range) getSelection().collapse(range.startContainer, range.startOffset);
      toArea();
    });
  }

  function show() {
    root.classList.toggle("plain-text", isPlain);
    rich.hidden = isPlain;
    plain.setAttribute("aria-pressed", String(isPlain));
  }

  if (area && rich) {
    window.morefollowsText = {
      // Gives the focus to the text; false if the text area is to have it.
      focus() {
        const shown = isPlain ? null : view || (still?.isConnected && still);
        shown?.focus();
        return Boolean(shown);
      },
    };
    show();
    listen();
    // The browser or a draft that was kept has put other words there.
    const changed = area.value !== area.defaultValue;
    if (changed) still?.remove();
    if (changed || (!area.value && byId("id_headline")?.value)) load();
    else {
      for (const name of ["keydown", "pointerdown", "pointermove", "input"])
        addEventListener(name, load, { once: true, capture: true });
      (window.requestIdleCallback || setTimeout)(prefetch);
    }
  }
}
