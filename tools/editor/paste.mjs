// What comes from the clipboard, from web pages, word processors and plain text, as a document.
import { DOMParser as DocumentParser, Slice } from "prosemirror-model";
import { parse, schema } from "./schema.mjs";

const BOILERPLATE = "script, style, meta, link, title, nav, aside, footer, button, form, input, select, "
  + "textarea, noscript, iframe, svg, video, audio, object, template, [hidden], "
  + "[aria-hidden='true'], figcaption, xml";
const INLINE = new Set(["A", "ABBR", "B", "BR", "CITE", "CODE", "DEL", "EM", "FONT", "I", "IMG", "INS",
  "LABEL", "MARK", "Q", "S", "SMALL", "SPAN", "STRONG", "SUB", "SUP", "TIME", "U"]);

const unwrap = (element) => element.replaceWith(...element.childNodes);

function rename(element, tag) {
  const made = element.ownerDocument.createElement(tag);
  for (const name of ["style", "align", "class"])
    if (element.hasAttribute(name)) made.setAttribute(name, element.getAttribute(name));
  made.append(...element.childNodes);
  element.replaceWith(made);
  return made;
}

// Search engines and word processors lead links through a page of their own.
function target(href) {
  try {
    const url = new URL(href);
    const real = /(^|\.)google\.[a-z.]+$/.test(url.hostname) && url.pathname === "/url"
      && (url.searchParams.get("q") || url.searchParams.get("url"));
    return real && /^https?:\/\//i.test(real) ? real : href;
  } catch { return href; }
}

// Word writes a list as paragraphs that begin with a bullet and a few spaces.
function wordLists(body) {
  const listed = (one) => /mso-list:\s*\w+\s+level(\d)/i.exec(one?.getAttribute?.("style") || "");
  let stack = [];
  for (const paragraph of [...body.querySelectorAll("p, h1, h2, h3")]) {
    const found = listed(paragraph);
    if (!found) continue;
    const level = Number(found[1]);
    const marker = [...paragraph.querySelectorAll("span")].find((span) =>
      /mso-list:\s*ignore/i.test(span.getAttribute("style") || ""));
    const ordered = /^\(?(\d+|[a-z]|[ivx]+)[.)]/i.test((marker?.textContent || "").trim());
    marker?.remove();
    if (!listed(paragraph.previousElementSibling)
      && paragraph.previousElementSibling !== stack[0]?.list) stack = [];
    stack = stack.filter((one) => one.level <= level);
    let top = stack.at(-1);
    if (!top || top.level < level) {
      const list = body.ownerDocument.createElement(ordered ? "ol" : "ul");
      if (top) top.list.lastElementChild.append(list);
      else paragraph.before(list);
      top = { level, list };
      stack.push(top);
    }
    const item = body.ownerDocument.createElement("li");
    item.append(...paragraph.childNodes);
    top.list.append(item);
    paragraph.remove();
  }
}

