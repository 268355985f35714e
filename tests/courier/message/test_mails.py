"""The mails themselves, judged by their bytes on the wire."""

from __future__ import annotations

import base64
import dataclasses
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import html5lib
import pytest
from django.conf import settings
from django.urls import resolve
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from morefollows.audience.models import Newsroom, Topic
from morefollows.courier.message import alert as alerts
from morefollows.courier.message import preview as previews
from morefollows.courier.message.content import return_paths
from morefollows.courier.message.subjects import subject_of
from morefollows.courier.message.template import Composed, Slot
from morefollows.stories.models import Alert, Story, Update
from tests.courier.message.support import (
    Seen,
    confirmation,
    head,
    in_one_line,
    parts,
    read,
    thanks,
    values,
    wire,
)

SINGLE = ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type")


def alert_of(headline: str, standfirst: str, text: str) -> Alert:
    """An alert that is in no database: a story in other words."""
    topic = Topic.objects.get(slug="breaking")
    story = Story(headline=headline, topic=topic, created_at=datetime(2026, 11, 24, tzinfo=UTC))
    update = Update(story=story, headline=headline, standfirst=standfirst, text=text, language="en")
    return Alert(pk=7, update=update, topic=topic, held_until_ms=1_795_501_800_000)


def letters(topic: Topic) -> list[Composed]:
    return [
        confirmation(topic, "en", offers=False),
        confirmation(topic, "de", offers=True),
        thanks(topic, "en"),
    ]


# -- header ----------------------------------------------------------------------------------------


def test_the_header_of_an_alert(alert: Alert) -> None:
    raw = wire(alerts.alert(alert, "en"))
    story = alert.update.story
    leave = f"https://alerts.herald.example/leave/{'0' * 36}/"
    assert [line.decode() for line in head(raw)] == [
        "From: The Harbour Herald <alerts@herald.example>",
        "To: <cy@reader.example>",
        "Date: Tue, 24 Nov 2026 06:30:00 +0000",
        f"Message-ID: <{'0' * 46}@herald.example>",
        "Subject: Harbour bridge closed after ferry collision",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        f"References: <{story.uuid}@herald.example>",
        "Thread-Topic: Harbour bridge closed after ferry collision",
        f"Thread-Index: {read(raw)['Thread-Index']}",
        "Content-Language: en",
        f"List-Unsubscribe: <{leave}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        'List-Id: "Breaking news" <breaking.herald.example>',
        "List-Help: <https://alerts.herald.example/privacy/>",
        "List-Owner: <mailto:alerts@herald.example>",
        "List-Archive: <https://alerts.herald.example/>",
        "Precedence: bulk",
        f"Feedback-ID: {read(raw)['Feedback-ID']}",
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="=_morefollows"',
    ]


def test_each_field_stands_once(alert: Alert, breaking: Topic) -> None:
    for composed in (alerts.alert(alert, "en"), *letters(breaking)):
        raw = wire(composed)
        count = Counter(
            line.partition(b":")[0].decode() for line in head(raw) if not line.startswith(b" ")
        )
        assert set(count.values()) == {1}
        assert all(name in count for name in SINGLE)


def test_only_what_may_be_is_encoded(newsroom: Newsroom, alert: Alert) -> None:
    """A long address or a name in another script must not produce undecodable encoded words."""
    newsroom.name = newsroom.sender_name = (
        "Hafen-Anzeiger für Öresund und Umgebung, die älteste Zeitung am Ort"
    )
    newsroom.save()
    alert.topic.name = "Eilmeldungen für alle Häfen"
    alert.update.headline = (
        "Öresundbrücke gesperrt: Fähre stößt mit Pfeiler zusammen, Züge und Straßenbahnen kehren um"
    )
    raw = wire(alerts.alert(alert, "de"), address=b"c" * 64 + b"@" + b"reader." * 20 + b"example")
    assert read(raw)["Subject"] == alert.update.headline
    encoded = {
        field.partition(b":")[0]
        for field in re.split(rb"\r\n(?! )", raw.partition(b"\r\n\r\n")[0])
        if b"=?" in field
    }
    assert encoded == {b"From", b"Subject", b"Thread-Topic"}
    assert b"\r\nList-Id: <breaking.herald.example>\r\n" in raw


