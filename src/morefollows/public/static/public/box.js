// The sign-up box for any page. This tag inserts one in its own place:
// <script async src="https://…/box.js" data-topic="breaking"></script>
// This element shows one anywhere else: <more-follows-box topic="breaking"></more-follows-box>
// No cookies are set, and nothing is stored.
(() => {
"use strict";

const NAME = "more-follows-box";
const script = document.currentScript || document.querySelector("script[src*='/box.js']");
const home = new URL(".", script.src).href;

// light-dark() follows the page's color-scheme. Without one, the light colours apply.
const STYLE = `
:host { --ink: #10222b; --ground: #eef4f4; --field: #fff; --edge: #4a5a62; --soft: #4a5a62;
  --bad: #8a4b08; --good: #0b5563;
  --accent: #0b5563; --label: #fff; --head: #0b5563; display: block; font: inherit; }
@supports (color: light-dark(red, red)) { :host { --ink: light-dark(#10222b, #eef4f5);
  --ground: light-dark(#eef4f4, #1b262b);
  --field: light-dark(#fff, #12191d); --edge: light-dark(#4a5a62, #b4c3c9);
    --soft: light-dark(#4a5a62, #b4c3c9);
  --bad: light-dark(#8a4b08, #f2b872); --good: light-dark(#0b5563, #7fc7d2);
    --accent: light-dark(#0b5563, #7fc7d2); --label: light-dark(#fff, #08242b);
  --head: light-dark(#0b5563, #7fc7d2); } }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; margin: 0; font: inherit; }
section { padding: 1.25em; background: var(--mf-ground, var(--ground));
  color: var(--mf-ink, var(--ink)); line-height: 1.5;
  border-block-start: 4px solid var(--mf-accent, var(--accent));
    border-radius: var(--mf-radius, 4px); overflow-wrap: anywhere; }
h2 { font-size: 1.5em; font-weight: bold; line-height: 1.2; color: var(--mf-headline, var(--head));
  }
section > * + * { margin-block-start: .75em; }
form { display: grid; grid-template-columns: minmax(0, 1fr); gap: .5em; }
[dir] { text-align: match-parent; }
.line { display: flex; flex-wrap: wrap; gap: .5em; }
label { font-weight: bold; }
input[type=email] { flex: 1 1 14em; min-inline-size: 0; padding: .6em .75em;
  border: 1px solid var(--mf-edge, var(--edge));
  border-radius: var(--mf-radius, 4px); background: var(--mf-field, var(--field)); color: inherit; }
input[aria-invalid=true] { outline: 2px solid var(--mf-error, var(--bad)); }
button { min-block-size: 2.75em; padding: .5em 1.5em; border: 0;
  border-radius: var(--mf-radius, 4px); cursor: pointer;
  background: var(--mf-accent, var(--accent)); color: var(--mf-button-ink, var(--label));
    font-weight: bold; }
button[aria-disabled=true] { cursor: default; opacity: .75; }
.quiet { background: none; color: inherit; border: 1px solid currentcolor; }
:focus-visible { outline: 3px solid currentcolor; outline-offset: 2px; }
.check { display: flex; gap: .75em; align-items: flex-start; }
.check input { flex: none; inline-size: 1.5em; block-size: 1.5em; }
.check label { font-weight: inherit; }
.small { font-size: .875em; color: var(--mf-soft, var(--soft)); }
.small a { display: inline-block; padding-block: .5em; }
a { color: inherit; }
.error { color: var(--mf-error, var(--bad)); font-weight: bold; }
.done { color: var(--mf-good, var(--good)); font-size: 1.15em; font-weight: bold; }
p:empty { display: none; }
.trap { position: absolute; inset-inline-start: -200vw; inline-size: 1px; block-size: 1px;
  overflow: hidden; }
@media (forced-colors: active) { section, button { border: 1px solid; } }`;

// Builds an element. Texts from the server are never parsed as HTML, so Trusted Types allow it.
function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...children);
  return made;
}

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// ALTCHA: finds the number for a given SHA-256(salt + number). The browser hashes off the main
// thread.
async function work(challenge) {
  const { salt, maxnumber } = challenge;
  const wanted = challenge.challenge;
  const start = parseInt(wanted.slice(0, 8), 16);
  for (let from = 0; from <= maxnumber; from += 1000) {
    const hashes = await Promise.all(Array.from({ length: 1000 }, (_, at) =>
      crypto.subtle.digest("SHA-256", new TextEncoder().encode(salt + (from + at)))));
    const found = hashes.findIndex((hash) => new DataView(hash).getUint32(0) === start &&
      Array.from(new Uint8Array(hash), (byte) =>
        byte.toString(16).padStart(2, "0")).join("") === wanted);
    if (found >= 0) return btoa(JSON.stringify({ ...challenge, number: from + found }));
  }
  throw new Error("no number");
}

