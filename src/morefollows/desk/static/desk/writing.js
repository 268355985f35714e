// While a story is open: it saves itself, and shows who else has it open. Without this script the
// buttons save as ever.
"use strict";

{
  const PAUSE = 2000; // milliseconds without a key after which it saves
  const LONGEST = 15000; // milliseconds that words wait for such a pause
  const SIGN = 10000; // milliseconds between two signs that somebody is here
  const form = document.querySelector("form[data-autosave]");
  const present = document.getElementById("present");
  const token = document.querySelector("[name='csrfmiddlewaretoken']")?.value;
  let written = false; // since the page was opened

  // Saving by itself ------------------------------------------------------------------------------

  if (form) {
    const line = document.getElementById("autosave");
    const revision = form.elements.revision;
    let typed = 0; // changes so far
    let kept = 0; // and how many of them the last save took along
    let first = 0; // when the oldest of those that are not saved was made
    let timer = 0;
    let saving = null;
    let stopped = false;
    let leaving = false;
    const say = (words, state = "") => {
      line.textContent = words;
      line.className = "autosave " + state;
    };

    async function save(keepalive) {
      const upTo = typed;
      const body = new FormData(form);
      body.set("auto", "1");
      let answer = null;
      try {
        const response = await fetch(form.action,
          { method: "POST", body, redirect: "manual", keepalive });
        if (response.headers.get("Content-Type") !== "application/json")
          return say(form.dataset.out, "autosave-wrong");
        answer = await response.json();
      } catch {
        say(form.dataset.lost, "autosave-wrong");
        return later(SIGN);
      }
      stopped = Boolean(answer.stop);
      say(answer.said, answer.revision ? "autosave-kept" : stopped ? "autosave-wrong" : "");
      first = Date.now();
      if (!answer.revision) return;
      kept = upTo;
      revision.value = answer.revision;
      if (form.action !== new URL(answer.address, location.href).href) {
        form.action = answer.address;
        history.replaceState(null, "", answer.address);
      }
      if (present) {
        present.dataset.revision = answer.revision;
        if (!present.dataset.here) present.dataset.here = answer.address + "here/";
      }
      if (typed === kept) form.dispatchEvent(new Event("saved"));
      else later(PAUSE);
    }

    function now(keepalive = false) {
      clearTimeout(timer);
      if (stopped || leaving || saving || typed === kept) return;
      saving = save(keepalive).finally(() => { saving = null; });
    }

    function later(wait) {
      clearTimeout(timer);
      timer = setTimeout(now, wait);
    }

    form.addEventListener("input", () => {
      if (typed === kept) first = Date.now();
      typed += 1;
      if (!written) present?.dispatchEvent(new Event("written"));
      written = true;
      if (!saving) later(Math.max(0, Math.min(PAUSE, first + LONGEST - Date.now())));
    });
    document.addEventListener("visibilitychange", () => { if (document.hidden) now(true); });
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      if (!saving) return void (leaving = true);
      event.preventDefault(); // the version of what is being saved is not known yet
      saving.then(() => form.requestSubmit(event.submitter));
    });
  }

  // Who else is here ------------------------------------------------------------------------------

  if (present && token) {
    const others = present.querySelector("#present-others");
    const newer = present.querySelector("#present-newer");
    const put = (at, words) => { if (at.textContent !== words) at.textContent = words; };
    const body = (more) => {
      const data = new FormData();
      data.set("csrfmiddlewaretoken", token);
      data.set("revision", present.dataset.revision);
      if (written) data.set("writing", "1");
      if (more) data.set(more, "1");
      return data;
    };

    async function sign() {
      if (document.hidden || !present.dataset.here) return;
      const asked = present.dataset.revision;
      const response = await fetch(present.dataset.here,
        { method: "POST", body: body(), redirect: "manual" }).catch(() => null);
      if (!response?.ok) return;
      const answer = await response.json();
      put(others, answer.present.join(" · "));
      if (asked === present.dataset.revision) put(newer, answer.newer);
    }

    sign();
    setInterval(sign, SIGN);
    document.addEventListener("visibilitychange", sign);
    present.addEventListener("written", () => setTimeout(sign));
    addEventListener("pagehide", () => {
      if (present.dataset.here) navigator.sendBeacon(present.dataset.here, body("gone")); });
  }
}
