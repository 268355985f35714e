"""What a reply means: the table of the rules, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morefollows.courier.relays.auto_pause import PROVIDERS, RefusalStreak
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.smtp.replies import (
    About,
    BounceKind,
    as_markdown,
    verdict,
    without_addresses,
)
from morefollows.courier.smtp.transactions.data import reply

MAIL, RCPT, DATA, CONTENT = Reached.MAIL, Reached.RCPT, Reached.DATA, Reached.CONTENT
ANYWHERE = (MAIL, RCPT, DATA, CONTENT)
DENIED = "<x@blocked.example>: Recipient address rejected: Access denied"
RATE = (
    "The user you are trying to contact is receiving mail at a rate that prevents additional "
    "messages"
)


def judged(reply: Reply) -> str:
    """A verdict in few words: outcome, about whom, and whether it is doubtful or a bounce."""
    found = verdict(reply)
    notes = [found.outcome, found.about.name.lower()]
    notes += ["doubtful"] if found.doubtful else []
    notes += [found.bounce.value] if found.bounce is not BounceKind.NO else []
    return " ".join(notes)


@pytest.mark.parametrize(
    ("at", "code", "status", "text", "expected"),
    [
        (ANYWHERE, 250, "2.0.0", "", "accepted mail"),
        ((RCPT,), 251, "", "", "accepted mail"),
        (ANYWHERE, 421, "4.7.28", "", "deferred relay"),
        ((MAIL,), 451, "4.7.1", "", "deferred relay"),
        ((RCPT, CONTENT), 450, "4.7.1", "", "deferred recipient"),
        ((MAIL,), 454, "4.7.0", "Temporary authentication failure", "deferred relay"),
        ((RCPT,), 451, "4.4.1", "", "deferred recipient"),
        # of a mailbox
        ((RCPT, CONTENT), 550, "5.1.1", "", "refused recipient hard"),
        ((RCPT,), 550, "5.1.6", "", "refused recipient hard"),
        ((RCPT,), 556, "5.1.10", "", "refused recipient hard"),
        ((RCPT,), 556, "", "null MX", "refused recipient hard"),
        ((RCPT,), 550, "5.1.2", "", "refused recipient perhaps"),
        ((RCPT,), 550, "5.2.1", "disabled", "refused recipient perhaps"),
        ((RCPT, CONTENT), 550, "5.2.1", RATE, "deferred provider"),
        ((RCPT,), 550, "5.1.1", "user temporarily unknown, try again later", "deferred provider"),
        ((RCPT,), 550, "", "4.2.1 the user is over rate", "deferred provider"),
        ((RCPT, CONTENT), 552, "5.2.2", "", "deferred recipient"),
        ((RCPT,), 552, "", "", "deferred recipient"),
        ((MAIL, RCPT), 552, "5.3.4", "", "refused mail"),
        ((RCPT,), 550, "5.3.2", "", "deferred recipient"),
        ((RCPT,), 550, "5.4.5", "", "deferred recipient"),
        ((RCPT,), 550, "5.4.4", "", "refused recipient doubtful"),
        ((RCPT,), 550, "5.0.0", "", "refused recipient doubtful"),
        ((RCPT,), 524, "5.2.4", "", "refused recipient"),
        ((RCPT,), 553, "5.1.3", "", "refused recipient"),
        ((RCPT,), 521, "", "", "refused recipient doubtful"),
        # of a recipient, or of its provider; of us, if many say so
        ((RCPT,), 554, "5.7.1", DENIED, "refused recipient doubtful"),
        ((RCPT,), 550, "", "Relaying denied", "refused recipient doubtful"),
        ((RCPT,), 554, "", "", "refused recipient doubtful"),
        ((RCPT,), 553, "", "sorry", "refused recipient doubtful"),
        ((RCPT,), 550, "5.7.25", "", "deferred recipient doubtful"),
        ((RCPT,), 553, "5.1.8", "sender's domain", "deferred recipient doubtful"),
        ((RCPT,), 550, "5.1.7", "", "deferred recipient doubtful"),
        ((RCPT,), 550, "5.7.27", "", "deferred recipient doubtful"),
        # of the connection
        ((RCPT, DATA), 503, "5.5.1", "Error: need MAIL command", "deferred recipient doubtful"),
        ((RCPT, CONTENT), 502, "", "not implemented", "deferred recipient doubtful"),
        ((DATA,), 554, "5.5.1", "Error: no valid recipients", "refused mail doubtful"),
        (
            (RCPT,),
            530,
            "5.7.0",
            "Must issue a STARTTLS command first",
            "deferred recipient doubtful",
        ),
        ((DATA, CONTENT), 550, "5.7.26", "", "deferred provider doubtful"),
        ((DATA, CONTENT), 550, "5.7.515", "", "deferred provider doubtful"),
        ((CONTENT,), 554, "5.7.1", "spam", "deferred provider doubtful"),
        ((CONTENT,), 554, "", "no", "refused mail doubtful"),
        ((CONTENT,), 554, "5.6.0", "", "refused mail"),
        # of us: the relay did not know the recipient yet
        ((MAIL,), 550, "5.7.1", "not on our list", "deferred us"),
        ((MAIL,), 530, "5.7.0", "Must issue a STARTTLS command first", "deferred us"),
        ((MAIL,), 535, "5.7.8", "", "deferred us"),
        ((MAIL,), 553, "5.1.8", "", "deferred us"),
        ((MAIL,), 554, "", "", "deferred us"),
        ((MAIL,), 550, "5.7.1", "sending rate exceeded", "deferred provider"),
        # of this relay, and of this mail: never offered
        ((Reached.ENVELOPE,), 550, "5.6.7", "", "refused mail"),
    ],
)
def test_each_reply_has_its_verdict(
    at: tuple[Reached, ...], code: int, status: str, text: str, expected: str
) -> None:
    for reached in at:
        assert judged(Reply(code, status, text, reached)) == expected


def test_silence_is_uncertain_only_after_the_content() -> None:
    assert judged(Reply(0, "", "", CONTENT)) == "uncertain relay"
    for reached in (Reached.RELAY, RCPT):
        assert judged(Reply(0, "", "", reached)) == "deferred relay"
        assert not verdict(Reply(0, "", "", reached)).counts


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"5.2.1 The user you try to contact\n5.2.1 is receiving mail at a rate", "5.2.1"),
        (b"Access denied\n5.1.1 no such user", "5.1.1"),
        (b"5.1.1 no such user\n5.7.1 or you are not welcome", ""),
        (b"4.2.1 not now", ""),
    ],
)
def test_lines_that_contradict_each_other_prove_nothing(said: bytes, status: str) -> None:
    found = reply(550, said, RCPT)
    assert found.status == status
    assert "5.2.1" not in found.text and "5.1.1" not in found.text


@given(
    st.integers(0, 599),
    st.one_of(st.just(""), st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)),
    st.text(),
    st.sampled_from(Reached),
)
def test_every_reply_has_a_verdict_and_none_blames_on_doubtful_grounds(
    code: int, status: str, text: str, reached: Reached
) -> None:
    found = verdict(Reply(code, status, text, reached))
    assert found.outcome in ("accepted", "deferred", "refused", "uncertain")
    if found.bounce is not BounceKind.NO:
        assert code >= 500 and reached in (RCPT, DATA, CONTENT)
        assert status in ("5.1.1", "5.1.6", "5.1.10", "5.2.1", "5.1.2") or code == 556
        assert code not in (530, 535) and not found.doubtful
    if found.about is About.US:
        assert reached is MAIL, "only before the relay knows the recipient it surely speaks of us"
        assert found.outcome == "deferred"
    assert found.permanent == (found.outcome in ("accepted", "refused"))


def test_the_table_in_the_documents_is_this_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "replies.md").read_text(
        encoding="utf-8"
    )
    assert as_markdown() in page, (
        "put what `python -m morefollows.courier.smtp.replies` prints into "
        "docs/reference/replies.md"
    )


_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["accept", "refuse", "other"]), st.integers(0, 9), st.integers(0, 50)
    ),
    max_size=60,
)


@given(_EVENTS)
def test_refusals_speak_of_us_only_for_many_providers_with_nothing_accepted_beside(
    events: list[tuple[str, int, int]],
) -> None:
    refusals = RefusalStreak()
    providers: set[int] = set()
    for what, provider, in_flight in events:
        if what == "accept":
            refusals.accepted()
            providers.clear()
        elif what == "other":
            if refusals.running:
                refusals.settled()
        else:
            if refusals.running:
                refusals.settled()
            providers.add(provider)
            if refusals.to_recipient(str(provider), in_flight):
                assert len(providers) >= PROVIDERS


@given(st.lists(st.booleans(), max_size=100), st.integers(0, 30))
def test_no_single_recipient_ever_pauses_a_relay(accepted: list[bool], in_flight: int) -> None:
    """Whatever else happens, and however often it is refused."""
    refusals = RefusalStreak()
    for yes in accepted:
        if yes:
            refusals.accepted()
        else:
            if refusals.running:
                refusals.settled()
            assert not refusals.to_recipient("blocked.example", in_flight)


def test_a_refused_recipient_waits_for_the_answers_beside_it() -> None:
    """RCPT is answered before content: five refusals mean little while 20 mails are accepted."""
    refusals = RefusalStreak()
    assert not any(refusals.to_recipient(f"{number}.example", 20) for number in range(12))
    for _ in range(20):
        refusals.settled()
    assert refusals.to_recipient("last.example", 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<cy@reader.example>: no such user", "<…>: no such user"),
        ("cy@reader.example unknown", "… unknown"),
        ("user 'cy+news@reader.example' unknown", "user '…' unknown"),
        ('"cy smith"@reader.example is unknown', "… is unknown"),
        ("RCPT TO:<åsa@läsare.example> rejected", "RCPT TO:<…> rejected"),
        (
            "see https://relay.example/?who=cy%40reader.example now",
            "see https://relay.example/?… now",
        ),
        ("b+cy=40reader.example@bounces.example", "…"),
        ("two\r\nlines\0and\x1b[31m colour", "two lines and [31m colour"),
        ("  queued as 4F2A  ", "queued as 4F2A"),
    ],
)
def test_a_relays_words_are_kept_without_addresses(text: str, expected: str) -> None:
    assert without_addresses(text) == expected


@given(st.text(), st.emails(), st.text())
def test_no_address_and_no_control_character_survives(
    before: str, address: str, after: str
) -> None:
    line = without_addresses(f"{before} {address} {after}")
    assert "@" not in line
    assert line.isprintable()
    assert len(line) <= 200
