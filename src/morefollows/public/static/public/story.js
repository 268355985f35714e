// Live updates of the story page. If the page is scrolled to its top, updates appear at once.
// Otherwise a button shows them, so that the text does not move. The page works without this
// script.
(() => {
"use strict";

const bar = document.getElementById("live");
if (!bar || !window.EventSource) return;
const part = (id) => document.getElementById(id);
const said = part("live-said");
const pause = part("live-pause");
const news = part("live-news");
const waiting = [];
let { seen } = bar.dataset;
let source = null;
let paused = false;
let over = "over" in bar.dataset; // final: only what has to be corrected or withdrawn still comes
let failures = 0;
let idle = 0;

function connect() {
  source?.close();
  source = new EventSource(`${bar.dataset.events}&after=${encodeURIComponent(seen)}`);
  source.onopen = () => { failures = 0; say(); };
  source.onerror = () => {
    if (!over) said.textContent = bar.dataset.lost;
    bar.classList.add("live-off");
    // While the browser retries, the state is CONNECTING. Otherwise it has given up, for example
    // as the server is full.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect,
      Math.min(300, 10 * 2 ** failures++) * 1000 * (0.5 + Math.random()));
  };
  on("update", (told) => {
    waiting.push(told);
    if (!paused && scrollY < 120 && getSelection().isCollapsed) show();
    else count();
  });
  on("final", () => {
    over = true;
    part("more-follows")?.remove();
    bar.hidden = false;
    say();
  });
  on("withdrawal", (told) => {
    // role="alert": said at once, whatever else is being said
    part("withdrawal").innerHTML = told.html;
    // The notice comes first, and the false headline stands in it alone, struck.
    part("headline").textContent = part("withdrawal").querySelector("h2")?.textContent ?? "";
    part("headline").className = "vh";
    document.title = part("headline").textContent;
    for (const id of ["standfirst", "log", "more-follows", "share"]) part(id)?.remove();
    waiting.length = 0;
    count();
    source.close();
    source = null;
    bar.hidden = true;
  });
  on("reset", reload);
}

function on(kind, then) {
  source.addEventListener(kind, (event) => {
    if (event.lastEventId) seen = event.lastEventId;
    then(JSON.parse(event.data));
  });
}

function show() {
  let newest = null;
  for (const told of waiting.splice(0)) {
    if (part(`update-${told.number}`)) continue;
    part("log").insertAdjacentHTML("afterbegin", told.html);
    newest = part("log").firstElementChild;
    newest.classList.add("update-new");
    for (const wrong of told.answers || []) {
      part(`update-${wrong}`)?.querySelector(".text").insertAdjacentHTML("beforebegin",
        told.corrected);
    }
    head(told);
    part("standfirst").textContent = told.standfirst;
  }
  count();
  return newest;
}

// An update shows its headline if it differs from the one at the top of the page.
function head({ headline, language }) {
  part("headline").textContent = headline;
  part("story").lang = language;
  document.querySelectorAll("#log > section > h2").forEach((one) => {
    one.hidden = one.textContent === headline; });
}

function count() {
  const { length } = waiting;
  news.hidden = !length;
  news.textContent = length === 1 ? bar.dataset.single : length ? bar.dataset.many.replace("{n}",
    length) : "";
}

function say() {
  said.textContent = over ? bar.dataset.final : paused ? bar.dataset.paused : bar.dataset.live;
  bar.classList.toggle("live-off", paused || over);
  pause.hidden = over;
  pause.textContent = paused ? bar.dataset.resume : bar.dataset.pause;
}

// Events may have been missed: loads the whole story again, in place.
async function reload() {
  source.close();
  const answer = await fetch(location.href, { cache: "reload" }).catch(() => null);
  if (!answer?.ok) return setTimeout(reload, 5000);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const live = fresh.getElementById("live");
  if (!live) return location.reload();
  waiting.length = 0;
  count();
  for (const id of ["headline", "standfirst",
    "log"]) part(id).replaceChildren(...fresh.getElementById(id).childNodes);
  seen = live.dataset.seen;
  connect();
}

pause.addEventListener("click", () => {
  paused = !paused;
  if (!paused) show();
  say();
});

news.addEventListener("click", () => {
  const newest = show();
  if (!newest) return;
  newest.tabIndex = -1;
  newest.focus({ preventScroll: true });
  newest.scrollIntoView({ block: "center" });
});

// A hidden page closes its connection after a while, as browsers limit them for each site.
document.addEventListener("visibilitychange", () => {
  clearTimeout(idle);
  if (!source) return;
  if (document.hidden) idle = setTimeout(() => source?.close(), 300_000);
  else if (source.readyState === EventSource.CLOSED) connect();
});
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted && source) connect(); });

bar.hidden = over;
say();
connect();
})();