export function clean(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const { body } = page;
  const walker = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
  const comments = [];
  while (walker.nextNode()) comments.push(walker.currentNode);
  comments.forEach((one) => one.remove());
  wordLists(body);
  body.querySelectorAll(BOILERPLATE).forEach((one) => one.remove());
  for (const one of [...body.querySelectorAll("*")]) {
    if (one.localName.includes(":")) unwrap(one); // Word's o:p
    else if (one.localName === "b" && /font-weight:\s*normal/i.test(one.getAttribute("style") || ""))
      unwrap(one); // Google Docs wraps all it copies
  }
  for (const one of body.querySelectorAll("a[href]"))
    one.setAttribute("href", target(one.getAttribute("href")));
  for (const one of [...body.querySelectorAll("img")])
    if (!/^\/images\//.test(one.getAttribute("src") || "")) one.remove();
  for (const one of [...body.querySelectorAll("td, th")]) {
    for (const block of [...one.querySelectorAll("p, div, h1, h2, h3, h4, ul, ol, li")]) {
      if (block.nextSibling) block.after(" ");
      unwrap(block);
    }
  }
  for (const one of [...body.querySelectorAll("colgroup, caption")]) one.remove();
  // The first row of a table names its columns.
  for (const one of body.querySelectorAll("table")) {
    const row = one.querySelector("tr");
    row?.querySelectorAll("td").forEach((cell) => rename(cell, "th"));
  }
  // A div with words is a paragraph; two line breaks are the end of one.
  for (const one of [...body.querySelectorAll("div, section, article, header, main, figure")]) {
    const inline = [...one.childNodes].every((child) => child.nodeType !== Node.ELEMENT_NODE
      || INLINE.has(child.tagName));
    if (inline && one.textContent.trim()) rename(one, "p");
    else unwrap(one);
  }
  for (const one of [...body.querySelectorAll("p")]) breaks(one);
  for (const one of [...body.querySelectorAll("p")])
    if (!one.textContent.trim() && !one.querySelector("img")) one.remove();
  return body;
}

function breaks(paragraph) {
  const kids = [...paragraph.childNodes].filter((one) => one.nodeType !== Node.TEXT_NODE
    || one.textContent.trim() || !/\n/.test(one.textContent));
  const at = kids.findIndex((one, number) => one.nodeName === "BR" && kids[number + 1]?.nodeName === "BR");
  if (at < 0) return;
  const rest = paragraph.ownerDocument.createElement("p");
  rest.append(...kids.slice(at + 2));
  kids[at].remove();
  kids[at + 1].remove();
  paragraph.after(rest);
  breaks(rest);
}

export function fromHtml(html) {
  return DocumentParser.fromSchema(schema).parse(clean(html));
}

// Plain text ----------------------------------------------------------------------------------------

const LIST = /^\s*(?:[-*+•◦▪·–]|\d{1,3}[.)])\s+\S/;
const MARKUP = /^\s*(?:>|#{1,6}\s|\|)/;
const SENTENCE = /[.!?:;…"”’»)]$/;
const ADDRESS = 60; // characters: lines that are all shorter, and no sentences, are lines of one paragraph

// Whether these lines are one paragraph that was broken to a width: no word of the next line had
// fitted.
function wrapped(lines) {
  const width = Math.max(...lines.map((line) => line.length));
  if (lines.every((line) => SENTENCE.test(line))) return false; // each is a paragraph
  return width <= 100 && lines.slice(0, -1).every((line, number) =>
    line.length + 1 + lines[number + 1].split(/\s/)[0].length > width);
}

function prose(lines) {
  if (lines.length === 1) return lines;
  if (wrapped(lines)) return [lines.join(" ")];
  const sentences = lines.filter((line) => SENTENCE.test(line)).length;
  if (lines.every((line) => line.length <= ADDRESS) && sentences * 2 < lines.length)
    return [lines.join("\\\n")];
  return lines;
}

function tabbed(lines) {
  const rows = lines.map((line) => line.split("\t"));
  if (lines.length < 2 || rows[0].length < 2 || rows.some((row) => row.length !== rows[0].length))
    return null;
  const line = (cells) => `| ${cells.map((cell) => cell.trim().replace(/\|/g, "\\|")).join(" | ")} |`;
  return [line(rows[0]), line(rows[0].map(() => "---")), ...rows.slice(1).map(line)].join("\n");
}

function block(lines) {
  const table = tabbed(lines);
  if (table) return [table];
  const found = [];
  let run = [];
  let kind = "";
  const end = () => {
    if (run.length) found.push(...(kind === "prose" ? prose(run) : [run.join("\n")]));
    run = [];
  };
  lines.forEach((line) => {
    let next = LIST.test(line) ? "list" : MARKUP.test(line) ? "markup" : "prose";
    if (kind === "list" && next === "prose" && /^\s{2,}\S/.test(line)) next = "list"; // goes on
    if (next !== kind) end();
    kind = next;
    run.push(next === "list" ? line.replace(/^(\s*)[•◦▪·–]\s+/, "$1- ") : next === "prose" ? line.trim()
      : line);
  });
  end();
  return found;
}

export function plainToMarkdown(text) {
  const lines = text.replace(/\r\n?|\u2028/g, "\n").replace(/\u2029/g, "\n\n").replace(/\u00a0/g, " ")
    // a heading that is underlined
    .replace(/^(\S[^\n]*)\n={3,}[ \t]*$/gm, "# $1\n").replace(/^(\S[^\n]*)\n-{3,}[ \t]*$/gm, "## $1\n")
    .replace(/^_{3,}[ \t]*$/gm, "---");
  return lines.split(/\n(?:[ \t]*\n)+/).map((one) => one.split("\n").filter((line) => line.trim()))
    .filter((one) => one.length).flatMap(block).join("\n\n");
}

export function sliceOfText(text) {
  const doc = parse(plainToMarkdown(text));
  return Slice.maxOpen(doc.content);
}
