"""Tokens can't be forged: one flipped bit, another kind, another key, and they are nothing."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from morefollows.audience.tokens import CONFIRM_LENGTH, DRILLS, LEAVE_LENGTH, OFFERS, RECEIPT_LENGTH, Tokens

OURS = Tokens(b"k" * 32)
THEIRS = Tokens(b"j" * 32)
READERS = st.integers(0, 2**48 - 1)
TOPICS = st.integers(0, 2**32 - 1)


def read_all(token: str) -> list[object]:
    return [OURS.read_leave(token), OURS.read_confirm(token), OURS.read_receipt(token)]


@given(READERS, TOPICS)
def test_each_comes_back_as_what_it_was_and_as_nothing_else(reader: int, topic: int) -> None:
    leave, confirm, receipt = OURS.leave(reader, topic), OURS.confirm(reader), OURS.receipt(topic, reader)
    assert (len(leave), len(confirm), len(receipt)) == (LEAVE_LENGTH, CONFIRM_LENGTH, RECEIPT_LENGTH)
    assert read_all(leave.decode()) == [(reader, topic), None, None]
    assert read_all(confirm.decode()) == [None, (reader,), None]
    assert read_all(receipt.decode()) == [None, None, (topic, reader)]
    assert read_all(OURS.letter_receipt(reader).decode()) == [None, None, (0, reader)]


@given(READERS, TOPICS, st.data())
def test_any_changed_character_is_refused_but_for_the_case_of_a_receipt(
    reader: int, topic: int, data: st.DataObject
) -> None:
    for token in (OURS.leave(reader, topic), OURS.confirm(reader), OURS.receipt(topic, reader)):
        place = data.draw(st.integers(0, len(token) - 1))
        other = chr(data.draw(st.integers(0, 255)))
        forged = token[:place].decode() + other + token[place + 1 :].decode()
        same = forged.lower() == token.decode() if len(token) == RECEIPT_LENGTH else forged == token.decode()
        assert same or read_all(forged) == [None, None, None]


@given(READERS, TOPICS)
def test_another_key_makes_nothing_of_ours(reader: int, topic: int) -> None:
    for token in (THEIRS.leave(reader, topic), THEIRS.confirm(reader), THEIRS.receipt(topic, reader)):
        assert read_all(token.decode()) == [None, None, None]


@given(st.text(max_size=60))
def test_any_text_is_refused_without_an_exception(text: str) -> None:
    assert read_all(text) == [None, None, None]


@pytest.mark.parametrize("length", [LEAVE_LENGTH, RECEIPT_LENGTH])
def test_a_token_of_the_right_length_but_odd_characters_is_refused(length: int) -> None:
    for character in "\x00=é\ud800 ":
        assert read_all(character * length) == [None, None, None]


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**48 - 1), st.integers(0, 2**32 - 1))
def test_a_token_is_its_facts_and_a_cmac_of_them(key: bytes, reader: int, topic: int) -> None:
    raw = base64.urlsafe_b64decode(Tokens(key).leave(reader, topic))
    mac = CMAC(AES(key))
    mac.update(raw[:11])
    mac.verify(raw[11:])


@given(
    st.lists(st.tuples(READERS, TOPICS), min_size=1, max_size=5),
    TOPICS,
    TOPICS | st.sampled_from((OFFERS, DRILLS)),
    TOPICS,
)
def test_those_of_mails_are_the_same_as_each_by_itself(
    readers: list[tuple[int, int]], alert: int, topic: int, story: int
) -> None:
    assert OURS.of_alert(alert, topic, story)(readers) == [
        (
            OURS.receipt(alert, reader),
            OURS.leave(reader, topic),
            OURS.preferences(reader, version),
            OURS.story(reader, story),
        )
        for reader, version in readers
    ]
