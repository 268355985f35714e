// What a story's text can have in it, as Markdown and as a document of the editor.
// The parser is set up as src/morefollows/stories/markdown.py sets up its own.
import MarkdownIt from "markdown-it";
import { MarkdownParser, MarkdownSerializer, defaultMarkdownSerializer } from "prosemirror-markdown";
import { Schema } from "prosemirror-model";
import { tableNodes } from "prosemirror-tables";

const align = {
  default: null,
  getFromDOM: (dom) => ["right", "center"].find((side) => dom.classList.contains(side)
    || dom.style.textAlign === side || dom.align === side) || null,
  setDOMAttr: (value, attributes) => { if (value) attributes.class = value; },
};

const heading = (level) => ({ tag: `h${level}`, attrs: { level: Math.max(2, level) } });

export const schema = new Schema({
  nodes: {
    doc: { content: "block+" },
    paragraph: { content: "inline*", group: "block", parseDOM: [{ tag: "p" }],
      toDOM: () => ["p", 0] },
    heading: { attrs: { level: { default: 2 } }, content: "inline*", group: "block", defining: true,
      parseDOM: [1, 2, 3, 4, 5, 6].map(heading),
      toDOM: (node) => [node.attrs.level < 3 ? "h2" : "h3", 0] },
    blockquote: { content: "block+", group: "block", defining: true,
      parseDOM: [{ tag: "blockquote" }], toDOM: () => ["blockquote", 0] },
    horizontal_rule: { group: "block", parseDOM: [{ tag: "hr" }], toDOM: () => ["hr"] },
    bullet_list: { content: "list_item+", group: "block",
      attrs: { tight: { default: true }, bullet: { default: "-" } },
      parseDOM: [{ tag: "ul" }], toDOM: () => ["ul", 0] },
    ordered_list: { content: "list_item+", group: "block",
      attrs: { tight: { default: true }, order: { default: 1 } },
      parseDOM: [{ tag: "ol", getAttrs: (dom) => ({ order: dom.start || 1 }) }],
      toDOM: (node) => (node.attrs.order === 1 ? ["ol", 0]
        : ["ol", { start: node.attrs.order }, 0]) },
    list_item: { content: "block+", defining: true, parseDOM: [{ tag: "li" }],
      toDOM: () => ["li", 0] },
    ...tableNodes({ tableGroup: "block", cellContent: "inline*", cellAttributes: { align } }),
    text: { group: "inline" },
    image: { inline: true, group: "inline", draggable: true,
      attrs: { src: {}, alt: { default: null }, title: { default: null } },
      parseDOM: [{ tag: 'img[src^="/images/"]', getAttrs: (dom) => ({
        src: dom.getAttribute("src"), alt: dom.alt, title: dom.title || null }) }],
      toDOM: (node) => ["img", node.attrs] },
    hard_break: { inline: true, group: "inline", selectable: false, parseDOM: [{ tag: "br" }],
      toDOM: () => ["br"] },
  },
  marks: {
    link: { attrs: { href: {}, title: { default: null } }, inclusive: false,
      parseDOM: [{ tag: "a[href]", getAttrs: (dom) => {
        const href = dom.getAttribute("href");
        return /^(https?:\/\/|mailto:)\S/i.test(href) && { href };
      } }],
      toDOM: (mark) => ["a", { href: mark.attrs.href }, 0] },
    em: { parseDOM: [{ tag: "i" }, { tag: "em" }, { style: "font-style=italic" }],
      toDOM: () => ["em", 0] },
    strong: { parseDOM: [{ tag: "b" }, { tag: "strong" },
      { style: "font-weight", getAttrs: (value) => /^(bold(er)?|[6-9]\d\d)$/.test(value) && null }],
      toDOM: () => ["strong", 0] },
    code: { code: true, parseDOM: [{ tag: "code" }], toDOM: () => ["code", 0] },
  },
});

const tokenizer = new MarkdownIt("commonmark", { html: false }).enable("table")
  .disable(["code", "fence", "lheading", "reference", "html_block", "html_inline"]);
tokenizer.validateLink = () => true;

const tight = (tokens, at) => {
  for (let next = at + 1; next < tokens.length; next += 1) {
    if (tokens[next].type !== "list_item_open") return tokens[next].hidden;
  }
  return false;
};
const side = (token) => ({ align: /(right|center)/.exec(token.attrGet("style") || "")?.[1] || null });

const parser = new MarkdownParser(schema, tokenizer, {
  blockquote: { block: "blockquote" },
  paragraph: { block: "paragraph" },
  list_item: { block: "list_item" },
  bullet_list: { block: "bullet_list",
    getAttrs: (token, tokens, at) => ({ tight: tight(tokens, at), bullet: token.markup }) },
  ordered_list: { block: "ordered_list", getAttrs: (token, tokens, at) => ({
    order: Number(token.attrGet("start") ?? 1), tight: tight(tokens, at) }) },
  heading: { block: "heading", getAttrs: (token) => ({ level: Number(token.tag.slice(1)) }) },
  hr: { node: "horizontal_rule" },
  image: { node: "image", getAttrs: (token) => ({ src: token.attrGet("src"),
    title: token.attrGet("title"), alt: token.content || null }) },
  hardbreak: { node: "hard_break" },
  em: { mark: "em" },
  strong: { mark: "strong" },
  link: { mark: "link", getAttrs: (token) => ({ href: token.attrGet("href"),
    title: token.attrGet("title") || null }) },
  code_inline: { mark: "code", noCloseToken: true },
  table: { block: "table" },
  thead: { ignore: true },
  tbody: { ignore: true },
  tr: { block: "table_row" },
  th: { block: "table_header", getAttrs: side },
  td: { block: "table_cell", getAttrs: side },
});

function table(state, node) {
  const width = Math.max(...node.content.content.map((row) => row.childCount));
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const cell = (one) => {
    const inner = new MarkdownSerializer(nodes, marks, options).serialize(
      schema.node("doc", null, [schema.node("paragraph", null, one.content)]));
    return inner.replace(/\\\n|\n/g, " ").replace(/(?<!\\)\|/g, "\\|").trim();
  };
  node.forEach((row, _offset, number) => {
    const cells = row.content.content.map(cell);
    while (cells.length < width) cells.push("");
    state.write(line(cells));
    state.ensureNewLine();
    if (number === 0) {
      const rule = { right: "---:", center: ":---:" };
      const sides = row.content.content.map((one) => rule[one.attrs.align] || "---");
      while (sides.length < width) sides.push("---");
      state.write(line(sides));
      state.ensureNewLine();
    }
  });
  state.closeBlock(node);
}

const nodes = {
  ...defaultMarkdownSerializer.nodes,
  bullet_list: (state, node) => state.renderList(node, "  ", () => `${node.attrs.bullet} `),
  horizontal_rule: (state, node) => { state.write("---"); state.closeBlock(node); },
  table,
  table_row: () => {},
  table_cell: () => {},
  table_header: () => {},
};
const { marks } = defaultMarkdownSerializer;
// What would be read as an entity, an address or a table's cell.
const options = { escapeExtraCharacters: /&(?=#?\w+;)|<(?=[a-z/!?])/gi };
const serializer = new MarkdownSerializer(nodes, marks, options);

export const parse = (markdown) => parser.parse(markdown.replace(/\r\n?/g, "\n"))
  || schema.topNodeType.createAndFill();
export const serialize = (node) => serializer.serialize(node).replace(/\s+$/, "");
