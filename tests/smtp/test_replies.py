"""What a reply means: the table of the rules, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morefollows.courier.boundary import Reached, Reply
from morefollows.courier.replies import Verdict, verdict, without_addresses

ACCEPTED = Verdict("accepted", permanent=True)
RETRY = Verdict("deferred")
REQUEUE = Verdict("deferred", counts=False)
REFUSED = Verdict("refused", permanent=True)
GONE = Verdict("refused", permanent=True, gone=True)
PAUSE = Verdict("deferred", pause=True)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (250, "2.0.0", ACCEPTED),
        (251, "", ACCEPTED),
        (421, "", REQUEUE),
        (421, "4.7.28", REQUEUE),
        (450, "4.7.1", RETRY),
        (451, "4.2.2", RETRY),
        (452, "4.2.2", RETRY),
        (552, "5.2.2", RETRY),
        (552, "", RETRY),
        (552, "5.3.4", REFUSED),
        (550, "5.1.1", GONE),
        (550, "5.1.6", GONE),
        (556, "5.1.10", GONE),
        (550, "5.2.1", GONE),
        (550, "5.1.2", REFUSED),
        (550, "", REFUSED),
        (553, "5.1.3", REFUSED),
        (550, "5.6.7", REFUSED),
        (554, "5.6.0", REFUSED),
        (550, "5.7.515", PAUSE),
        (554, "5.7.1", PAUSE),
        (530, "5.7.0", PAUSE),
        (530, "", PAUSE),
        (535, "5.7.8", PAUSE),
    ],
)
def test_each_reply_has_its_verdict(code: int, status: str, expected: Verdict) -> None:
    for reached in (Reached.ENVELOPE, Reached.CONTENT):
        assert verdict(Reply(code, status, "", reached)) == expected


def test_silence_is_uncertain_only_after_the_content() -> None:
    assert verdict(Reply(0, "", "", Reached.CONTENT)) == Verdict("uncertain")
    assert verdict(Reply(0, "", "", Reached.RELAY)) == REQUEUE


@given(
    st.integers(0, 599),
    st.one_of(st.just(""), st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)),
    st.sampled_from(Reached),
)
def test_no_policy_refusal_ever_marks_a_reader_gone(code: int, status: str, reached: Reached) -> None:
    found = verdict(Reply(code, status, "", reached))
    assert found.outcome in ("accepted", "deferred", "refused", "uncertain")
    if found.gone:
        assert code >= 500
        assert status in ("5.1.1", "5.1.6", "5.1.10", "5.2.1")
        assert code not in (530, 535)
    if found.pause:
        assert not found.permanent
        assert not found.gone
    if found.outcome in ("deferred", "uncertain"):
        assert not found.permanent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<cy@reader.example>: no such user", "<…>: no such user"),
        ("cy@reader.example unknown", "… unknown"),
        ("user 'cy+news@reader.example' unknown", "user '…' unknown"),
        ('"cy smith"@reader.example is unknown', "… is unknown"),
        ("RCPT TO:<åsa@läsare.example> rejected", "RCPT TO:<…> rejected"),
        ("see https://relay.example/?who=cy%40reader.example now", "see https://relay.example/?… now"),
        ("b+cy=40reader.example@bounces.example", "…"),
        ("two\r\nlines\0and\x1b[31m colour", "two lines and [31m colour"),
        ("  queued as 4F2A  ", "queued as 4F2A"),
    ],
)
def test_a_relays_words_are_kept_without_addresses(text: str, expected: str) -> None:
    assert without_addresses(text) == expected


@given(st.text(), st.emails(), st.text())
def test_no_address_and_no_control_character_survives(before: str, address: str, after: str) -> None:
    line = without_addresses(f"{before} {address} {after}")
    assert "@" not in line
    assert line.isprintable()
    assert len(line) <= 200
