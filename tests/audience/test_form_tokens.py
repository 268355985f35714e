"""What a form carries along can't be made, stretched or moved to another site."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morefollows.audience.signup.form_tokens import FormStatement, FormTokens

TOKENS = FormTokens(b"k" * 32)
SITE = "https://www.herald.example"
NUMBERS = st.integers(0, 2**32 - 1)


@settings(max_examples=50)
@given(
    st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from(["en", "de", "pt-br"]),
    st.binary(min_size=9, max_size=9),
)
def test_a_statement_says_what_was_shown(
    numbers: tuple[int, int, int, int], language: str, words: bytes
) -> None:
    shown = FormStatement(*numbers, language, words)
    assert TOKENS.read_statement(TOKENS.sign_statement(shown)) == shown
    assert FormTokens(b"x" * 32).read_statement(TOKENS.sign_statement(shown)) is None


def test_a_ticket_is_good_for_its_site_and_tells_its_age() -> None:
    ticket = TOKENS.ticket(SITE, 1_000.25)
    assert TOKENS.age(ticket, SITE, 1_003.25) == 3
    for other in (
        "https://herald.example",
        "http://www.herald.example",
        SITE + ":8443",
        "null",
        "",
    ):
        assert TOKENS.age(ticket, other, 1_003.25) is None
    assert FormTokens(b"x" * 32).age(ticket, SITE, 1_003.25) is None
    assert FormTokens(b"x" * 32, b"k" * 32).age(ticket, SITE, 1_003.25) == 3, (
        "made before the key was changed"
    )


def test_there_is_one_way_only_to_write_one() -> None:
    for number in range(200):
        ticket = TOKENS.ticket(SITE, 1_000 + number)
        for other in {
            ticket.replace("-", "+"),
            ticket.replace("_", "/"),
            ticket.lower(),
            ticket + "=",
            "0" + ticket,
            ticket + "\n",
        } - {ticket}:
            assert TOKENS.age(other, SITE, 1_300) is None


def test_not_one_character_of_a_token_may_differ() -> None:
    ticket, statement = (
        TOKENS.ticket(SITE, 1_000),
        TOKENS.sign_statement(FormStatement(1, 2, 3, 4, "en")),
    )
    for at in range(len(ticket)):
        changed = ticket[:at] + ("0" if ticket[at] != "0" else "1") + ticket[at + 1 :]
        assert TOKENS.age(changed, SITE, 1_001) is None
    for at in range(len(statement)):
        changed = statement[:at] + ("0" if statement[at] != "0" else "1") + statement[at + 1 :]
        assert TOKENS.read_statement(changed) is None


def test_a_statement_is_the_same_for_the_same_words() -> None:
    shown = FormStatement(1, 2, 3, 4, "en", b"digest of")
    assert TOKENS.sign_statement(shown) == FormTokens(b"k" * 32).sign_statement(shown), (
        "caches keep the page that bears it"
    )


def test_both_can_be_read_after_the_key_was_changed() -> None:
    rotated, shown = FormTokens(b"x" * 32, b"k" * 32), FormStatement(1, 2, 3, 4, "en")
    assert rotated.read_statement(TOKENS.sign_statement(shown)) == shown
    assert rotated.age(TOKENS.ticket(SITE, 1_000), SITE, 1_001) == 1
    assert rotated.ticket(SITE, 1_000) != TOKENS.ticket(SITE, 1_000)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a:b",
        "1000:",
        ":",
        "\ud800:x",
        "ä" * 32,
        "A" * 32,
        "A" * 60,
        "=" * 32,
        "A" * 5_000,
    ],
)
def test_anything_else_is_none_of_ours(token: str) -> None:
    assert TOKENS.age(token, SITE, 0) is None
    assert TOKENS.read_statement(token) is None


def test_one_never_passes_as_the_other() -> None:
    assert TOKENS.age(TOKENS.sign_statement(FormStatement(1, 2, 3, 4, "en")), SITE, 0) is None
    assert TOKENS.read_statement(TOKENS.ticket(SITE, 0)) is None
