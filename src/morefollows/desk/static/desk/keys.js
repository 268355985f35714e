// Keys of every page of the desk, its menus and its dialogs. All of it works without, too.
"use strict";

{
  const all = (selector) => [...document.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  // Single keys can be switched off (WCAG 2.2, 2.1.4): speech input and cats press them by chance.
  const OFF = "morefollows-single-keys-off";
  const single = {
    off() {
      try { return localStorage.getItem(OFF) !== null; } catch { return false; }
    },
    set(off) {
      try { off ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF); } catch {
        /* private mode */ }
    },
  };

  function dialogs() {
    const tick = byId("single-keys");
    if (tick) {
      tick.checked = !single.off();
      tick.addEventListener("change", () => single.set(!tick.checked));
    }
    all("[data-open]").forEach((opener) => {
      const dialog = byId(opener.dataset.open);
      if (!dialog) return;
      opener.hidden = false;
      opener.addEventListener("click", () => show(dialog));
    });
    // Opened by a key there was nothing to give the focus back to: it would stay inside, in a
    // field, where keys do nothing.
    all("dialog").forEach((dialog) => dialog.addEventListener("close", () => {
      if (dialog.contains(document.activeElement)) document.activeElement.blur();
    }));
  }

  function show(dialog) {
    closeMenus(null);
    if (!dialog.open) dialog.showModal();
  }

  function closeMenus(kept) {
    let closed = null;
    all("details.menu[open]").forEach((menu) => {
      if (kept && menu.contains(kept)) return;
      menu.open = false;
      closed = menu;
    });
    return closed;
  }

  const writes = (element) => element.closest(
    "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]");

  let leader = 0; // when G was pressed, ms: the next key says where to go

  function keys(event) {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "k" && byId("go")) {
      event.preventDefault();
      return show(byId("go"));
    }
    const form = byId("story");
    if (command && event.key.toLowerCase() === "s" && form) {
      event.preventDefault();
      return form.dispatchEvent(new Event("save-now"));
    }
    const open = document.querySelector("dialog[open]");
    const back = byId("hold")?.hidden === false ? byId("take-back") : null;
    if (event.key === "Escape" && !open) {
      const menu = closeMenus(null);
      if (menu) return menu.querySelector("summary").focus();
      if (back) return back.focus();
    }
    if (command || event.repeat || open || single.off() || writes(event.target)) return;
    const key = event.key.toLowerCase();
    const now = Date.now();
    if (now - leader < 1500) {
      leader = 0;
      return follow(document.querySelector(`[data-go="${CSS.escape(key)}"]`), event);
    }
    if (key === "?") return show(byId("shortcuts"));
    // Beside a story that is being written, a click may have taken the focus from its text: what is
    // typed then must not lead away.
    if (form?.matches("form") && event.target === document.body) return;
    if (key === "g") leader = now;
    else if (key === "t" && back) back.form.requestSubmit(back);
    else press(key, event);
  }

  // A field gets the focus, a menu opens, a link or button is pressed. Elsewhere than on Home, N
  // and / lead to its fields.
  function press(key, event) {
    const found = all("[data-key]").find((one) => one.dataset.key === key && !one.disabled);
    if (found && writes(found)) {
      event.preventDefault();
      found.focus();
      return found.select?.();
    }
    if (found) return follow(found, event);
    const home = { n: "#news", "/": "#search" }[key];
    if (!home) return;
    event.preventDefault();
    location.href = document.querySelector("[data-go='h']").href + home;
  }

  // A link within the page leads to the first field there: the key that led to it is not typed into
  // it.
  function follow(target, event) {
    if (!target) return;
    event.preventDefault();
    target.click();
    if (target.hash && target.pathname === location.pathname) {
      document.querySelector(`${target.hash} textarea`)?.focus();
    }
  }

  // "Go to anything": pages by their names here, stories from the server. An address is not sent.
  function goToAnything() {
    const dialog = byId("go");
    if (!dialog) return;
    const words = byId("go-words");
    const stories = byId("go-stories");
    const pages = [...byId("go-pages").children];
    const links = () => [...dialog.querySelectorAll("li:not([hidden]) a")];
    let asked = 0;
    words.addEventListener("input", () => {
      const wanted = words.value.trim().toLowerCase();
      for (const page of pages) page.hidden = !page.textContent.toLowerCase().includes(wanted);
      clearTimeout(asked);
      asked = setTimeout(async () => {
        if (!wanted || wanted.includes("@")) return stories.replaceChildren();
        const query = new URLSearchParams({ q: wanted });
        const answer = await fetch(`${dialog.dataset.found}?${query}`).catch(() => null);
        if (!answer?.ok || words.value.trim().toLowerCase() !== wanted) return;
        const found = new DOMParser().parseFromString(await answer.text(), "text/html");
        stories.replaceChildren(...found.body.childNodes);
      }, 150);
    });
    dialog.addEventListener("keydown", (event) => {
      const all = links();
      const at = all.indexOf(document.activeElement);
      if (event.key === "Enter" && at < 0) { event.preventDefault(); all[0]?.click(); }
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      (next < 0 ? words : all[Math.min(next, all.length - 1)])?.focus();
    });
    dialog.addEventListener("close", () => { words.value = ""; stories.replaceChildren();
      for (const page of pages) page.hidden = false; });
  }

  dialogs();
  goToAnything();
  addEventListener("keydown", keys);
  addEventListener("click", (event) => closeMenus(event.target));
  if (location.hash === "#search" || location.hash === "#news")
    byId(location.hash.slice(1))?.focus();
}
