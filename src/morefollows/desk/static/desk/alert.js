// The alert's page: the live figures and the curve, from the event
// stream.
"use strict";

{
  const page = document.getElementById("alert");
  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  const words = read("words");
  const language = document.documentElement.lang || "en";
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const fraction = (digits) => new Intl.NumberFormat(language,
    { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const [hundredths, thousandths] = [fraction(2), fraction(3)];
  const exact = (seconds) => (seconds < 1 ? thousandths : hundredths).format(seconds);
  const running = (state) => ["held", "sending", "paused", "asking"].includes(state);
  const put = (id, text) => { const at = byId(id);
    if (at.textContent !== text) at.textContent = text; };

  let now = read("progress");
  let skew = now.now - Date.now(); // milliseconds that the server's clock is ahead of ours
  let source = null;
  let leaving = false; // a button was pressed: what it leads to must not be overtaken by a reload
  addEventListener("submit", () => { leaving = true; });

  // For screen readers: the turns of the story, not each figure.
  const said = new Set();
  const say = (key, text) => {
    if (said.has(key)) return;
    said.add(key);
    byId("said").textContent = text;
  };

  // The figures -----------------------------------------------------------------------------------

  const tone = { deferred: "tile-warn", uncertain: "tile-warn", refused: "tile-bad",
    expired: "tile-bad" };

  function show(next) {
    const before = now;
    now = next;
    skew = now.now - Date.now();
    if (now.state !== before.state) turn();
    put("n-accepted", whole.format(now.accepted));
    put("n-size", whole.format(now.size));
    byId("bar").max = Math.max(1, now.size);
    byId("bar").value = now.accepted;
    for (const name of ["waiting", "deferred", "refused", "skipped", "uncertain", "expired"]) {
      put("n-" + name, whole.format(now[name]));
      if (tone[name]) byId("n-" + name).parentElement.classList.toggle(tone[name], now[name] > 0);
    }
    if (byId("stop-rest")) {
      put("stop-rest", whole.format(now.waiting + now.deferred));
      put("stop-had", whole.format(now.accepted));
    }
    put("n-rate", whole.format(now.rate));
    for (const [name, seconds] of Object.entries(now.seconds)) put("s-" + name,
      seconds === null ? "–" : exact(seconds));
    verdicts();
    draw();
    const told = ({ state, relays, brakes, uncertain, repeated }) =>
      JSON.stringify([state, relays, brakes, uncertain, repeated]);
    if (told(now) !== told(before)) forms(300); // the figures change many times a second
    if (now.state === "sending") {
      say("sending", words["said sending"]);
      if (now.cut_done && now.size && now.accepted * 10 >= now.size * 9) say("nine tenths",
        words["said nine tenths"]);
      else if (now.cut_done && now.size && now.accepted * 2 >= now.size) say("half",
        words["said half"]);
    }
  }

  // The server writes what depends on the state. What is open or has the focus stays so.
  function turn() {
    document.title = document.title.replace(/^[^:]*/, words[now.state]);
    if (["sending", "sent", "expired"].includes(now.state)) {
      page.dataset.state = now.state;
      forms(0);
    } else if (!leaving) location.reload();
  }

  function verdicts() {
    byId("verdicts").hidden = now.reply_counts.length === 0;
    const rows = now.reply_counts.map((verdict) => {
      const row = document.createElement("tr");
      const cell = (text, name = "", tag = "td") => {
        const made = row.appendChild(document.createElement(tag));
        made.textContent = text;
        made.className = name;
        return made;
      };
      cell(verdict.domain, "", "th").scope = "row";
      cell(words["outcome " + verdict.outcome]);
      cell([verdict.code || "", verdict.status, verdict.text].filter(Boolean).join(" "), "said");
      cell(whole.format(verdict.count), "figures");
      return row;
    });
    byId("verdict-rows").replaceChildren(...rows);
  }

  // What depends on the alert's state, and holds tokens or figures of its own: the server writes
  // it. One request at a time, so that no answer overwrites a newer one; one that fails is
  // repeated, and what changes meanwhile is asked for afterwards. So the last answer is always one
  // that was asked for after the last change.
  // milliseconds for one answer, and the longest wait before a request is repeated
  const PATIENCE = 30000;
  let due = Infinity;
  let asking = false;
  let failures = 0;
  function forms(wait) {
    const at = performance.now() + wait;
    if (at >= due) return;
    due = at;
    // unless one that is due earlier has been asked for
    setTimeout(() => { if (at === due) ask(); }, wait);
  }

  async function ask() {
    if (asking) {
      due = 0;
      return;
    }
    asking = true;
    due = Infinity;
    const written = await fetch(location.href, { signal: AbortSignal.timeout(PATIENCE) })
      .then((answer) => (answer.ok ? answer.text() : null)).catch(() => null);
    asking = false;
    failures = written === null ? failures + 1 : 0;
    if (written === null) forms(Math.min(500 * 2 ** failures, PATIENCE));
    else renew(new DOMParser().parseFromString(written, "text/html"));
    if (due <= performance.now()) ask();
  }

  function renew(page) {
    for (const id of ["brake", "tools", "next", "relays", "report", "state", "bar", "curve"]) {
      const [fresh, old] = [page.getElementById(id), byId(id)];
      if (fresh && old && ["state", "bar", "curve"].includes(id)) {
        if (id === "state") old.textContent = fresh.textContent;
        old.setAttribute("class", fresh.getAttribute("class") || "");
        continue;
      }
      if (!fresh || !old || fresh.innerHTML === old.innerHTML) continue;
      if (old.querySelector("details[open]")) {
        old.addEventListener("toggle", () => forms(300), { once: true, capture: true });
        continue;
      }
      if (old.contains(document.activeElement)) {
        // nothing vanishes under somebody's hands
        old.addEventListener("focusout", () => forms(300), { once: true });
        continue;
      }
      old.replaceChildren(...fresh.childNodes);
    }
  }

  // The curve -------------------------------------------------------------------------------------

  const svg = byId("curve");
  const HEIGHT = 300;

  function element(name, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  // 1, 2 or 5 times a power of ten, so that there are about `count` steps up to `most`.
  function step(most, count) {
    const raw = most / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].map((n) => n * power).find((size) => size >= raw);
  }

  function draw() {
    const width = svg.clientWidth;
    if (!width) return;
    const points = now.curve;
    const last = points.length ? points[points.length - 1] : [0, 0];
    const most = Math.max(1, now.size - now.skipped, last[1]);
    const longest = Math.max(0.1, last[0] * 1.04);
    const left = 16 + 7.5 * whole.format(most).length + 10;
    const [top, right, bottom] = [26, 14, 44];
    const x = (seconds) => left + (seconds / longest) * (width - left - right);
    const y = (count) => HEIGHT - bottom - (count / most) * (HEIGHT - top - bottom);
    const drawn = [];
    const rise = Math.max(1, step(most, 4));
    for (let count = 0; count <= most; count += rise) {
      drawn.push(element("line", { class: "grid", x1: left, x2: width - right, y1: y(count),
        y2: y(count) }));
      drawn.push(element("text", { x: left - 8, y: y(count) + 4, "text-anchor": "end" },
        whole.format(count)));
    }
    const pace = step(longest, width < 420 ? 3 : 6);
    const digits = Math.max(0, -Math.floor(Math.log10(pace) + 1e-9));
    for (let n = 0; n * pace <= longest; n += 1) {
      const label = (n * pace).toLocaleString(language,
        { minimumFractionDigits: digits, maximumFractionDigits: digits });
      drawn.push(element("text", { x: x(n * pace), y: HEIGHT - bottom + 18,
        "text-anchor": "middle" }, label));
    }
    drawn.push(element("text", { class: "axis-name", x: left, y: 14 }, words["readers axis"]));
    drawn.push(element("text", { class: "axis-name", x: width - right, y: HEIGHT - 6,
      "text-anchor": "end" }, words["seconds axis"]));
    if (points.length) {
      // Between two points the curve rises as if mails came evenly; before the first one nothing
      // had come.
      const path = points.map(([seconds, count]) =>
        `${x(seconds).toFixed(1)} ${y(count).toFixed(1)}`).join("L");
      const begin = `${x(points[0][0]).toFixed(1)} ${y(0)}`;
      drawn.push(element("path", { class: "area",
        d: `M${begin}L${path}L${x(last[0]).toFixed(1)} ${y(0)}Z` }));
      drawn.push(element("text", { x: width - right, y: 14, "text-anchor": "end" },
        `${words["readers all"]} ${whole.format(most)}`));
      drawn.push(element("line", { class: "all", x1: left, x2: width - right, y1: y(most),
        y2: y(most) }));
      drawn.push(element("path", { class: "line", d: `M${begin}L${path}` }));
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...drawn);
  }

  // The stream ------------------------------------------------------------------------------------

  const link = (state) => put("link", state === "lost" ? words.lost : "");

  function listen() {
    source = new EventSource(page.dataset.stream);
    source.addEventListener("open", () => link("live"));
    source.addEventListener("progress", (event) => show(JSON.parse(event.data)));
    source.addEventListener("end", () => {
      source.close();
      link("ended");
      forms(0);
      say("ended",
        `${words["said ended"]} ${words[now.state]}. `
        + `${whole.format(now.accepted)} ${words["outcome accepted"]}.`);
    });
    source.addEventListener("error", () => {
      link("lost");
      // The browser tries again by itself, but not after an answer that was no stream.
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(() => { if (source.readyState === EventSource.CLOSED) listen(); },
          3000);
      }
    });
  }

  byId("stop-not")?.addEventListener("click", () => {
    byId("stop").open = false;
    byId("stop").querySelector("summary").focus();
  });

  new ResizeObserver(draw).observe(svg);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  show(now);
  if (byId("stop-not")) byId("stop-not").hidden = false;
  if (now.state === "paused") say("paused", words["said paused"]);
  if (running(now.state) || "moving" in page.dataset) listen();

  // The curve as PNG, where the browser can draw it; the link leads to the SVG.
  document.addEventListener("click", async (event) => {
    const share = event.target.closest("#share");
    if (!share) return;
    event.preventDefault();
    const image = new Image();
    image.src = share.href;
    try { await image.decode(); } catch { return void (location.href = share.href); }
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1200, 630];
    canvas.getContext("2d").drawImage(image, 0, 0);
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = share.dataset.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  });
}
