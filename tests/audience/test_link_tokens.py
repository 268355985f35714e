"""Tokens can't be forged, and none made for one row, purpose or key is good for another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from morefollows.audience.link_tokens.alert_tokens import AlertTokens, Person
from morefollows.audience.link_tokens.tokens import (
    ALL_TOPICS,
    CONFIRM_LENGTH,
    DRILLS,
    LEAVE_LENGTH,
    OFFERS,
    RECEIPT_LENGTH,
    ReadToken,
    TokenRow,
    Tokens,
)

OURS = Tokens({1: b"k" * 32, 2: b"l" * 32}, b"r" * 32)
THEIRS = Tokens({1: b"j" * 32, 2: b"i" * 32}, b"s" * 32)
OF_BEFORE = Tokens({1: b"k" * 32}, b"r" * 32)
UIDS = st.binary(min_size=16, max_size=16).filter(any)
READERS = st.builds(TokenRow, st.integers(0, 2**40 - 1), UIDS)
THINGS = st.builds(TokenRow, st.integers(1, 2**32 - 1), UIDS)
VERSIONS = st.integers(0, 2**32 - 1)

READING: dict[str, Callable[[str], ReadToken | None]] = {
    "leave": OURS.read_leave,
    "preferences": OURS.read_preferences,
    "story": OURS.read_story,
    "new address": OURS.read_new_address,
    "confirm": OURS.read_confirm,
    "invitation": OURS.read_invitation,
    "receipt": OURS.read_receipt,
}


def all_of(tokens: Tokens, reader: TokenRow, thing: TokenRow, version: int) -> dict[str, bytes]:
    return {
        "leave": tokens.leave(reader, thing),
        "leave all": tokens.leave(reader, ALL_TOPICS),
        "leave offers": tokens.leave(reader, OFFERS),
        "leave drills": tokens.leave(reader, DRILLS),
        "preferences": tokens.preferences(reader, version),
        "story": tokens.story(reader, thing),
        "new address": tokens.new_address(reader),
        "confirm": tokens.confirm(reader),
        "invitation": tokens.invitation(reader),
        "receipt": tokens.receipt(thing, reader),
        "receipt of a letter": tokens.letter_receipt(reader),
    }


def good(token: str, reader: TokenRow, thing: TokenRow) -> list[str]:
    """As what it is read, and proved by these rows."""
    found = []
    for kind, read in READING.items():
        claimed = read(token)
        if claimed is None or claimed.row != reader.id:
            continue
        names_thing = kind in ("story", "receipt", "leave") and claimed.other
        if names_thing and claimed.other != thing.id:
            continue
        if claimed.proves(reader.uid, thing.uid if names_thing else None):
            found.append(kind)
    return found


@given(READERS, THINGS, VERSIONS)
def test_each_comes_back_as_what_it_was_and_as_nothing_else(
    reader: TokenRow, thing: TokenRow, version: int
) -> None:
    for name, token in all_of(OURS, reader, thing, version).items():
        kind = next(kind for kind in READING if name.startswith(kind))
        assert good(token.decode(), reader, thing) == [kind]
    read = OURS.read_leave(OURS.leave(reader, OFFERS).decode())
    assert read and read.about == OFFERS
    claimed = OURS.read_preferences(OURS.preferences(reader, version).decode())
    assert claimed and claimed.other == version


@given(READERS, THINGS, VERSIONS)
def test_those_of_a_kind_are_of_one_length_and_fit_a_return_path(
    reader: TokenRow, thing: TokenRow, version: int
) -> None:
    lengths = {name: len(token) for name, token in all_of(OURS, reader, thing, version).items()}
    assert {length for name, length in lengths.items() if "receipt" not in name} == {
        LEAVE_LENGTH,
        CONFIRM_LENGTH,
    }
    assert lengths["receipt"] == lengths["receipt of a letter"] == RECEIPT_LENGTH <= 62
    assert OURS.receipt(thing, reader).decode() == OURS.receipt(thing, reader).decode().lower()


@given(READERS, THINGS, UIDS, VERSIONS)
def test_none_is_good_for_another_row_of_the_same_number(
    reader: TokenRow, thing: TokenRow, uid: bytes, version: int
) -> None:
    assume(uid not in (reader.uid, thing.uid))
    another = reader._replace(uid=uid)
    for name, token in all_of(OURS, reader, thing, version).items():
        assert good(token.decode(), another, thing) == [], name
        if name in ("leave", "story", "receipt"):
            assert good(token.decode(), reader, thing._replace(uid=uid)) == [], name
        for read in READING.values():
            claimed = read(token.decode())
            assert claimed is None or not claimed.proves(None, None)


@given(READERS, THINGS, VERSIONS, st.data())
def test_any_changed_character_is_refused(
    reader: TokenRow, thing: TokenRow, version: int, data: st.DataObject
) -> None:
    for token in all_of(OURS, reader, thing, version).values():
        place = data.draw(st.integers(0, len(token) - 1))
        other = chr(data.draw(st.integers(0, 255)))
        forged = token[:place].decode() + other + token[place + 1 :].decode()
        assert forged == token.decode() or good(forged, reader, thing) == []


@given(READERS, THINGS, VERSIONS, st.data())
def test_what_mail_programs_do_to_a_link_is_refused(
    reader: TokenRow, thing: TokenRow, version: int, data: st.DataObject
) -> None:
    for token in (one.decode() for one in all_of(OURS, reader, thing, version).values()):
        cut = data.draw(st.integers(0, len(token) - 1))
        last = "B" if token[-1] == "A" else "A"
        spoilt = {
            token[:cut],
            token + "=",
            token + "A",
            " " + token,
            token[:-1] + last,
            token[1:] + token[0],
        }
        spoilt |= {
            token.upper(),
            token.lower(),
            token.swapcase(),
            token.replace("-", "+"),
            token.replace("_", "/"),
        }
        for one in spoilt - {token}:
            assert good(one, reader, thing) == []


@given(READERS, THINGS, VERSIONS)
def test_another_key_makes_nothing_of_ours(reader: TokenRow, thing: TokenRow, version: int) -> None:
    for token in all_of(THEIRS, reader, thing, version).values():
        assert good(token.decode(), reader, thing) == []


@given(READERS, THINGS, VERSIONS)
def test_links_of_an_older_key_are_good_and_message_ids_stay(
    reader: TokenRow, thing: TokenRow, version: int
) -> None:
    before, now = all_of(OF_BEFORE, reader, thing, version), all_of(OURS, reader, thing, version)
    for name, token in before.items():
        assert good(token.decode(), reader, thing)
        assert (token == now[name]) is ("receipt" in name)
    for token in now.values():
        read_there = [OF_BEFORE.read_leave(token.decode()), OF_BEFORE.read_confirm(token.decode())]
        assert read_there == [None, None]


@given(st.text(max_size=60))
def test_any_text_is_refused_without_an_exception(text: str) -> None:
    assert not any(read(text) for read in READING.values())


@pytest.mark.parametrize("length", [LEAVE_LENGTH, RECEIPT_LENGTH])
def test_a_token_of_the_right_length_but_odd_characters_is_refused(length: int) -> None:
    for character in "\x00=é\ud800 A0":
        assert good(character * length, TokenRow(0, bytes(16)), TokenRow(0, bytes(16))) == []


@given(
    st.lists(st.tuples(st.integers(0, 2**40 - 1), UIDS, VERSIONS | st.just(1)), max_size=5),
    THINGS,
    THINGS | st.sampled_from((OFFERS, DRILLS)),
    THINGS,
)
def test_those_of_mails_are_the_same_as_each_by_itself(
    readers: list[Person], alert: TokenRow, about: TokenRow, story: TokenRow
) -> None:
    """Also where several links share a version and are made at once, and where there is none."""
    made = AlertTokens(OURS, alert, about, story)
    for _ in range(2):
        assert made(readers) == [
            (
                OURS.receipt(alert, TokenRow(number, uid)),
                OURS.leave(TokenRow(number, uid), about),
                OURS.preferences(TokenRow(number, uid), version),
                OURS.story(TokenRow(number, uid), story),
            )
            for number, uid, version in readers
        ]
