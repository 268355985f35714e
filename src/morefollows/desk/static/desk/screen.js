// The screen on which a story is written: the live preview, and what leads to what is still to do.
// Without this script the text area, the stored draft's preview and all buttons work.
"use strict";

{
  const byId = (id) => document.getElementById(id);
  const form = byId("story");

  // Who goes on writing has read that it worked.
  function dismiss() {
    form.addEventListener("input", () => {
      document.querySelectorAll(".said .banner.go").forEach((one) => one.remove());
    }, { once: true });
  }

  // Going to what is to do ------------------------------------------------------------------------

  function go(id) {
    if (id === "id_text" && window.morefollowsText?.focus()) return;
    const target = byId(id);
    if (!target) return;
    target.closest("details")?.setAttribute("open", "");
    if (target.localName === "details") target.open = true;
    const first = target.matches("input, textarea, select, button, a") ? target
      : ["input[type=radio]:not([name=when])", "input[type=date]", "button, select, a"]
        .map((one) => target.querySelector(one)).find(Boolean) || target;
    first.focus();
    target.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#todo, [data-todo]");
    if (!link) return;
    event.preventDefault();
    go(link.hash.slice(1));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    const todo = byId("todo");
    if (todo) go(todo.hash.slice(1));
    else byId("send")?.focus();
  });

  function begin() {
    if (form.dataset.focus) return go(form.dataset.focus);
    if (form.classList.contains("locked")) return;
    const [headline, text, reason] = ["id_headline", "id_text", "id_reason"].map(byId);
    const note = byId("id_note");
    if (reason) return reason.focus();
    if (note && !note.value
        && getComputedStyle(note.closest(".kind-correction")).display !== "none")
      return note.focus();
    if (headline && !headline.value) return headline.focus();
    if (text && !text.value) go("id_text");
  }

  // A correction begins with the words that it corrects, and leaves again without them.
  function bring() {
    const words = byId("wrong-words");
    if (!words) return;
    const wrong = Object.entries(JSON.parse(words.textContent))
      .map(([name, [before, text]]) => [byId(`id_${name}`), before, text]);
    const lines = (text) => text.replace(/\r\n/g, "\n").trim();
    document.addEventListener("change", (event) => {
      if (event.target.name !== "kind" || event.target.form !== form) return;
      const begins = event.target.value === "correction";
      const untouched = ([field, before, text]) =>
        lines(field.value) === lines(begins ? before : text);
      if (!wrong.every(untouched)) return;
      for (const [field, before, text] of wrong) {
        field.value = begins ? text : before;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }, true);
  }

  // After a take-back -----------------------------------------------------------------------------

  // Send comes to stand where Take back was: the second of two presses must not send.
  function pause() {
    const words = byId("send-pause");
    if (!words) return;
    const until = performance.now() + Number(words.dataset.rest);
    const tick = () => {
      if (!words.isConnected) return;
      const left = until - performance.now();
      if (left > 0) {
        words.textContent = words.dataset.words.replace("%n", Math.ceil(left / 1000));
        setTimeout(tick, 200);
        return;
      }
      byId("send").removeAttribute("aria-disabled");
      byId("send").setAttribute("aria-describedby", "todo");
      words.remove();
    };
    tick();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#send[aria-disabled='true']")) event.preventDefault();
  }, true);

  // What changes beside the text ------------------------------------------------------------------

  // Of a form's fields that stand outside it, no event reaches the form.
  function watch() {
    let timer = 0;
    const changed = (event) => {
      if (event.target.form !== form || event.target.name === "view") return;
      if (event.type === "input" && event.target.matches("[type=radio], [type=checkbox]")) return;
      form.dispatchEvent(new Event("story-changed"));
    };
    document.addEventListener("input", changed);
    // An answer that was asked for before a choice was made would put back the one of before. It
    // is thrown away: the choice asks for another.
    let choices = 0;
    let asked = 0;
    document.addEventListener("change", (event) => {
      if (!event.target.matches("[type=radio], [type=checkbox], select, [type=date], [type=time]"))
        return;
      if (event.target.form === form) choices += 1;
      changed(event);
    });
    form.addEventListener("htmx:beforeRequest", () => { asked = choices; });
    form.addEventListener("htmx:beforeSwap", (event) => {
      if (asked !== choices) event.detail.shouldSwap = false;
    });
    form.addEventListener("htmx:afterRequest", (event) => {
      if (event.target !== form || !event.detail.successful) return;
      clearTimeout(timer);
      timer = setTimeout(frame, 50);
    });
  }

  // A menu stays open, a field keeps focus, caret and what was typed while the answer came.
  let kept = null;
  const named = (one) => one.id ? `#${CSS.escape(one.id)}`
    : one.name ? `[name="${one.name}"]`
      + (one.matches("[type=radio]") ? `[value="${CSS.escape(one.value)}"]` : "")
      : one.closest("details[id]") ? `#${one.closest("details[id]").id} > summary` : null;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target } = event.detail;
    const focus = target.contains(document.activeElement) ? document.activeElement : null;
    kept = { open: [...target.querySelectorAll("details[open][id]")].map((one) => one.id),
      focus: focus && named(focus),
      value: focus?.matches("[type=text], [type=date], [type=time]") ? focus.value : null,
      caret: focus?.matches("[type=text]") ? focus.selectionStart : null, id: target.id };
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id === "act") pause();
    if (!kept) return;
    const target = byId(kept.id);
    kept.open.forEach((id) => { if (byId(id)) byId(id).open = true; });
    const focus = kept.focus && target?.querySelector(kept.focus);
    if (focus) {
      if (kept.value !== null) focus.value = kept.value;
      focus.focus({ preventScroll: true });
      if (kept.caret !== null) focus.setSelectionRange(kept.caret, kept.caret);
    }
    kept = null;
  });

  // The mail is drawn in a frame of its own. The next one loads out of sight, so nothing flickers.
  let frames = null;
  function frame() {
    const preview = document.querySelector(".preview[data-live]");
    if (!preview || !form) return;
    if (!frames) {
      const shown = byId("mail-frame");
      const spare = shown.cloneNode(false);
      spare.removeAttribute("src");
      spare.id = spare.name = "mail-frame-2";
      spare.classList.add("spare");
      spare.setAttribute("aria-hidden", "true");
      spare.tabIndex = -1;
      shown.after(spare);
      frames = [shown, spare];
    }
    const [shown, spare] = frames;
    const sent = document.createElement("form");
    Object.assign(sent, { method: "post", action: preview.dataset.live, target: spare.name,
      hidden: true });
    for (const [name, value] of new FormData(form)) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      sent.append(field);
    }
    document.body.append(sent);
    spare.onload = () => {
      spare.onload = null;
      for (const [one, is] of [[spare, false], [shown, true]]) {
        one.classList.toggle("spare", is);
        is ? one.setAttribute("aria-hidden", "true") : one.removeAttribute("aria-hidden");
        one.tabIndex = is ? -1 : 0;
      }
      frames = [spare, shown];
    };
    sent.submit();
    sent.remove();
  }

  // Of a stored mail, the frame's address says language and scheme.
  function readOnly() {
    document.addEventListener("change", (event) => {
      if (!["shown_in", "scheme"].includes(event.target.name)) return;
      const url = new URL(byId("mail-frame").src);
      const chosen = (name) => document.querySelector(`[name="${name}"]:checked`)?.value || "";
      url.searchParams.set("language", chosen("shown_in"));
      url.searchParams.set("scheme", chosen("scheme"));
      byId("mail-frame").src = url;
    });
  }

  if (form) {
    const live = document.querySelector(".preview[data-live]");
    if (form.dataset.live) watch();
    if (live && !byId("mail-frame").src) frame();
    if (!live) readOnly();
    bring();
    pause();
    dismiss();
    begin();
  }
}
