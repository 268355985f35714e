"""A story's text as journalists write or paste it becomes safe HTML and plain text."""

from __future__ import annotations

import time

import html5lib
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from morefollows.stories import markdown
from tests.courier.message.support import Seen

STORY = """\
The **harbour bridge** was closed
at 14:05 after a ferry struck its *second* pier.

Engineers are on their way, the [port authority](https://port.example/notice) said.
Write to [the desk](mailto:desk@herald.example), or see https://port.example/live (also in Danish).

> We felt one long push,
> and then the lights went out.

# What is known

1. The ferry had 212 people on board
2. Nobody is hurt
   - trains turn back
   - trams as well

---

##### Where to turn

Call `112`.
"""


def test_a_story_as_html() -> None:
    assert (
        markdown.to_html(STORY)
        == """\
<p>The <strong>harbour bridge</strong> was closed
at 14:05 after a ferry struck its <em>second</em> pier.</p>
<p>Engineers are on their way, the <a href="https://port.example/notice">port authority</a> said.
Write to <a href="mailto:desk@herald.example">the desk</a>, or see \
<a href="https://port.example/live">https://port.example/live</a> (also in Danish).</p>
<blockquote>
<p>We felt one long push,
and then the lights went out.</p>
</blockquote>
<h2>What is known</h2>
<ol>
<li>The ferry had 212 people on board</li>
<li>Nobody is hurt
<ul>
<li>trains turn back</li>
<li>trams as well</li>
</ul>
</li>
</ol>
<hr />
<h3>Where to turn</h3>
<p>Call <code>112</code>.</p>
"""
    )


def test_a_story_as_plain_text() -> None:
    assert (
        markdown.to_text(STORY)
        == """\
The harbour bridge was closed at 14:05 after a ferry struck its second pier.

Engineers are on their way, the port authority (https://port.example/notice) said. \
Write to the desk (desk@herald.example), or see https://port.example/live (also in Danish).

> We felt one long push, and then the lights went out.

What is known

1. The ferry had 212 people on board
2. Nobody is hurt
   - trains turn back
   - trams as well

* * *

Where to turn

Call 112."""
    )


def test_pages_get_no_inline_styles_and_mail_does() -> None:
    assert "style=" not in markdown.to_html(STORY)
    assert '<p style="margin' in markdown.to_html(STORY, inline_styles=True)
    assert (
        Seen(markdown.to_html(STORY, inline_styles=True)).text == Seen(markdown.to_html(STORY)).text
    )


def test_pasted_text_stays_text() -> None:
    """As scraped or pasted: indented, hard-wrapped, CRLF, underlining dashes, footnotes."""
    pasted = (
        "   One paragraph that\r\nwas hard-wrapped.\r\n\r\n        Another, indented.\r\n\r\n"
        "Heading?\n=====\n\n[1]: https://a.example"
    )
    assert markdown.to_text(pasted) == (
        "One paragraph that was hard-wrapped.\n\nAnother, indented.\n\nHeading? =====\n\n"
        "[1]: https://a.example"
    )
    assert "<pre" not in markdown.to_html(pasted)
    assert "<h" not in markdown.to_html(pasted)


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        (
            "<b onclick=x>b</b> <!-- c -->",
            "<p>&lt;b onclick=x&gt;b&lt;/b&gt; &lt;!-- c --&gt;</p>\n",
        ),
        ("[a](javascript:alert(1))", "<p>a</p>\n"),
        (
            "[a](JaVaScRiPt:alert(1)) [b](data:text/html,x) [c](//x.example) [d](/x)",
            "<p>a b c d</p>\n",
        ),
        ("[a](vbscript:x) [b](ftp://x.example/)", "<p>a b</p>\n"),
        ("<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n"),
        ('[a](https://x.example "title")', '<p><a href="https://x.example">a</a></p>\n'),
        (
            "[a](https://x.example/\"onmouseover='x')",
            "<p><a href=\"https://x.example/%22onmouseover='x'\">a</a></p>\n",
        ),
        ("![the bridge](https://x.example/a.jpg)", "<p>the bridge</p>\n"),
        (
            "[![the bridge](a.jpg)](https://x.example)",
            '<p><a href="https://x.example">the bridge</a></p>\n',
        ),
        (
            "(https://x.example/a_(b)_c).",
            '<p>(<a href="https://x.example/a_(b)_c">https://x.example/a_(b)_c</a>).</p>\n',
        ),
        ("{{ newsroom }} {% now %}", "<p>{{ newsroom }} {% now %}</p>\n"),
        ("a\0b\x1b[31m\ud800c", "<p>ab[31m\ufffdc</p>\n"),
        ("", ""),
    ],
)
def test_nothing_gets_through_that_should_not(written: str, html: str) -> None:
    assert markdown.to_html(written) == html


