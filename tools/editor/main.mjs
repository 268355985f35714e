// The desk's editor: a text area with Markdown becomes rich text, and stays what is saved.
import { baseKeymap, chainCommands, exitCode, setBlockType, toggleMark, wrapIn, lift } from "prosemirror-commands";
import { history, redo, undo } from "prosemirror-history";
import { InputRule, inputRules, textblockTypeInputRule, wrappingInputRule } from "prosemirror-inputrules";
import { keymap } from "prosemirror-keymap";
import { Slice } from "prosemirror-model";
import { liftListItem, sinkListItem, splitListItem, wrapInList } from "prosemirror-schema-list";
import { EditorState, Plugin, TextSelection } from "prosemirror-state";
import { addColumnAfter, addRowAfter, deleteColumn, deleteRow, deleteTable, goToNextCell, isInTable,
  tableEditing } from "prosemirror-tables";
import { EditorView } from "prosemirror-view";
import { clean, fromHtml, plainToMarkdown, sliceOfText } from "./paste.mjs";
import { parse, schema, serialize } from "./schema.mjs";

const { nodes, marks } = schema;

const newLine = chainCommands(exitCode, (state, dispatch) => {
  dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView());
  return true;
});

function within(state, type) {
  const { $from } = state.selection;
  for (let depth = $from.depth; depth > 0; depth -= 1)
    if ($from.node(depth).type === type) return true;
  return false;
}

const toggleBlock = (type, attributes) => (state, dispatch) =>
  (state.selection.$from.parent.type === type ? setBlockType(nodes.paragraph)
    : setBlockType(type, attributes))(state, dispatch);
const toggleWrap = (type) => (state, dispatch) =>
  (within(state, type) ? lift : wrapIn(type))(state, dispatch);
const toggleList = (type) => (state, dispatch) =>
  (within(state, type) ? liftListItem(nodes.list_item) : wrapInList(type))(state, dispatch);

function insertTable(state, dispatch) {
  if (isInTable(state)) return false;
  const row = (type) => nodes.table_row.create(null, [0, 1, 2].map(() => type.createAndFill()));
  const made = nodes.table.create(null, [row(nodes.table_header), row(nodes.table_cell),
    row(nodes.table_cell)]);
  dispatch?.(state.tr.replaceSelectionWith(made).scrollIntoView());
  return true;
}

function linkAt(state) {
  const { from, $from, to, empty } = state.selection;
  if (!empty) return { from, to, href: "" };
  const mark = marks.link.isInSet($from.marks());
  if (!mark) return { from, to, href: "" };
  let [start, end] = [$from.start() + $from.parent.childBefore($from.parentOffset).offset, from];
  end = start + ($from.parent.childBefore($from.parentOffset).node?.nodeSize || 0);
  return { from: start, to: end, href: mark.attrs.href };
}

export const commands = {
  bold: toggleMark(marks.strong),
  italic: toggleMark(marks.em),
  heading: toggleBlock(nodes.heading, { level: 2 }),
  list: toggleList(nodes.bullet_list),
  numbers: toggleList(nodes.ordered_list),
  quote: toggleWrap(nodes.blockquote),
  table: insertTable,
  row: addRowAfter,
  column: addColumnAfter,
  "row-out": deleteRow,
  "column-out": deleteColumn,
  "table-out": deleteTable,
  undo,
  redo,
};
const active = {
  bold: (state) => marked(state, marks.strong),
  italic: (state) => marked(state, marks.em),
  link: (state) => marked(state, marks.link),
  heading: (state) => state.selection.$from.parent.type === nodes.heading,
  list: (state) => within(state, nodes.bullet_list),
  numbers: (state) => within(state, nodes.ordered_list),
  quote: (state) => within(state, nodes.blockquote),
  table: isInTable,
};

function marked(state, mark) {
  const { from, $from, to, empty } = state.selection;
  return empty ? Boolean(mark.isInSet(state.storedMarks || $from.marks()))
    : state.doc.rangeHasMark(from, to, mark);
}

