"""HTML is minified for sending, and parses into the same document."""

from __future__ import annotations

import email
import email.policy
import re
from typing import Any

import html5lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from morefollows.audience.models import Topic
from morefollows.courier.message import alert as alerts
from morefollows.courier.message.encoding.bodies import seven_bit
from morefollows.courier.message.template import Placeholders, Slot
from morefollows.stories.models import Alert
from tests.courier.message.support import read, thanks, wire
from tools.mails import tighten

SMALLEST = 13_500  #: octets of an alert of three short paragraphs

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0\r\x0c")
).map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"))
ODD = "\n. a\n..\nFrom b\n--=_morefollows--\n  x  \ty"


def document(html: str) -> list[object]:
    """Elements, attributes and words; white space as it shows."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("dom"))
    found: list[object] = []

    def walk(node: Any, kept: bool) -> None:
        for child in node.childNodes:
            if child.nodeType == child.TEXT_NODE:
                found.append(child.data if kept else re.sub("[ \t\n]+", " ", child.data))
            else:
                name = child.nodeName.lower()
                found.append(
                    (
                        name,
                        sorted(child.attributes.items()) if child.attributes else child.nodeValue,
                    )
                )
                walk(child, kept or name in ("pre", "code", "style"))

    parsed = parser.parse(html)
    parsed.normalize()
    walk(parsed, False)
    return found


def sent(html: str) -> str | None:
    """As a mail program reads it, from lines that no relay changes."""
    content = seven_bit(html)
    if content is None:
        return None
    lines = content.split(b"\r\n")
    assert all(len(line) <= 998 and not line.startswith((b".", b"-", b"From ")) for line in lines)
    assert not any(line.endswith((b" ", b"\t")) or b"\n" in line or b"\r" in line for line in lines)
    part = (
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        + content
    )
    message = email.message_from_bytes(part, policy=email.policy.default)
    return str(message.get_content()).replace("\r\n", "\n").removesuffix("\n")


@settings(max_examples=150, deadline=None)
@given(words, words, words)
@example(ODD, ODD, ODD)
@example("新聞 速報", "🚢💥 🏳️‍🌈", "عاجل: \u202egnp.exe")
@example("a " * 1000, "b " * 300, "c\n" * 200)
def test_any_words_read_back_the_same(text: str, kept: str, value: str) -> None:
    html = (
        f'<p title="{value}" lang="en">{text} <b>{text}</b></p><!--[if mso]><i a="b">\n'
        "</i><![endif]-->"
        f"<pre>x{kept}</pre><p><code>{kept}</code></p>"
    )
    back = sent(html)
    if back is not None:
        assert document(back) == document(html)


def test_what_cannot_stand_as_it_is_needs_an_encoding() -> None:
    assert sent(f"<p>{ODD} “é” 🚢 <code>{'x' * 100}</code></p>") is not None
    for html in (
        f"<p>{'x' * 2000}</p>",
        f'<a href="https://a.example/{"x" * 1000}">a</a>',
        f"<p>{'新' * 200}</p>",
        "<style>p::before{content:'é'}</style>",
        "<!-- é -->",
        "<pre>a \nb</pre>",
        "<p>\ufffe</p>",
        "<p>\x85</p>",
        "<p",
    ):
        assert sent(html) is None, html


def test_a_mark_is_never_broken() -> None:
    marks = Placeholders()
    html = f"<p>{f'https://a.example/{marks[Slot.LEAVE]}/ ' * 30}</p>"
    assert (seven_bit(html) or b"").count(marks[Slot.LEAVE].encode()) == 30


def test_a_template_loses_only_what_does_not_show() -> None:
    html = """<div  style="margin: 0; font-family: Georgia, 'Times  New'; color:{{ colour }};" />
      {% if a %} <p>one <b>two</b> <i>three</i>{{ four }} five </p> {% endif %}
      {% blocktranslate %}six  seven{% endblocktranslate %}
    </div><!--[if mso | IE]></td><![endif]--><!--[if mso | IE]></tr><![endif]-->
    <style type="text/css">.a > b , i { color : red; margin: 0 !important; }</style>"""
    assert tighten(html) == (
        """<div style="margin:0;font-family:Georgia,'Times  New';color:{{ colour }}">"""
        "{% if a %}<p>one <b>two</b> <i>three</i>{{ four }} five</p>{% endif %} "
        "{% blocktranslate %}six  seven{% endblocktranslate %}</div><!--[if mso | "
        "IE]></td></tr><![endif]-->"
        "<style>.a>b,i{color : red;margin:0!important}</style>"
    )
    with pytest.raises(ValueError, match=r"^not sound HTML: '<p"):
        tighten("a <p")


def encoding(raw: bytes) -> str:
    return str(list(read(raw).iter_parts())[1]["Content-Transfer-Encoding"])


def test_each_mail_is_sent_in_the_shorter_way(alert: Alert, breaking: Topic) -> None:
    assert (
        encoding(wire(alerts.alert(alert, "de")))
        == encoding(wire(thanks(breaking, "de")))
        == "7bit"
    )
    alert.update.text = "Мост закрыт. " * 500
    assert encoding(wire(alerts.alert(alert, "en"))) == "quoted-printable"
    alert.update.text = "x" * 2000
    assert encoding(wire(alerts.alert(alert, "en"))) == "quoted-printable"


def test_the_smallest_alert_stays_small(alert: Alert) -> None:
    assert len(wire(alerts.alert(alert, "en"))) < SMALLEST
