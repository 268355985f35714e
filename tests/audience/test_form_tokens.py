"""What a form carries along can't be made, stretched or moved to another site."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morefollows.audience.form_tokens import FormTokens, Shown

TOKENS = FormTokens(b"k" * 32)
SITE = "https://www.herald.example"
NUMBERS = st.integers(0, 2**32 - 1)


@settings(max_examples=50)
@given(
    st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from(["en", "de", "pt-br"]),
    st.binary(min_size=9, max_size=9),
)
def test_a_statement_says_what_was_shown(numbers: tuple[int, int, int, int], language: str, words: bytes) -> None:
    shown = Shown(*numbers, language, words)
    assert TOKENS.read_statement(TOKENS.statement(shown)) == shown
    assert FormTokens(b"x" * 32).read_statement(TOKENS.statement(shown)) is None


def test_a_ticket_is_good_for_its_site_and_tells_its_age() -> None:
    ticket = TOKENS.ticket(SITE, 1_000.25)
    assert TOKENS.age(ticket, SITE, 1_003.25) == 3
    for other in ("https://herald.example", "http://www.herald.example", SITE + ":8443", "null", ""):
        assert TOKENS.age(ticket, other, 1_003.25) is None
    assert FormTokens(b"x" * 32).age(ticket, SITE, 1_003.25) is None
    assert FormTokens(b"x" * 32, b"k" * 32).age(ticket, SITE, 1_003.25) == 3, "made before the key was changed"


def test_there_is_one_way_only_to_write_one() -> None:
    for number in range(200):
        ticket = TOKENS.ticket(SITE, 1_000 + number)
        for other in {ticket.replace("-", "+"), ticket.replace("_", "/"), ticket.lower(), ticket + "="} - {ticket}:
            assert TOKENS.age(other, SITE, 1_300) is None


@pytest.mark.parametrize("at", range(24))
def test_not_one_byte_of_a_ticket_may_differ(at: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKENS.ticket(SITE, 1_000)))
    raw[at] ^= 1
    assert TOKENS.age(base64.urlsafe_b64encode(raw).decode(), SITE, 1_001) is None


@pytest.mark.parametrize("token", ["", "nonsense", "ä" * 32, "A" * 32, "A" * 60, "=" * 32, "A" * 5_000])
def test_anything_else_is_none_of_ours(token: str) -> None:
    assert TOKENS.age(token, SITE, 0) is None
    assert TOKENS.read_statement(token) is None


def test_one_never_passes_as_the_other() -> None:
    assert TOKENS.age(TOKENS.statement(Shown(1, 2, 3, 4, "en")), SITE, 0) is None
    assert TOKENS.read_statement(TOKENS.ticket(SITE, 0)) is None