class Box extends HTMLElement {
  static formAssociated = true;
  #internals = this.attachInternals();
  #fields = {};

  async connectedCallback() {
    if (this.shadowRoot) return;
    const topic = encodeURIComponent(this.getAttribute("topic"));
    this.here = `${this.home || home}box/${topic}/`;
    const language = this.closest("[lang]")?.lang || navigator.language;
    let words;
    try {
      const answer = await fetch(`${this.here}?lang=${encodeURIComponent(language)}`,
        { credentials: "omit" });
      if (answer.status === 403) console.warn(
        `More Follows: ${location.origin} is not among the sites that may show the sign-up box.`);
      if (!answer.ok) throw answer.status;
      words = await answer.json();
    } catch {
      return; // what stands inside the element stays: a link, or a plain form
    }
    this.#draw(words);
  }

  get form() { return this.#internals.form; }
  get name() { return this.getAttribute("name"); }
  get value() { return this.#fields.email?.value || ""; }

  #draw(words) {
    this.words = words;
    const text = { dir: "auto", lang: words.words_language };
    const email = node("input", { id: "email", name: "email", type: "email", autocomplete: "email",
      inputmode: "email",
      autocapitalize: "none", spellcheck: "false", required: "", "aria-describedby": "error",
        part: "field" });
    email.value = this.getAttribute("email") || "";
    const offers = node("input", { id: "offers", type: "checkbox" });
    const trap = node("input", { id: "website", tabindex: "-1", autocomplete: "off" });
    const button = node("button", { part: "button" }, words.button);
    const error = node("p", { id: "error", class: "error", role: "alert", dir: "auto",
      part: "error" });
    const status = node("div", { role: "status", dir: "auto", part: "status" });
    const form = node("form", { novalidate: "", part: "form" },
      node("label", { for: "email", dir: "auto" }, words.email),
      node("div", { class: "line" }, email, button),
      error,
      status,
      node("div", { class: "check" }, offers,
        node("label", { for: "offers", ...text }, words.offers)),
      node("p", { class: "small", dir: "auto" },
        node("a", { href: words.privacy_page, target: "_blank", rel: "noopener" }, words.privacy)),
      node("p", { class: "small", dir: "auto" }, words.free),
      node("div", { class: "trap", "aria-hidden": "true" },
        node("label", { for: "website" }, words.trap), trap));
    this.#fields = { email, offers, trap, button, error, status, form };

    email.addEventListener("input", () => {
      this.#internals.setFormValue(email.value); this.#internals.setValidity({}); });
    form.addEventListener("focusin", () => this.#ticket(), { once: true });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.#submit({});
    });
    const root = this.attachShadow({ mode: "open" });
    // a content security policy without inline styles lets it pass
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    // The newsroom's colours. The page's own --mf-… properties still win.
    const own = Object.entries(words.colours || {}).map((pair) => pair.join(":")).join(";");
    if (own) sheet.insertRule(`@supports (color: light-dark(red, red)) { :host { ${own} } }`,
      sheet.cssRules.length);
    // A site's own accent is made for white words, in light and dark, unless it says otherwise.
    if (getComputedStyle(this).getPropertyValue("--mf-accent")) {
      sheet.insertRule(":host { --label: #fff; }", sheet.cssRules.length);
    }
    root.adoptedStyleSheets = [sheet];
    root.append(node("section", { lang: words.language, "aria-labelledby": "headline",
      part: "box" },
      node("h2", { id: "headline", dir: "auto", part: "headline" }, words.headline),
      node("p", { ...text, part: "words" }, words.alerts),
      form));
  }

  // Fetches a ticket, one request at a time. It is called when the form gets focus, not on load.
  #ticket() {
    this.ticket ||= fetch(`${this.here}ticket/`, { credentials: "omit" })
      .then((answer) => answer.json())
      .then((told) => told.ticket)
      .catch(() => { this.ticket = null; return ""; });
    return this.ticket;
  }

  async #submit(more) {
    const { email, button, error, status, form } = this.#fields;
    if (button.ariaDisabled === "true") return; // a second press while the first is under way
    button.ariaDisabled = "true";
    error.textContent = "";
    email.ariaInvalid = "false";
    this.#say(status, this.words.busy);
    let told;
    try {
      told = await this.#post(more);
    } catch {
      told = { state: "failed" };
    }
    if (told.state === "thanks") return this.#thank();
    button.ariaDisabled = "false";
    status.replaceChildren();
    if (told.state === "suggest") return this.#suggest(told);
    if (told.state === "wrong") email.ariaInvalid = "true";
    this.#internals.setValidity({ customError: true }, told.said || this.words.failed, email);
    error.textContent = told.said || this.words.failed;
    if (!told.said) error.append(" ",
      node("a", { href: this.words.page, target: "_blank", rel: "noopener" },
      this.words.elsewhere));
    form.dispatchEvent(new CustomEvent("more-follows",
      { bubbles: true, composed: true, detail: told.state }));
  }