def test_the_thread_holds_in_every_inbox(alert: Alert) -> None:
    """Subject, synthetic first Message-ID and Outlook conversation stay the same at any time."""
    story, update = alert.update.story, alert.update
    first = read(wire(alerts.alert(alert, "en")))
    update.kind, update.standfirst, update.headline = (
        Update.Kind.UPDATE,
        "Divers are in the water.",
        "Divers at work",
    )
    alert.held_until_ms += 3_600_000
    second = read(wire(alerts.alert(alert, "de")))
    for name in ("Subject", "References", "Thread-Topic"):
        assert first[name] == second[name]
    assert first["Date"] != second["Date"]
    index, child = (base64.b64decode(mail["Thread-Index"]) for mail in (first, second))
    assert len(index) == 22
    assert index[0] == 1
    assert UUID(bytes=index[6:]) == story.uuid
    assert child[:22] == index
    assert len(child) == 27, "5 octets for each later update"
    assert "In-Reply-To" not in first


def test_a_withdrawal_never_says_the_false_headline_again(alert: Alert) -> None:
    update = alert.update
    update.kind, update.text, update.note = (
        Update.Kind.WITHDRAWAL,
        "Do not rely on it.",
        "The picture was fabricated.",
    )
    mail = read(wire(alerts.alert(alert, "de")))
    assert re.fullmatch(r"Withdrawn: our alert of \d+ \w+, \d\d:\d\d", mail["Subject"])
    assert {"References", "In-Reply-To", "Thread-Index"} <= set(mail.keys()), "it keeps the thread"
    assert update.headline.encode() not in wire(alerts.alert(alert, "en"))
    plain, html = parts(wire(alerts.alert(alert, "en")))
    assert plain.startswith("Withdrawn · ")
    for words in (
        "We have withdrawn a story",
        "The picture was fabricated.",
        "Do not rely on it.",
    ):
        assert words in plain
        assert words in Seen(html).text
    for gone in ("More follows", "/follow/", "/mute/"):
        assert gone not in plain + html


def test_a_correction_says_what_was_wrong_before_all_else(alert: Alert) -> None:
    update = alert.update
    update.kind, update.note = Update.Kind.CORRECTION, "We named the wrong pier."
    update.headline = "Ferry strikes the lower bridge"
    mail = read(wire(alerts.alert(alert, "en")))
    assert mail["Subject"] == "Correction: Ferry strikes the lower bridge"
    assert "Thread-Topic" not in mail, "which would bring the false headline along"
    plain, html = parts(wire(alerts.alert(alert, "en")))
    assert plain.startswith("Correction · ")
    assert alerts.alert(alert, "en")
    # without the preheader, which is what was wrong, too
    for shown in (plain, Seen(html).text.partition("Unsubscribe")[2]):
        assert (
            shown.index("What was wrong")
            < shown.index("We named the wrong pier.")
            < shown.index("Ferry strikes the lower bridge")
            < shown.index("Engineers")
        )
        assert "More follows" in shown
    alert.update.story.state = "final"
    assert "More follows" not in parts(wire(alerts.alert(alert, "en")))[0], (
        "what was final stays so"
    )


def test_a_drill_is_unmistakable(alert: Alert) -> None:
    alert.update.story.drill = True
    mail = wire(alerts.alert(alert, "en"))
    message = read(mail)
    subject = f"DRILL: {alert.update.headline}"
    assert message["Subject"] == subject
    for said in ("Drill: ", "DRILL:  ", "drill:"):
        again = Update(story=alert.update.story, headline=said + alert.update.headline)
        again.kind, again.language = alert.update.kind, "en"
        assert subject_of(again) == subject, "it is said once"
    for shown in parts(mail):
        assert (
            "DRILL – not real news" in shown
            and "This is a drill. Nothing of this has happened." in shown
        )
        assert "you agreed to take part in drills" in shown and "signed up to" not in shown
    assert (
        message["List-Id"] == '"Drills" <drills.herald.example>'
        and ":drills:" in message["Feedback-ID"]
    )


