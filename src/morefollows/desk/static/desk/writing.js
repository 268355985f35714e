// While a story is open: it saves itself, what is typed is kept in the browser until it is saved,
// and who else has it open is shown. Without this script the buttons save as ever.
"use strict";

{
  const PAUSE = 2000; // milliseconds without a key after which it saves
  const LONGEST = 15000; // milliseconds that words wait for such a pause
  const LOOK = 3000; // milliseconds at most to look whether a story was saved
  const SIGN = 10000; // milliseconds between two signs that somebody is here
  const KEPT = "morefollows-typed-"; // prefix of what is kept in the browser, by page
  const EARLIER = "morefollows-earlier-"; // and of what is left of an earlier new story, by UUID
  const NO_UUID = "00000000-0000-0000-0000-000000000000"; // stands for a story's in addresses
  const FIELDS = ["uuid", "headline", "standfirst", "text", "byline", "place", "note", "reason",
    "topic", "language"];
  const form = document.getElementById("story");
  const saves = form && "autosave" in form.dataset;
  const present = document.getElementById("present");
  const line = document.getElementById("autosave");
  let token = document.querySelector("[name='csrfmiddlewaretoken']")?.value;
  let written = false; // since the page was opened
  let loaded = false; // the page with all its scripts
  addEventListener("DOMContentLoaded", () => { loaded = true; });

  const say = (words, state = "") => {
    line.textContent = words;
    line.className = `onwide badge ${state}`;
  };

  // What is typed, in the browser -----------------------------------------------------------------

  const values = () => Object.fromEntries(FIELDS.filter((name) => form.elements[name])
    .map((name) => [name, form.elements[name].value]));
  const same = (one, other) => FIELDS.every((name) => name === "uuid"
    || (one[name] ?? "").trim() === (other[name] ?? "").trim());

  function keep() {
    const entry = { values: values(), revision: form.elements.revision?.value || "" };
    try { localStorage.setItem(KEPT + location.pathname, JSON.stringify(entry)); } catch {
      /* private mode, or full */ }
  }

  function forget(path = location.pathname) {
    try { localStorage.removeItem(KEPT + path); } catch { /* private mode */ }
  }

  // On the page of a new story: what is kept of one that was begun here before gets a key of its
  // own at once, as whoever types now keeps the words of this one. Returns the key of the earlier
  // one, "" if there is none or this one's words are kept.
  function setAside(entry) {
    if (!form.dataset.draft) return "";
    const uuid = entry?.values.uuid;
    if (uuid && uuid === form.elements.uuid.value) return "";
    if (uuid) {
      localStorage.setItem(EARLIER + uuid, JSON.stringify(entry));
      forget();
    }
    return Object.keys(localStorage).find((key) => key.startsWith(EARLIER)) ?? "";
  }

  // That story may have been saved as somebody left. Then what was typed belongs to its own page.
  // Returns whether that is so.
  async function hasDraft(entry) {
    const uuid = entry.values.uuid;
    const path = form.dataset.draft.replace(NO_UUID, uuid);
    const signal = AbortSignal.timeout(LOOK);
    const answer = await fetch(path, { redirect: "manual", signal }).catch(() => null);
    if (!answer?.ok) return false;
    try { localStorage.setItem(KEPT + path, JSON.stringify({ values: entry.values })); } catch {
      /* private mode, or full */ }
    return true;
  }

  async function restore() {
    let entry = null;
    let aside = "";
    try {
      entry = JSON.parse(localStorage.getItem(KEPT + location.pathname));
      aside = setAside(entry);
      if (aside) entry = JSON.parse(localStorage.getItem(aside));
    } catch { return; }
    if (!entry) return;
    if ("dirty" in form.dataset) return void (aside || forget());
    if (same(entry.values, values())) return aside ? localStorage.removeItem(aside) : forget();
    const empty = values();
    if (aside && await hasDraft(entry)) return localStorage.removeItem(aside);
    if (!same(empty, values())) return; // somebody has typed meanwhile: what is aside stays there
    for (const name of FIELDS)
      if (form.elements[name] && entry.values[name] !== undefined)
        form.elements[name].value = entry.values[name];
    // If somebody saved meanwhile, the next save shows both versions.
    if (form.elements.revision && entry.revision) form.elements.revision.value = entry.revision;
    if (aside) {
      keep();
      localStorage.removeItem(aside);
    }
    say(form.dataset.kept, "look");
    const tell = () => ["headline", "standfirst", "text"].forEach((name) =>
      form.elements[name]?.dispatchEvent(new Event("input", { bubbles: true })));
    // The other scripts of the page listen from then on: the mail and the checklist take it up.
    loaded ? tell() : addEventListener("DOMContentLoaded", tell, { once: true });
  }

  // Saving by itself ------------------------------------------------------------------------------

  if (form) {
    const { revision } = form.elements;
    let typed = 0; // changes so far
    let kept = 0; // and how many of them the last save took along
    let first = 0; // when the oldest of those that are not saved was made
    let timer = 0;
    let saving = null;
    let stopped = !saves;
    let leaving = false;
    let out = false; // signed out

    function signedOut() {
      out = true;
      say(form.dataset.out, "look");
      const link = document.createElement("a");
      Object.assign(link, { href: form.dataset.signIn, target: "_blank",
        textContent: form.dataset.signInWords });
      line.append(" ", link);
    }

    function notNow(words) {
      say(words, "look");
      later(SIGN);
    }

    // Signing in made a new token: without it every request would be refused.
    async function renewToken() {
      const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
      if (!answer || answer.status >= 500) later(SIGN);
      if (!answer?.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("#story [name='csrfmiddlewaretoken']")?.value;
      if (!fresh) return false;
      document.querySelectorAll("[name='csrfmiddlewaretoken']")
        .forEach((one) => { one.value = fresh; });
      token = fresh;
      out = false;
      return true;
    }

    async function save(keepalive) {
      if (out && !(await renewToken())) return;
      const upTo = typed;
      const body = new FormData(form);
      body.set("auto", "1");
      let answer = null;
      try {
        const response = await fetch(form.action,
          { method: "POST", body, redirect: "manual", keepalive });
        if (response.status >= 500 || response.status === 429)
          return notNow(form.dataset.busy);
        if (response.headers.get("Content-Type") !== "application/json") return signedOut();
        answer = await response.json();
      } catch {
        return notNow(form.dataset.lost);
      }
      stopped = Boolean(answer.stop);
      say(answer.said, answer.revision ? "go" : "look");
      first = Date.now();
      if (!answer.revision) return;
      kept = upTo;
      revision.value = answer.revision;
      const path = location.pathname;
      if (form.action !== new URL(answer.address, location.href).href) {
        form.action = answer.address;
        history.replaceState(null, "", answer.address);
      }
      if (present) {
        present.dataset.revision = answer.revision;
        if (!present.dataset.here) present.dataset.here = answer.address + "here/";
      }
      forget(path);
      if (typed === kept) form.dispatchEvent(new Event("saved"));
      else {
        keep();
        later(PAUSE);
      }
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

    const changed = () => {
      if (typed === kept) first = Date.now();
      typed += 1;
      keep();
      if (!written) present?.dispatchEvent(new Event("written"));
      written = true;
      if (!saving) later(Math.max(0, Math.min(PAUSE, first + LONGEST - Date.now())));
    };
    form.addEventListener("input", changed);
    form.addEventListener("save-now", () => {
      if (!saves) return form.requestSubmit(form.querySelector("[name='save']"));
      if (typed === kept) typed += 1;
      now();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) now(true); else if (out) now(); });
    addEventListener("focus", () => { if (out) now(); });
    addEventListener("online", () => now());
    // Each preview brings the bar's buttons anew: the one that was pressed may not be there any
    // more. Returns the one in its place, undefined if there is none.
    const inPlace = (button) => (button.form === form ? button
      : [...form.elements].find((one) => one.type === "submit" && one.name === button.name
        && one.value === button.value));
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      if (!saving) return void (leaving = true);
      event.preventDefault(); // the version of what is being saved is not known yet
      saving.then(() => {
        const button = event.submitter && inPlace(event.submitter);
        if (button || !event.submitter) form.requestSubmit(button);
      });
    });
    addEventListener("pageshow", (event) => { if (event.persisted) leaving = false; });
    restore();
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