const rules = inputRules({ rules: [
  textblockTypeInputRule(/^(#{1,3})\s$/, nodes.heading, (match) => ({ level: Math.max(2, match[1].length) })),
  wrappingInputRule(/^\s*>\s$/, nodes.blockquote),
  wrappingInputRule(/^\s*([-+*•])\s$/, nodes.bullet_list),
  wrappingInputRule(/^(\d+)\.\s$/, nodes.ordered_list, (match) => ({ order: Number(match[1]) }),
    (match, node) => node.childCount + node.attrs.order === Number(match[1])),
  new InputRule(/^---$/, (state, _match, start, end) => state.tr.replaceRangeWith(start, end,
    nodes.horizontal_rule.create())),
] });

const keys = {
  "Mod-b": commands.bold,
  "Mod-i": commands.italic,
  "Mod-z": undo,
  "Mod-y": redo,
  "Mod-Shift-z": redo,
  "Shift-Enter": newLine,
  Enter: splitListItem(nodes.list_item),
  Tab: chainCommands(goToNextCell(1), sinkListItem(nodes.list_item)),
  "Shift-Tab": chainCommands(goToNextCell(-1), liftListItem(nodes.list_item)),
};

// `area`: the text area. `place`: where the editor stands. `tools`: its buttons, by data-command.
// `askLink`: called with an address, resolves to one, "" for none or null for no change.
// `at`: what `placed` returned.
export function mount(area, place, tools, askLink, at = null) {
  let writing = false;
  const plugins = [rules, keymap({ ...keys, "Mod-k": (state, _dispatch, view) => link(view) }),
    keymap(baseKeymap), history(), tableEditing(),
    new Plugin({ view: () => ({ update: (view) => paint(view.state) }) })];
  const state = (text) => EditorState.create({ doc: parse(text), plugins });

  function link(view) {
    const at = linkAt(view.state);
    askLink(at.href).then((href) => {
      view.focus();
      if (href === null) return;
      const { tr } = view.state;
      if (!href) return view.dispatch(tr.removeMark(at.from, at.to, marks.link));
      const mark = marks.link.create({ href });
      if (at.from === at.to) tr.insert(at.from, schema.text(href.replace(/^https?:\/\//, ""), [mark]));
      else tr.removeMark(at.from, at.to, marks.link).addMark(at.from, at.to, mark);
      view.dispatch(tr.scrollIntoView());
    });
    return true;
  }

  const view = new EditorView(place, {
    state: at ? EditorState.create({ ...at, plugins }) : state(area.value),
    attributes: { role: "textbox", "aria-multiline": "true", "aria-label": area.labels[0]?.textContent || "",
      "aria-describedby": area.getAttribute("aria-describedby") || "", class: "copy", dir: "auto" },
    clipboardTextParser: (text) => sliceOfText(text),
    transformPastedHTML: (html) => (/data-pm-slice/.test(html) ? html : clean(html).innerHTML),
    dispatchTransaction(transaction) {
      view.updateState(view.state.apply(transaction));
      if (!transaction.docChanged) return;
      writing = true;
      area.value = serialize(view.state.doc);
      area.dispatchEvent(new Event("input", { bubbles: true }));
      writing = false;
    },
  });

  function paint(now) {
    tools?.querySelectorAll("[data-command]").forEach((button) => {
      const is = active[button.dataset.command];
      if (is) button.setAttribute("aria-pressed", String(is(now)));
    });
    tools?.querySelectorAll("[data-in-table]").forEach((button) => { button.hidden = !isInTable(now); });
  }

  tools?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-command]");
    if (!button || place.hidden) return;
    event.preventDefault();
    if (button.dataset.command === "link") return void link(view);
    commands[button.dataset.command]?.(view.state, view.dispatch, view);
    view.focus();
  });
  // Whatever else writes into the text area: a restored draft, the image dialog.
  area.addEventListener("input", () => { if (!writing) view.updateState(state(area.value)); });
  area.addEventListener("insert-markdown", (event) => {
    if (place.hidden) return;
    event.preventDefault();
    view.dispatch(view.state.tr.replaceSelection(new Slice(parse(event.detail).content, 0, 0)));
    view.focus();
  });
  paint(view.state);
  return view;
}

const MARK = "\ue000"; // for private use: in no text
const SIGNS = /^(?:[ \t]*(?:>|[-+*](?=\s)|\d{1,9}[.)](?=\s)|#{1,6}(?=\s)))*[ \t]*/;

function behindSigns(markdown, at) {
  const start = markdown.lastIndexOf("\n", at - 1) + 1;
  return Math.max(at, start + SIGNS.exec(markdown.slice(start).split("\n", 1)[0])[0].length);
}

// The document and selection of Markdown in which `from` to `to` are selected, for who wrote in the
// text area while the editor was fetched; null if there is no such place, as within a link's address.
export function placed(markdown, from, to) {
  const ends = [...new Set([from, to].map((at) => behindSigns(markdown, at)))];
  const parts = ends.map((at, index) => markdown.slice(index ? ends[index - 1] : 0, at));
  const marked = parse([...parts, markdown.slice(ends.at(-1))].join(MARK));
  const found = [];
  marked.descendants((node, position) => {
    if (node.isText) for (let at = node.text.indexOf(MARK); at >= 0; at = node.text.indexOf(MARK, at + 1))
      found.push(position + at);
  });
  if (found.length !== ends.length) return null;
  const { tr } = EditorState.create({ doc: marked });
  found.toReversed().forEach((at) => tr.delete(at, at + 1));
  const words = (doc) => serialize(doc).replace(/\s+/g, " ").trim();
  if (words(tr.doc) !== words(parse(markdown))) return null;
  return { doc: tr.doc, selection: TextSelection.create(tr.doc, found[0], found.at(-1) - found.length + 1) };
}

// In a plain text area, what is pasted becomes Markdown.
export function pasteMarkdown(area) {
  area.addEventListener("paste", (event) => {
    const [html, text] = ["text/html", "text/plain"].map((kind) => event.clipboardData.getData(kind));
    if (!html && !text) return;
    const markdown = html ? serialize(fromHtml(html)) : plainToMarkdown(text);
    if (!markdown || markdown === text) return;
    event.preventDefault();
    if (!document.execCommand("insertText", false, markdown)) {
      area.setRangeText(markdown, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
}

export const roundTrip = (markdown) => serialize(parse(markdown));
export const htmlToMarkdown = (html) => serialize(fromHtml(html));
export const textToMarkdown = (text) => serialize(parse(plainToMarkdown(text)));