def test_the_feedback_id_is_fit_for_gmail(alert: Alert) -> None:
    first = read(wire(alerts.alert(alert, "en")))["Feedback-ID"].split(":")
    assert len(first) == len(set(first)) == 4
    assert 5 <= len(first[3]) <= 15
    alert.uuid, alert.update.story.uuid = UUID(int=8), UUID(int=1)
    second = read(wire(alerts.alert(alert, "de")))["Feedback-ID"].split(":")
    assert first[3] == second[3]
    assert first[:2] != second[:2]


def test_the_same_mail_has_the_same_message_id(alert: Alert) -> None:
    composed = alerts.alert(alert, "en")
    first, again, other = (
        wire(composed),
        wire(Composed.from_bytes(composed.to_bytes())),
        composed.fill(values(mark=b"1")),
    )
    assert first == again
    assert read(first)["Message-ID"] != read(b"".join(other))["Message-ID"]


def test_the_return_path_names_the_mail(newsroom: Newsroom) -> None:
    path = return_paths()(b"0" * 46)
    assert path == b"b+" + b"0" * 46 + b"@herald.example"
    assert len(path.partition(b"@")[0]) <= 64


def test_a_sender_with_an_internationalised_domain(newsroom: Newsroom, breaking: Topic) -> None:
    newsroom.sender_address = "alerts@öresund.example"
    newsroom.save()
    raw = wire(thanks(breaking, "en"))
    assert b"<alerts@xn--resund-vxa.example>\r\n" in raw
    assert b"@xn--resund-vxa.example" in return_paths()(b"0" * 46)


def test_a_confirmation_is_no_list_mail_and_advertises_nothing(breaking: Topic) -> None:
    raw = wire(confirmation(breaking, "en", offers=False))
    names = {line.partition(b":")[0] for line in head(raw)}
    assert not {
        name
        for name in names
        if name.startswith(b"List-") or name in (b"Precedence", b"Feedback-ID")
    }
    plain, html = parts(raw)
    assert "offers" not in plain + html
    assert "leave" not in plain + html
    assert {urlsplit(link).path for link in Seen(html).links} == {
        f"/confirm/{'0' * 36}/",
        "/privacy/",
    }
    assert "offers, events and updates" in parts(wire(confirmation(breaking, "en", offers=True)))[0]


def test_thanks_can_be_left_with_one_click(breaking: Topic) -> None:
    message = read(wire(thanks(breaking, "en")))
    assert message["List-Unsubscribe"] == f"<https://alerts.herald.example/leave/{'0' * 36}/>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_where_mail_comes_in_readers_can_leave_by_mail(breaking: Topic, settings: Any) -> None:
    """RFC 2369 §3.2, and the address for complaints (RFC 9477)."""
    from morefollows.config.addresses.intake_address import parse_receivers

    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS,
        intake=parse_receivers("lmtp://127.0.0.1:1"),
        bounce_domain="b.example",
    )
    raw = wire(thanks(breaking, "en"))
    message = read(raw)
    receipt = message["Message-ID"].strip("<>").partition("@")[0]
    web = f"<https://alerts.herald.example/leave/{'0' * 36}/>"
    mail = f"<mailto:leave+{receipt}@b.example?subject=unsubscribe>"
    assert message["List-Unsubscribe"] == f"{web}, {mail}"
    assert message["CFBL-Address"] == "fbl@b.example; report=arf"
    assert message["CFBL-Feedback-ID"] == receipt
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"=?" not in head and max(map(len, head.split(b"\r\n"))) < 200
    assert "mailto" not in str(read(wire(confirmation(breaking, "en", False)))["List-Unsubscribe"])


