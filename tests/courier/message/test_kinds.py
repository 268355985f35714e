"""Rules that hold for every kind of mail: templates, header fields and placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from morefollows.audience.models import Letter, Newsroom, Topic
from morefollows.courier.message import alert as alerts
from morefollows.courier.message.letters import KINDS, Occasion, letter
from morefollows.courier.message.template import LENGTHS, Composed, Slot
from morefollows.stories.models import Alert, UpdateKind
from tests.courier.message.support import head, parts, wire
from tools import mails

FIELDS = re.compile(rb"(?: |[A-Za-z][A-Za-z0-9-]*: ).*")
OF_UNKNOWN_LENGTH = {slot for slot in Slot if not LENGTHS[slot]}


def of_kind(kind: str, alert: Alert, language: str = "en") -> Composed:
    updates = (alert.update_id,) if KINDS[kind].bulk else ()
    topic = alert.topic_id if kind in (Letter.Kind.CONFIRMATION, Letter.Kind.THANKS) else None
    editor, story = alert.sent_by_id, alert.update.story_id  # of mail to editors
    return letter(Occasion(kind, language, topic, updates=updates, editor=editor, about=story))


def offer(alert: Alert) -> Composed:
    alert.topic = None
    return alerts.alert(alert, "en")


def update(kind: str) -> Callable[[Alert], Composed]:
    def composed(alert: Alert) -> Composed:
        alert.update.kind = kind
        return alerts.alert(alert, "en")

    return composed


ALL: dict[str, Callable[[Alert], Composed]] = {
    **{kind: lambda alert, kind=kind: of_kind(kind, alert) for kind in Letter.Kind.values},  # type: ignore[misc]
    **{f"alert: {kind}": update(kind) for kind in UpdateKind.values},
    "offer": offer,
}


def test_the_html_templates_are_what_make_mails_makes() -> None:
    assert {
        name: (mails.MADE / name).read_text(encoding="utf-8") for name in mails.compiled()
    } == mails.compiled()


def test_every_kind_of_letter_is_known() -> None:
    assert set(KINDS) == set(Letter.Kind.values)


@pytest.mark.parametrize("kind", Letter.Kind.values)
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_kind_of_letter_can_be_composed(alert: Alert, kind: str, language: str) -> None:
    raw = wire(of_kind(kind, alert, language))
    text, html = parts(raw)
    assert text and f'lang="{language}"' in html
    assert (b"Precedence: bulk" in head(raw)) == KINDS[kind].bulk


@pytest.mark.parametrize("name", ALL)
def test_what_has_no_fixed_length_stands_in_the_header_only(alert: Alert, name: str) -> None:
    """The length of a body is known before it is filled, and most of its hash for DKIM."""
    composed = ALL[name](alert)
    ends = next(n for n, part in enumerate(composed.parts) if b"\r\n\r\n" in part)
    assert ends > 0 and not OF_UNKNOWN_LENGTH & set(composed.slots[ends:])


@pytest.mark.parametrize("name", ALL)
def test_the_header_is_sound(alert: Alert, name: str) -> None:
    assert all(FIELDS.fullmatch(line) for line in head(wire(ALL[name](alert))))


@pytest.mark.parametrize("name", ALL)
def test_no_template_leaves_anything_out(
    alert: Alert, newsroom: Newsroom, breaking: Topic, name: str
) -> None:
    """Nothing that a template asks for is missing: Django would leave it out without a word."""
    from django.template import engines

    [engine] = [engine.engine for engine in engines.all()]
    engine.string_if_invalid = "MISSING"
    try:
        composed = ALL[name](alert)
    finally:
        engine.string_if_invalid = ""
    assert all("MISSING" not in part for part in parts(wire(composed)))
