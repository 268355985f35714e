"""The editor in Chromium: what is pasted keeps its structure, and Markdown comes back as it was."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import morefollows
from morefollows.desk.stories.writing.editor_html import editor_html
from morefollows.stories import markdown

BUNDLE = Path(morefollows.__file__).parent / "desk/static/desk/editor.js"

#: As clipboards have them: name, HTML or "" for plain text, text, and the Markdown that it becomes.
PASTED: list[tuple[str, str, str]] = [
    (
        "web page: paragraphs, link, bold",
        '<meta charset="utf-8"><p>The lock <b>failed</b> at <a '
        'href="https://port.example/n">noon</a>.</p>'
        "<p>Boats wait.</p>",
        "The lock **failed** at [noon](https://port.example/n).\n\nBoats wait.",
    ),
    (
        "web page: boilerplate is left out",
        '<header><nav><a href="/">Home</a></nav></header><article><h1>Lock fails</h1>'
        "<p>Boats wait.</p><aside>Sign up!</aside><button>Share</button></article>"
        "<footer>Imprint</footer>",
        "## Lock fails\n\nBoats wait.",
    ),
    (
        "web page: lists within lists",
        "<ul><li>Boats<ul><li>large</li><li>small</li></ul></li><li>Crews</li></ul>"
        '<ol start="3"><li>Wait</li><li>Turn</li></ol>',
        "- Boats\n  - large\n  - small\n- Crews\n\n3. Wait\n4. Turn",
    ),
    (
        "web page: quote and line break",
        "<blockquote><p>We felt a push.<br>Then dark.</p></blockquote>",
        "> We felt a push.\\\n> Then dark.",
    ),
    (
        "web page: divs and double breaks are paragraphs",
        "<div>One boat.</div><div>Two boats.<br><br>Three boats.</div>",
        "One boat.\n\nTwo boats.\n\nThree boats.",
    ),
    (
        "web page: table",
        "<table><tbody><tr><td>Ward</td><td style='text-align:right'>Votes</td></tr>"
        "<tr><td><p>Quay</p></td><td "
        "style='text-align:right'><b>1,204</b></td></tr></tbody></table>",
        "| Ward | Votes |\n| --- | ---: |\n| Quay | **1,204** |",
    ),
    (
        "Word: paragraphs and a list",
        "<html "
        "xmlns:o='urn:schemas-microsoft-com:office:office'><head><style>p{margin:0}</style></head>"
        "<body><!--StartFragment--><p class=MsoNormal>The lock <b>failed</b>.<o:p></o:p></p>"
        "<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·"
        "<span>&nbsp;&nbsp; </span></span>Boats<o:p></o:p></p>"
        "<p class=MsoListParagraph style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>o"
        "<span>&nbsp;&nbsp; </span></span>large</p>"
        "<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·"
        "<span>&nbsp;&nbsp; </span></span>Crews</p><!--EndFragment--></body></html>",
        "The lock **failed**.\n\n- Boats\n  - large\n- Crews",
    ),
    (
        "Google Docs: bold by style, links through a redirect",
        '<b style="font-weight:normal;" id="docs-internal-guid-1"><p dir="ltr"><span '
        'style="font-weight:700">Lock fails</span><span style="font-weight:400"> at </span><a '
        'href="https://www.google.com/url?q=https://port.example/n&amp;sa=D"><span '
        'style="font-style:italic">noon</span></a></p><br><p dir="ltr"><span>Boats '
        "wait.</span></p></b>",
        "**Lock fails** at [*noon*](https://port.example/n)\n\nBoats wait.",
    ),
]
TYPED: list[tuple[str, str, str]] = [
    (
        "hard-wrapped lines are one paragraph",
        "The lock failed at noon, and all boats that were bound for\n"
        "the sea have to wait until the morning, the harbour master\nsaid.\n\nCrews wait.",
        "The lock failed at noon, and all boats that were bound for the sea have to wait until the"
        " morning, the harbour master said.\n\nCrews wait.",
    ),
    (
        "one paragraph a line, and a list",
        "The lock failed at noon, and all boats that were bound for the sea have to wait.\n"
        "The harbour master asked everybody to stay away from the water until the morning.\n"
        "• Helpline: 0800 111 222\n• Shelter: Quay Street school\nMore follows.",
        "The lock failed at noon, and all boats that were bound for the sea have to wait.\n\n"
        "The harbour master asked everybody to stay away from the water until the morning.\n\n"
        "- Helpline: 0800 111 222\n- Shelter: Quay Street school\n\nMore follows.",
    ),
    (
        "an address keeps its lines",
        "Write to us:\n\nThe Harbour Herald\n12 Ropewalk\nPort Ellery",
        "Write to us:\n\nThe Harbour Herald\\\n12 Ropewalk\\\nPort Ellery",
    ),
    (
        "cells of a spreadsheet are a table",
        "Ward\tVotes\nQuay\t1,204\nLock\t987",
        "| Ward | Votes |\n| --- | --- |\n| Quay | 1,204 |\n| Lock | 987 |",
    ),
]
MARKDOWN = [
    "The **lock** is *shut*, `112`.\n\n> A quote\n>\n> - with a list\n\n## "
    "Heading\n\n#### Small\n\n---",
    "1. One\n2. Two\n   - inner\n   - list\n\n- tight\n- list\n\n* another\n\n  loose",
    "[a link](https://port.example/a_(b)) and https://port.example/c_d and <https://port.example/>",
    "| a | b | c |\n|:--|:-:|--:|\n| **x** | y \\| z | [l](https://port.example/) |",
    "A * star, 1\\. no list, \\# no heading, a_b_c, AT&T, 1 < 2, \\&amp; and \\<b>.",
    "A line\\\nand "
    'another.\n\n![Tugs](/images/0123456789abcdef0123456789abcdef-800x600.jpg "Fog | Ada")',
]


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content("<div id=rich></div><label>Text <textarea id=text></textarea></label>")
    page.add_script_tag(path=str(BUNDLE))
    page.evaluate(
        "() => { const area = document.getElementById('text');"
        " window.view = morefollowsEditor.mount(area, document.getElementById('rich'), null,"
        " () => Promise.resolve(null)); }"
    )
    yield page
    page.close()


def paste(page: Page, kind: str, data: str) -> str:
    """As the browser does: a paste event with this clipboard. Returns what would be saved."""
    page.evaluate(
        "() => { const area = document.getElementById('text'); area.value = '';"
        " area.dispatchEvent(new Event('input')); }"
    )
    page.locator(".ProseMirror").focus()
    return str(
        page.evaluate(
            "([kind, data]) => { const clipboard = new DataTransfer(); "
            "clipboard.setData(kind, data);"
            " document.querySelector('.ProseMirror').dispatchEvent(new ClipboardEvent('paste',"
            " { clipboardData: clipboard, bubbles: true, cancelable: true }));"
            " return document.getElementById('text').value; }",
            [kind, data],
        )
    )


@pytest.mark.parametrize(("name", "data", "expected"), PASTED, ids=[one[0] for one in PASTED])
def test_pasted_html_keeps_its_structure(desk: Page, name: str, data: str, expected: str) -> None:
    assert paste(desk, "text/html", data) == expected


@pytest.mark.parametrize(("name", "data", "expected"), TYPED, ids=[one[0] for one in TYPED])
def test_pasted_text_means_what_its_lines_mean(
    desk: Page, name: str, data: str, expected: str
) -> None:
    assert paste(desk, "text/plain", data) == expected


@pytest.mark.parametrize("text", MARKDOWN)
def test_markdown_comes_back_as_it_was(desk: Page, text: str) -> None:
    """What mail and page make of it is the same; and once written by the editor, it stays so."""
    back = str(desk.evaluate("text => morefollowsEditor.roundTrip(text)", text))
    assert _plain(markdown.to_html(back)) == _plain(markdown.to_html(text))
    assert desk.evaluate("text => morefollowsEditor.roundTrip(text)", back) == back


STANDING = [
    *MARKDOWN,
    *(markdown for *_, markdown in PASTED),
    "One line\nand [another](https://port.example/)  here.\n\n1. a\n\n   b\n\n> # q\n> - c",
    "| a | b |\n| --- | :-: |\n|  |  |\n\n![Tugs](https://port.example/a.jpg) &amp; <b> `x  y`",
    "<script>alert(1)</script> [x](javascript:alert(1)) https://port.example/",
]


@pytest.mark.parametrize("text", STANDING)
def test_what_stands_there_until_the_editor_comes_looks_the_same(desk: Page, text: str) -> None:
    """So nothing moves when the editor takes its place."""
    desk.evaluate(
        "text => { const area = document.getElementById('text'); area.value = text;"
        " area.dispatchEvent(new Event('input')); }",
        text,
    )
    shown = desk.locator(".ProseMirror").evaluate("one => one.innerHTML")
    assert _same(editor_html(text)) == _same(shown)


def _same(elements: str) -> str:
    """The elements and words. Where a link leads, and what an image is, moves nothing."""
    elements = re.sub(r"</?(thead|tbody)>", "", elements.replace("<br />", "<br>"))
    elements = re.sub(r'<img class="ProseMirror-separator"[^>]*>(<br[^>]*>)?', "", elements)
    elements = re.sub(r'<br class="ProseMirror-trailingBreak">', "<br>", elements)
    elements = re.sub(r"<hr[^>]*>", "<hr>", re.sub(r"<a [^>]*>", "<a>", elements))
    elements = re.sub(r"<img [^>]*>", "<img>", elements)
    return html.unescape(re.sub(r' (contenteditable|draggable)="\w+"', "", elements))


# A bar stands for the caret, two for a selection: in the Markdown, and in the words of the editor.
CARETS = [
    ("One| two", "One| two"),
    ("One two |", "One two |"),
    ("One.\n\n|", "One.|"),
    ("The **lo|ck** is", "The lo|ck is"),
    ("The **lock|** is", "The lock| is"),
    ("|- one\n- two", "|onetwo"),
    ("- one\n- |", "one|"),
    ("> |q", "|q"),
    ("#|# Head", "|Head"),
    ("|One two| three", "|One two| three"),
    ("One |**two\n\nthr|ee** x", "One |**twothr|ee** x"),
    ("a [b](https://port|.example/)", None),
]


@pytest.mark.parametrize(("text", "expected"), CARETS)
def test_the_caret_goes_along_into_the_editor(desk: Page, text: str, expected: str | None) -> None:
    ends = [at - number for number, at in enumerate(i for i, c in enumerate(text) if c == "|")]
    assert (
        desk.evaluate(
            "([text, from, to]) => { const at = morefollowsEditor.placed(text, from, to);"
            " if (!at) return null;"
            " const between = (from, to) => at.doc.textBetween(from, to);"
            " const { from: a, to: b } = at.selection;"
            " return between(0, a) + '|' + (a === b ? '' : between(a, b) + '|')"
            " + between(b, at.doc.content.size); }",
            [text.replace("|", ""), ends[0], ends[-1]],
        )
        == expected
    )


def _plain(rendered: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(rendered))


def test_typing_stores_markdown(desk: Page) -> None:
    paste(desk, "text/plain", "x")
    desk.keyboard.press("Control+a")
    desk.keyboard.press("Delete")
    desk.keyboard.type("## Boats")
    desk.keyboard.press("Enter")
    desk.keyboard.type("- one")
    desk.keyboard.press("Enter")
    desk.keyboard.press("Control+b")
    desk.keyboard.type("two")
    assert desk.locator("#text").input_value() == "## Boats\n\n- one\n- **two**"