def test_holes(alert: Alert, breaking: Topic) -> None:
    first = {Slot.ADDRESS, Slot.LEAVE, Slot.RECEIPT, Slot.PREFERENCES, Slot.STORY}
    assert set(alerts.alert(alert, "en").slots) == first
    alert.update.kind = Update.Kind.UPDATE
    assert set(alerts.alert(alert, "en").slots) == {*first, Slot.REFERENCES, Slot.REPLY}
    assert set(confirmation(breaking, "en", True).slots) == {
        Slot.ADDRESS,
        Slot.RECEIPT,
        Slot.CONFIRM,
        Slot.DATE,
    }
    assert set(thanks(breaking, "en").slots) == {
        Slot.ADDRESS,
        Slot.LEAVE,
        Slot.RECEIPT,
        Slot.DATE,
        Slot.PREFERENCES,
    }


# -- what a reader reads ---------------------------------------------------------------------------


def test_both_parts_say_the_same(alert: Alert, newsroom: Newsroom) -> None:
    plain, html = parts(wire(alerts.alert(alert, "en")))
    seen = Seen(html)
    words = " ".join(plain.split())
    for said in (
        "Harbour bridge closed after ferry collision",
        "Nobody is hurt. Trains and trams are being turned back at both ends.",
        "was closed at 14:05 after a ferry struck its second pier.",
        "Engineers are on their way, the port authority",
        "Breaking news · 24 November 2026, 07:30 CET",
        "More follows on this breaking news story.",
        "You get this email because you signed up to “Breaking news” from The Harbour Herald.",
        "The Harbour Herald, 1 Pier Road, Port Ellis",
    ):
        assert said in words
        assert said in seen.text
    assert set(seen.links) == set(re.findall(r"https?://[^\s)]+", plain))
    assert "https://port.example/notice" in seen.links


def test_letters_say_the_same_in_both_parts(breaking: Topic) -> None:
    for composed in letters(breaking):
        plain, html = parts(wire(composed))
        seen = Seen(html)
        assert set(seen.links) == set(re.findall(r"https?://[^\s)]+", plain))
        for paragraph in plain.split("\n\n"):
            for sentence in re.split(r"(?<=[.!?]) |\n", paragraph):
                if (
                    "https://" not in sentence
                    and not sentence.startswith("--")
                    and not sentence.endswith(":")
                ):
                    assert sentence in seen.text


def test_every_mail_has_the_postal_address_and_the_privacy_notice(
    alert: Alert, breaking: Topic
) -> None:
    for composed in (alerts.alert(alert, "de"), *letters(breaking)):
        for part in parts(wire(composed)):
            assert "1 Pier Road, Port Ellis" in part
            assert "https://alerts.herald.example/privacy/" in part


def test_the_way_out_is_near_the_top_and_at_the_end(alert: Alert) -> None:
    link = f"https://alerts.herald.example/leave/{'0' * 36}/"
    for part in parts(wire(alerts.alert(alert, "en"))):
        assert part.index(link) < part.index("Engineers") < part.rindex(link)


def test_the_first_words_tell_what_it_is(alert: Alert) -> None:
    plain, html = parts(wire(alerts.alert(alert, "en")))
    assert Seen(html).text.startswith("Breaking: Nobody is hurt. Trains and trams")
    assert plain.startswith("Breaking · The Harbour Herald\n\nHarbour bridge closed")
    alert.update.standfirst = ""
    assert Seen(parts(wire(alerts.alert(alert, "en")))[1]).text.startswith(
        "Breaking: The harbour bridge was closed at"
    )


def test_a_story_speaks_its_own_language_among_the_readers(alert: Alert) -> None:
    alert.update.language = "de"
    message = read(wire(alerts.alert(alert, "en")))
    html = parts(wire(alerts.alert(alert, "en")))[1]
    assert message["Content-Language"] == "de"
    assert '<html lang="en" dir="ltr"' in html
    assert re.search(r'<h1 lang="de" dir="auto"[^>]*>Harbour bridge', html)


