"""Many sign-ups at once: together on disk, and each as if it had come alone."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from morefollows.audience import actions
from morefollows.audience.addresses import parse
from morefollows.audience.consent import texts
from morefollows.audience.models import Consent, Letter, Reader, Subscription, Suppression, Topic
from morefollows.audience.signup import new_readers, writer
from morefollows.audience.signup.form_tokens import ShownWords, words_of
from morefollows.audience.signup.new_readers import FormOrigin, Newcomer
from morefollows.audience.signup.writer import SignUpRequest, SignUpResult
from tests.audience.support import CY

PLACE = FormOrigin("https://alerts.herald.example/story/1/", "box 1", "192.0.2.7")


def rows() -> list[list[dict[str, Any]]]:
    """All that was written, without keys, times and secrets."""
    hidden = ("id", "reader_id", "created_at", "at", "since", "due_at_ms", "key", "uid")
    return [
        [
            {name: value for name, value in row.items() if name not in hidden}
            for row in model.objects.values()
        ]
        for model in (Reader, Subscription, Consent, Letter)
    ]


@pytest.mark.parametrize("offers", [False, True])
def test_a_newcomer_is_noted_as_anybody_else(breaking: Topic, offers: bool) -> None:
    shown = texts.in_force("de")
    actions.sign_up(
        CY, topic=breaking, offers=offers, language="de", page=PLACE.page, client_address=PLACE.client_address,
        form_version=PLACE.form_version, shown=shown,
    )  # fmt: skip
    alone = rows()
    for model in (Letter, Subscription):
        model.objects.all().delete()
    reader = Reader.objects.get()
    Reader.objects.filter(pk=reader.pk).update(key="of another", address="x")
    before = [len(found) for found in rows()]
    assert new_readers.write_rows(
        new_readers.build_rows([Newcomer(parse(CY), breaking, offers, "de", PLACE, shown)])
    ) == [True]
    together = [
        found[number:] for found, number in zip(rows(), [before[0], 0, before[2], 0], strict=True)
    ]
    assert together == alone


def test_others_get_twice_the_time_for_which_a_group_kept_them_from_writing(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, where one process writes at a time. While the next is made ready nothing is locked."""
    clock = [1000.0]
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def slow(call: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        def called(*given: Any) -> Any:
            clock[0] += seconds
            return call(*given)

        return called

    monkeypatch.setattr(new_readers, "build_rows", slow(new_readers.build_rows, 0.125))
    monkeypatch.setattr(new_readers, "write_rows", slow(new_readers.write_rows, 0.25))
    three = texts.in_force("en")
    seen = words_of(breaking.uid, *(words.digest for words in three))
    shown = ShownWords(breaking.pk, *(words.pk for words in three), "en", seen)
    own = "https://alerts.herald.example"
    for _ in range(2):
        writer._receive(
            [
                SignUpRequest(
                    parse("zoe@reader.example"), False, shown, own, own + "/", "2", "", None
                )
            ]
        )
        assert writer._pause() == (0.375 if connection.vendor == "sqlite" else 0.0)


def test_each_of_a_group_gets_its_own_answer(breaking: Topic, cy: Reader) -> None:
    three = texts.in_force("en")
    seen = words_of(breaking.uid, *(words.digest for words in three))
    shown = ShownWords(breaking.pk, *(words.pk for words in three), "en", seen)
    Suppression.objects.create(
        key=parse("gone@reader.example").key, reason="complained", at=timezone.now()
    )

    def asked(address: str, **changes: Any) -> SignUpRequest:
        own = "https://alerts.herald.example"
        return SignUpRequest(parse(address), False, shown, own, own + "/", "2", "", None)._replace(
            **changes
        )

    verdicts = writer._receive(
        [
            asked("zoe@reader.example"),
            asked("gone@reader.example"),
            asked("evil@reader.example", origin="https://evil.example"),
            asked(CY),
            asked("ann@reader.example", shown=shown._replace(offers=999_999)),
            asked("ida@reader.example", shown=shown._replace(words=b"other one")),
            asked("zoe@reader.example"),
            asked("bob@reader.example"),
        ]
    )
    assert verdicts == [
        SignUpResult.NOTED, SignUpResult.NOTED, SignUpResult.UNKNOWN_SITE, SignUpResult.NOTED,
        SignUpResult.UNKNOWN_FORM, SignUpResult.UNKNOWN_FORM, SignUpResult.NOTED, SignUpResult.NOTED,
    ]  # fmt: skip
    assert sorted(Reader.objects.values_list("address", flat=True)) == [
        "bob@reader.example",
        CY,
        "zoe@reader.example",
    ]
    assert Letter.objects.count() == 2