SAFE = {"p", "h2", "h3", "ul", "ol", "li", "blockquote", "hr", "br", "strong", "em", "code", "a"}
MARKUP = r"""[a]( ]( ) https://x.example/ javascript: <script> &lt; &#106; * ** _ ` ![ <https://a.example> --- " ' & \\"""  # noqa: E501
pieces = st.sampled_from(
    [*MARKUP.split(), "\n\n", "\n", "> ", "- ", "1. ", "# ", "  ", "\t", "\0", "word", "é"]
)


@given(st.lists(pieces, max_size=25).map("".join))
def test_any_text_is_safe_and_says_the_same_in_both(text: str) -> None:
    html = markdown.to_html(text)
    seen = Seen(html)
    html5lib.HTMLParser(strict=True).parseFragment(html)
    assert {tag for tag, _ in seen.elements} <= SAFE
    for tag, attributes in seen.elements:
        assert set(attributes) <= ({"href"} if tag == "a" else {"start"}), (tag, attributes)
    assert all(link.lower().startswith(("https://", "http://", "mailto:")) for link in seen.links)
    assert seen.links == markdown.links(text)
    plain = markdown.to_text(text)
    words = [word for word in seen.text.replace("…", "").split() if word.isalnum()]
    assert all(word in plain for word in words)


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "[![",
        "> ",
        "*a ",
        "a**",
        "_",
        "`",
        "[a](b",
        "- ",
        "1. ",
        "https://",
        "<",
        "\\",
        "&",
    ],
)
def test_text_made_to_be_slow_is_not(piece: str) -> None:
    longest = (piece * 50_000)[:50_000]
    start = time.process_time()
    for _again in range(20):  # a page shows it several times, and its readers look at that
        markdown.to_html(longest)
        markdown.to_text(longest)
    assert time.process_time() - start < 3


def test_brackets_beyond_measure_are_text() -> None:
    assert "<a " in markdown.to_html("[a](mailto:port@port.example) " * 900)
    many = markdown.to_html("[a](mailto:port@port.example) " * 2_100)
    assert "<a " not in many and many.count("[a](mailto:port@port.example)") == 2_100


def test_what_is_kept_of_a_text_is_of_its_language() -> None:
    text = "![Tugs](/images/" + "a" * 32 + "-1200x800.jpg)"
    found = set()
    for language in ("en", "de", "en"):
        with translation.override(language):
            found.add(markdown.to_text(text))
    assert len(found) == 2


def test_a_preview_has_the_words_alone() -> None:
    text = (
        "The **lock\nbridge** is shut.\n\n> We check\n> every bolt.\n\n1. One\n\n"
        "More in the [notice](https://port.example/)."
    )
    assert (
        markdown.to_words(text)
        == "The lock bridge is shut. We check every bolt. One More in the notice."
    )


def test_a_table_in_mail_page_and_plain_text() -> None:
    text = "| Ward | Votes |\n|---|--:|\n| Quay | **1,204** |\n| Lock | 987 |"
    page = markdown.to_html(text)
    assert '<td class="right"><strong>1,204</strong></td>' in page
    assert "style" not in page, "pages allow no inline styles"
    assert "text-align:end" in markdown.to_html(text, inline_styles=True)
    assert markdown.to_text(text) == "Ward | Votes\nQuay | 1,204\nLock | 987"
    assert markdown.to_words(text) == "Ward Votes Quay 1,204 Lock 987"


def test_quotes_and_cells_of_mail_from_the_right() -> None:
    text = "> Said so.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
    html = markdown.to_html(text, inline_styles=True, rtl=True)
    assert "border-right:3px" in html and "border-left" not in html
    assert html.count("padding:.3em 0 .3em .6em") == 4 and ".6em .3em 0" not in html
    assert "border-left:3px" in markdown.to_html(text, inline_styles=True)