def test_a_time_zone_that_this_machine_does_not_know_is_no_reason_not_to_send(
    newsroom: Newsroom, alert: Alert
) -> None:
    newsroom.time_zone = "Mars/Olympus"
    newsroom.save()
    assert "24 November 2026, 06:30 UTC" in parts(wire(alerts.alert(alert, "en")))[0]


def test_the_date_is_written_as_the_readers_of_its_language_write_it(alert: Alert) -> None:
    for part in parts(wire(alerts.alert(alert, "de"))):
        assert "24. November 2026, 07:30 CET" in part


def test_more_follows_only_while_it_does(alert: Alert) -> None:
    alert.update.kind = Update.Kind.FINAL
    for part in parts(wire(alerts.alert(alert, "en"))):
        assert "More follows" not in part


def test_every_link_of_ours_leads_to_a_page(alert: Alert, breaking: Topic) -> None:
    for composed in (alerts.alert(alert, "en"), *letters(breaking)):
        for link in Seen(parts(wire(composed))[1]).links:
            if link.startswith(settings.MOREFOLLOWS.url):
                assert resolve(urlsplit(link).path)


def test_nothing_is_fetched_and_nothing_tells_who_reads(alert: Alert, breaking: Topic) -> None:
    for composed in (alerts.alert(alert, "en"), *letters(breaking)):
        html = parts(wire(composed))[1]
        seen = Seen(html)
        assert not {tag for tag, _ in seen.elements} & {
            "img",
            "script",
            "link",
            "iframe",
            "object",
            "form",
            "input",
        }
        assert not re.search(r"url\(|@import|@font-face", html)
        own = ("/leave/", "/confirm/", "/preferences/", "/follow/", "/mute/")
        story_links = [link for link in seen.links if not any(path in link for path in own)]
        assert not any("0" * 36 in link for link in story_links)


def test_the_html_is_sound_and_small(alert: Alert, breaking: Topic) -> None:
    alert.update.text *= 40  # about 10 KB, a long story
    for composed in (alerts.alert(alert, "en"), *letters(breaking)):
        html = parts(wire(composed))[1]
        html5lib.HTMLParser(strict=True).parse(html)
        assert len(html.encode()) < previews.HTML_BUDGET
        assert '<meta name="color-scheme" content="light dark"' in html


def test_no_line_is_too_long(alert: Alert, breaking: Topic) -> None:
    alert.update.text += "x" * 3000 + "\n\n" + "€" * 3000
    for composed in (alerts.alert(alert, "en"), *letters(breaking)):
        raw = wire(composed)
        body = raw.partition(b"\r\n\r\n")[2]
        encoded = body.split(b"Content-Transfer-Encoding: 7bit")[0]
        assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
        assert all(len(line) <= 998 and not line.startswith(b".") for line in raw.split(b"\r\n"))
        assert b"\n" not in raw.replace(b"\r\n", b"")


# -- hostile and odd input -------------------------------------------------------------------------

HOSTILE = [
    "</mj-text><mj-raw><b>x</b></mj-raw>",
    "<script>alert(1)</script>",
    "{{ newsroom }} {% now %} {# x #}",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; &amp; <!-- x --> ]]>",
    "<![endif]--><b>x</b>",
    "عاجل: إغلاق جسر الميناء",
    "\u202egnp.exe",
    "🚢💥 Fähre 🏳️‍🌈",
    "=?utf-8?q?Bcc=3A?=",
    "--=_morefollows--",
    "x" * 150,
]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_come_out_as_they_went_in(newsroom: Newsroom, words: str) -> None:
    quiet = Counter(
        tag for tag, _ in Seen(parts(wire(alerts.alert(alert_of("x", "x", "x"), "en")))[1]).elements
    )
    raw = wire(alerts.alert(alert_of(words, words, ""), "en"))
    plain, html = parts(raw)
    assert read(raw)["Subject"] == words
    assert plain.count(words) == 2
    seen = Seen(html)
    assert seen.text.count(words) == 3  # preheader, headline, standfirst
    quiet["p"] -= 1  # the story's one paragraph
    assert Counter(tag for tag, _ in seen.elements) == quiet
    html5lib.HTMLParser(strict=True).parse(html)


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_newsroom_name(newsroom: Newsroom, breaking: Topic, words: str) -> None:
    newsroom.name = newsroom.sender_name = words[:100]
    newsroom.save()
    for composed in letters(breaking):
        plain, html = parts(wire(composed))
        assert words[:100] in plain
        assert words[:100] in Seen(html).text
        html5lib.HTMLParser(strict=True).parse(html)