  async #post(more) {
    const { email, offers, trap } = this.#fields;
    const body = new URLSearchParams({ email: email.value, website: trap.value,
      shown: this.words.shown,
      page: location.pathname, ticket: await this.#ticket(), ...more });
    if (offers.checked) body.set("offers", "yes");
    for (let tries = 0; tries < 5; tries++) {
      const answer = await fetch(this.here, { method: "POST", body, credentials: "omit" });
      const told = await answer.json();
      if (told.state === "renew") body.set("ticket", await this.#ticket(this.ticket = null));
      if (told.state === "work") body.set("altcha", await work(told.challenge));
      else if (told.wait === undefined || (told.state === "busy" && tries === 2)) return told;
      else await wait(told.wait);
    }
    throw new Error("no answer");
  }

  // Keeps the focus. If the focused button is removed, the focus moves to the remaining one.
  #suggest({ said, address, yes, no }) {
    const { email, button, status } = this.#fields;
    const sure = email.value.trim();
    const take = node("button", { type: "button", class: "quiet" }, yes);
    take.addEventListener("click", () => {
      button.focus(); email.value = address; this.#submit({}); });
    const line = node("div", { class: "line" }, take);
    if (no) { // as typed it can't be mailed otherwise
      const keep = node("button", { type: "button", class: "quiet" }, no);
      keep.addEventListener("click", () => { button.focus(); this.#submit({ sure }); });
      line.append(keep);
    }
    this.#say(status, said, line);
  }

  #thank() {
    const { email, button, error, status, form } = this.#fields;
    const { thanks, next } = this.words;
    email.readOnly = true;
    this.#internals.setValidity({});
    status.replaceChildren(node("p", { class: "done", part: "thanks" }, "✓ " + thanks),
      node("p", {}, next));
    form.querySelectorAll(".check, .small").forEach((part) => {
      part.hidden = !part.contains(this.shadowRoot.activeElement); });
    error.textContent = "";
    form.dispatchEvent(new CustomEvent("more-follows",
      { bubbles: true, composed: true, detail: "thanks" }));
  }

  #say(where, said, ...more) {
    where.replaceChildren(node("p", {}, said), ...more);
  }
}

if (!customElements.get(NAME)) customElements.define(NAME, Box);
if (script.dataset.topic) {
  const box = document.createElement(NAME);
  box.setAttribute("topic", script.dataset.topic);
  box.home = home;
  script.before(box);
}
})();
