// A live story for any page. This tag inserts it in its own place:
// <script async src="https://…/live.js" data-story="UUID"></script>
// This element shows it anywhere else: <more-follows-story story="UUID"></more-follows-story>
// No cookies are set, and nothing is stored.
(() => {
"use strict";

const NAME = "more-follows-story";
const script = document.currentScript || document.querySelector("script[src*='/live.js']");
const home = new URL(".", script.src).href;

// light-dark() follows the page's color-scheme. Without one, the light colours apply.
const STYLE = `
:host { --ink: #10222b; --ground: #fff; --soft: #4a5a62; --line: #cfdcde; --accent: #0b5563;
  --label: #fff; --bad: #8a4b08;
  --wash: #fdf3e4; --warn: #8a4b08; display: block; font: inherit; }
@supports (color: light-dark(red, red)) { :host { --ink: light-dark(#10222b, #eef4f5);
  --ground: light-dark(#fff, #12191d);
  --soft: light-dark(#4a5a62, #b4c3c9); --line: light-dark(#cfdcde, #34444b);
    --accent: light-dark(#0b5563, #7fc7d2); --label: light-dark(#fff, #08242b);
  --bad: light-dark(#8a4b08, #f2b872); --wash: light-dark(#fdf3e4, #2d2212);
    --warn: light-dark(#8a4b08, #f2b872); } }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; margin: 0; font: inherit; }
article { padding: 1.25em; background: var(--mf-ground, var(--ground));
  color: var(--mf-ink, var(--ink)); line-height: 1.5;
  border: 1px solid var(--mf-line, var(--line));
    border-block-start: 4px solid var(--mf-accent, var(--accent));
  border-radius: var(--mf-radius, 4px); overflow-wrap: anywhere; }
article > * + *, .text > * + * { margin-block-start: .75em; }
h2 { font-size: 1.5em; font-weight: bold; line-height: 1.2; }
h3, .text h2, strong { font-weight: bold; }
.text h2, section > h2 { font-size: 1.15em; }
section { padding-block: .75em; border-block-start: 1px solid var(--mf-line, var(--line)); }
section > * + * { margin-block-start: .4em; }
.log { max-block-size: var(--mf-height, 40em); overflow-y: auto; }
.update-correction { padding-inline: .75em; border: 1px solid var(--warn);
  border-inline-start-width: 5px; }
.corrected, .what-was-wrong { padding-inline-start: .75em;
  border-inline-start: 3px solid var(--warn); }
.update-correction .kind { color: var(--warn); }
blockquote { padding-inline-start: 1em; border-inline-start: 3px solid; font-style: italic; }
em { font-style: italic; } ul, ol { padding-inline-start: 1.4em; } a { color: inherit; } img {
  max-inline-size: 100%; block-size: auto; display: block; } figcaption { margin-block-start: .4em;
  font-size: .875em; color: var(--mf-soft, var(--soft)); }
.facts, .bar { font-size: .875em; color: var(--mf-soft, var(--soft)); }
.bar { display: flex; flex-wrap: wrap; gap: .5em 1em; align-items: center;
  justify-content: space-between; }
button { min-block-size: 2.5em; padding: 0 1em; border: 1px solid; border-radius: 2em;
  background: none; color: inherit; cursor: pointer; }
.news button { border: 0; background: var(--mf-accent, var(--accent));
  color: var(--mf-button-ink, var(--label)); font-weight: bold; }
:focus-visible { outline: 3px solid currentcolor; outline-offset: 2px; }
.more { font-weight: bold; }
.withdrawn { padding: 1em; background: var(--wash); color: var(--bad); }
.withdrawn strong { display: block; }
div:empty, p:empty { display: none; }
@media (forced-colors: active) { button { border: 1px solid; } }`;

// HTML from our own server, which has escaped it. Pages with Trusted Types need a policy for it.
const policy = window.trustedTypes?.createPolicy?.("more-follows", { createHTML: (html) => html });
const markup = (html) => (policy ? policy.createHTML(html) : html);

function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...children);
  return made;
}

class Story extends HTMLElement {
  #parts = null;
  #source = null;
  #waiting = [];
  #paused = false;
  #failures = 0;
  #timer = 0;