visible = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")),
    min_size=1,
    max_size=150,
)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
    deadline=None,
)
@given(visible.filter(str.strip), visible, visible)
@example("Bridge", "closed", "\N{BOM}")
def test_any_words_come_back_from_the_wire(
    newsroom: Newsroom, headline: str, standfirst: str, text: str
) -> None:
    made = alert_of(headline, standfirst, text.replace("\\", ""))
    raw = wire(alerts.alert(made, "en"))
    plain, html = parts(raw)
    assert read(raw)["Subject"] == headline.strip()
    spaced = " ".join(plain.split())
    assert " ".join(headline.split()) in spaced
    assert " ".join(standfirst.split()) in spaced
    assert " ".join(headline.split()) in " ".join(Seen(html).text.split())
    assert raw.count(b"\r\nTo: ") == raw.count(b"\r\nSubject: ") == 1


@pytest.mark.parametrize(
    "control", ["\r\nBcc: x@y.example", "\n", "\r", "\0", "\x1b", "\x7f", "\u2028", "\ud800"]
)
def test_a_headline_that_cannot_be_mailed_is_told(newsroom: Newsroom, control: str) -> None:
    with pytest.raises(
        ValueError, match=r"^Subject: the character U\+[0-9A-F]{4} can't stand in a header$"
    ):
        alerts.alert(alert_of(f"Bridge{control} closed", "", "x"), "en")


def test_a_story_without_headline_or_without_end_is_told(newsroom: Newsroom) -> None:
    with pytest.raises(ValueError, match=r"^Subject: a story needs a headline$"):
        alerts.alert(alert_of(" ", "", "x"), "en")
    with pytest.raises(ValueError, match=r"^the text is longer than 50000 characters$"):
        alerts.alert(alert_of("x", "", "x" * 10_000_000), "en")


def test_control_characters_in_the_text_are_left_out(newsroom: Newsroom) -> None:
    plain, html = parts(
        wire(alerts.alert(alert_of("x", "a\0b\r\nc", "d\0e\x1bf \ud800g\n.\nFrom h"), "en"))
    )
    assert "ab c" in plain
    assert "def \ufffdg . From h" in plain
    assert "def \ufffdg" in html


# -- the preview -----------------------------------------------------------------------------------


def test_the_preview_is_what_is_mailed(story: Story, alert: Alert) -> None:
    preview = previews.preview(story, "en")
    plain, html = parts(wire(alerts.alert(alert, "en")))
    mailed = read(wire(alerts.alert(alert, "en")))

    def timeless(text: str) -> str:
        text = re.sub(r"/(leave|preferences|follow|mute)/[0a-z-]+/", r"/\1/", text)
        return re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d CES?T", "now", text)

    assert preview.subject == mailed["Subject"]
    assert timeless(preview.text) == timeless(plain)
    assert timeless(in_one_line(preview.html)) == timeless(html)
    assert preview.preheader == "Breaking: " + story.standfirst
    assert preview.size == len(preview.html.encode())
    assert not preview.too_long


def test_the_preview_warns_of_what_mail_programs_cut_off(story: Story) -> None:
    story.text = "Слово за слово. " * 3000
    assert previews.preview(story).too_long


def test_the_preview_speaks_the_storys_language_unless_told(story: Story) -> None:
    story.language = "de"
    assert '<html lang="de"' in previews.preview(story).html
    assert '<html lang="en"' in previews.preview(story, "en").html