  async connectedCallback() {
    if (this.#parts) return this.#told.listens && this.#connect();
    const story = encodeURIComponent(this.getAttribute("story"));
    const language = (this.closest("[lang]")?.lang || navigator.language).split("-")[0];
    this.address = `${this.home || home}story/${story}/live.json?lang=`
      + `${encodeURIComponent(language)}`;
    if (await this.#fetch()) this.#draw();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #told = null;

  // Returns false if the story cannot be loaded. Then the element's content, such as a link, stays.
  async #fetch() {
    try {
      const answer = await fetch(this.address, { credentials: "omit" });
      if (answer.ok) this.#told = await answer.json();
      return answer.ok;
    } catch {
      return false;
    }
  }

  #draw() {
    const { words, words_language: lang, page } = this.#told;
    const said = node("span", {});
    const pause = node("button", { type: "button", part: "pause" });
    const news = node("button", { type: "button", part: "news" });
    const parts = this.#parts = {
      said, pause, news,
      headline: node("h2", { dir: "auto", part: "headline" }),
      standfirst: node("p", { dir: "auto", part: "standfirst" }),
      notice: node("div", { role: "alert" }),
      bar: node("div", { class: "bar", lang }, said, pause),
      log: node("div", { class: "log", part: "updates", role: "log", tabindex: "0",
        "aria-label": words.updates }),
      more: node("p", { class: "more", lang, part: "more" }, words.more),
    };
    pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      if (!this.#paused) this.#show();
      this.#say();
    });
    news.addEventListener("click", () => {
      this.#show(); parts.log.scrollTop = 0; parts.log.focus({ preventScroll: true }); });
    const root = this.attachShadow({ mode: "open" });
    // a content security policy without inline styles lets it pass
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    // A site's own accent is made for white words, in light and dark, unless it says otherwise.
    if (getComputedStyle(this).getPropertyValue("--mf-accent")) {
      sheet.insertRule(":host { --label: #fff; }", sheet.cssRules.length);
    }
    root.adoptedStyleSheets = [sheet];
    root.append(node("article", { part: "story" }, parts.headline, parts.standfirst, parts.notice,
      parts.bar,
      node("div", { class: "news", role: "status", lang }, news), parts.log, parts.more,
      node("p", { class: "facts", lang }, node("a", { href: page }, words.whole))));
    this.#fill();
  }

  // Renders the fetched story. Also called after missed events.
  #fill() {
    const { log, notice } = this.#parts;
    const told = this.#told;
    this.#waiting = [];
    log.innerHTML = markup(told.updates.map((one) => one.html).join(""));
    this.#head(told);
    this.#count();
    if (told.withdrawn) this.#withdraw(told.withdrawn);
    else if (!told.open) this.#over();
    if (told.listens) this.#connect();
    notice.hidden = !told.withdrawn;
  }

  #connect() {
    this.#source?.close();
    const source = this.#source = new EventSource(
      `${this.#told.events}&after=${encodeURIComponent(this.#told.seen)}`);
    const on = (kind, then) => source.addEventListener(kind, (event) => {
      if (event.lastEventId) this.#told.seen = event.lastEventId;
      then(JSON.parse(event.data));
    });
    source.onopen = () => { this.#failures = 0; this.#say(); };
    source.onerror = () => {
      if (this.#told.open) this.#parts.said.textContent = this.#told.words.lost;
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries by itself
      this.#timer = setTimeout(() => this.#connect(),
        Math.min(300, 10 * 2 ** this.#failures++) * 1000 * (0.5 + Math.random()));
    };
    on("update", (one) => {
      this.#waiting.push(one);
      if (!this.#paused && this.#parts.log.scrollTop < 40) this.#show();
      else this.#count();
    });
    on("final", () => this.#over());
    on("withdrawal", (one) => {
      if (one.headline) this.#head(one);
      this.#withdraw(one.html);
    });
    on("reset", async () => {
      source.close();
      if (await this.#fetch()) this.#fill();
      else this.#timer = setTimeout(() => this.#connect(), 5000);
    });
  }

  #show() {
    const { log } = this.#parts;
    for (const one of this.#waiting.splice(0)) {
      if (this.shadowRoot.getElementById(`update-${one.number}`)) continue;
      log.insertAdjacentHTML("afterbegin", markup(one.html));
      for (const wrong of one.answers || []) {
        this.shadowRoot.querySelector(`#update-${wrong} .text`)?.insertAdjacentHTML("beforebegin",
          markup(one.corrected));
      }
      this.#head(one);
    }
    this.#count();
  }

  #head({ headline, standfirst, language }) {
    const parts = this.#parts;
    parts.headline.textContent = headline;
    parts.standfirst.textContent = standfirst;
    parts.headline.lang = parts.standfirst.lang = language;
    parts.log.querySelectorAll("section > h2").forEach((one) => {
      one.hidden = one.textContent === headline; });
  }

  #count() {
    const { news } = this.#parts;
    const { length } = this.#waiting;
    const { single, many } = this.#told.words;
    news.hidden = !length;
    news.textContent = length === 1 ? single : length ? many.replace("{n}", length) : "";
  }

  #say() {
    const { words, open } = this.#told;
    this.#parts.said.textContent = !open ? words.final : this.#paused ? words.paused : words.live;
    this.#parts.pause.textContent = this.#paused ? words.resume : words.pause;
  }

  #withdraw(html) {
    const { bar, notice, standfirst, log } = this.#parts;
    notice.hidden = false;
    notice.innerHTML = markup(html);
    standfirst.textContent = "";
    log.replaceChildren();
    this.#waiting = [];
    this.#count();
    this.#over();
    this.#told.listens = false;
    this.#source?.close();
    bar.hidden = true;
  }

  // After the final update, only corrections and a withdrawal can follow.
  #over() {
    const { pause, more } = this.#parts;
    this.#told.open = false;
    more.hidden = pause.hidden = true;
    this.#say();
  }
}

if (!customElements.get(NAME)) customElements.define(NAME, Story);
if (script.dataset.story) {
  const story = document.createElement(NAME);
  story.setAttribute("story", script.dataset.story);
  story.home = home;
  script.before(story);
}
})();
