"""A mail is composed once and joined for each reader. Values put in can't break it."""

from __future__ import annotations

import email.header
import email.policy
import email.utils
import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from morefollows.courier.message.encoding import header_fields
from morefollows.courier.message.encoding.bodies import quoted_printable
from morefollows.courier.message.encoding.header_fields import mailbox, structured, unstructured
from morefollows.courier.message.template import LENGTHS, Composed, Placeholders, Slot
from tests.courier.message.support import CY, values

any_text = st.text(st.characters(codec="utf-8"))
one_line = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"))).map(
    str.strip
)


def header(field: bytes) -> str:
    """What a mail program shows of a field."""
    message = email.message_from_bytes(field + b"\r\n", policy=email.policy.default)
    (value,) = message.values()
    assert not value.defects
    return str(value)


# -- slots -----------------------------------------------------------------------------------------


def mail_with_slots() -> tuple[Placeholders, bytes]:
    placeholders = Placeholders()
    body = f"Read it: https://a.example/leave/{placeholders[Slot.LEAVE]}/\n" * 3
    message = (
        structured("To", f"<{placeholders[Slot.ADDRESS]}>")
        + structured("Message-ID", f"<{placeholders[Slot.RECEIPT]}@a.example>")
        + b"\r\n"
        + quoted_printable(body, placeholders.pattern)
    )
    return placeholders, message


def test_filling_gives_what_replacing_would() -> None:
    placeholders, message = mail_with_slots()
    filled = values(mark=b"k")
    wanted = message
    for slot in Slot:
        wanted = wanted.replace(placeholders[slot].encode(), filled[slot])
    composed = placeholders.cut(message)
    assert b"".join(composed.fill(filled)) == wanted
    assert wanted.count(b"/leave/" + filled[Slot.LEAVE] + b"/") == 3


def test_each_copy_is_its_own() -> None:
    placeholders, message = mail_with_slots()
    composed = placeholders.cut(message)
    first = composed.fill(values(b"cy@reader.example"))
    second = composed.fill(values(b"dot@reader.example"))
    assert b"cy@" in b"".join(first)
    assert b"cy@" not in b"".join(second)


@pytest.mark.parametrize("slots", [(), (Slot.LEAVE,), (Slot.LEAVE, Slot.ADDRESS, Slot.LEAVE)])
def test_any_number_of_slots(slots: tuple[Slot, ...]) -> None:
    composed = Composed([b"To: x\r\n\r\n", *[b"y\r\n"] * len(slots)], slots)
    filled = values()
    assert b"".join(composed.fill(filled)) == b"To: x\r\n\r\n" + b"".join(
        filled[h] + b"y\r\n" for h in slots
    )


def test_the_ledger_gets_back_what_it_was_given() -> None:
    placeholders, message = mail_with_slots()
    composed = placeholders.cut(message)
    kept = composed.to_bytes()
    assert Composed.from_bytes(kept) == composed
    for broken in (b"", kept[:3], kept[:-1], kept + b"x", b"MFC9" + kept[4:]):
        with pytest.raises(ValueError, match="composed mail"):
            Composed.from_bytes(broken)


@pytest.mark.parametrize(
    "content",
    [
        b"A: b\r\n\r\nbare\nline feed\r\n",
        b"A: b\r\n\r\nbare\rcarriage return\r\n",
        b"A: b\r\n\r\nno line end",
        b"A: b\r\n\r\n.dot\r\n",
        b"A: b\r\n\r\nsmuggled\r\n.\r\n",
        b"A: b\r\n\r\n\xc3\xa9\r\n",
        b"A: b\r\n\r\n\0\r\n",
        b"A: b\r\n\r\n" + b"x" * 999 + b"\r\n",
    ],
)
def test_what_may_not_reach_the_wire_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="a composed mail"):
        Composed([content], [])


def test_marks_cannot_be_guessed() -> None:
    assert Placeholders()[Slot.LEAVE] != Placeholders()[Slot.LEAVE]
    assert {slot: len(Placeholders()[slot]) for slot in Slot if LENGTHS[slot]} == {
        h: n for h, n in LENGTHS.items() if n
    }


# -- the body --------------------------------------------------------------------------------------


@given(any_text)
@example("From here\n.\n..\n trailing \n\ttab\t\n=3D\r\rend")
@example("€" * 200)
@example("x" * 72 + ".\n" + "x" * 73 + ".\n" + "x" * 73 + "From \n")
def test_any_text_comes_back_out_of_quoted_printable(text: str) -> None:
    raw = quoted_printable(text, Placeholders().pattern)
    lines = raw.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 76 and not line.startswith((b".", b"From ")) for line in lines)
    assert not re.search(rb"[ \t]\r\n|\r(?!\n)|(?<!\r)\n|[^\t\r\n -~]", raw)
    wanted = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
    assert quopri.decodestring(raw).replace(b"\r\n", b"\n").decode() == wanted


@given(
    st.lists(
        st.one_of(any_text, st.sampled_from([Slot.LEAVE, Slot.CONFIRM, Slot.RECEIPT])), max_size=12
    )
)
def test_a_hole_is_never_broken_over_two_lines(pieces: list[str | Slot]) -> None:
    placeholders = Placeholders()
    slots = [piece for piece in pieces if isinstance(piece, Slot)]
    text = "".join(placeholders[piece] if isinstance(piece, Slot) else piece for piece in pieces)
    composed = placeholders.cut(quoted_printable(text, placeholders.pattern))
    assert list(composed.slots) == slots
    filled = b"".join(composed.fill(values(mark=b"z")))
    assert all(len(line) <= 76 for line in filled.split(b"\r\n"))


# -- header fields ---------------------------------------------------------------------------------


@given(one_line)
@example("=?utf-8?q?forged?=")
@example("a  double  space " + "and a very long line " * 8 + "x")
@example("Überraschung " * 12 + "!")
@example("🏳️‍🌈" * 20)
@example("عاجل: إغلاق جسر الميناء بعد اصطدام عبارة بأحد أعمدته اليوم")
@example("x" * 950)
def test_any_line_comes_back_out_of_a_header(text: str) -> None:
    field = unstructured("Subject", text)
    lines = field.split(b"\r\n")[:-1]
    assert lines[0].startswith(b"Subject:")
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    assert field.isascii()
    for word in re.findall(rb"=\?utf-8\?[qb]\?[^?]*\?=", field):
        assert len(word) <= 75
        # whole characters
        email.header.decode_header(word.decode())[0][0].decode()  # type: ignore[union-attr]
        assert all(len(line) <= 76 for line in lines)
    if text.isascii() and max(map(len, text.split(" "))) < 60:
        assert all(len(line) <= 78 for line in lines)
    assert header(field) == text


@given(one_line)
@example('Ada "the Harbour" Marsh')
@example("back\\slash")
@example("Ännchen, of Tharau <x@y.example>")
@example("Herald. Inc.")
@example("=?utf-8?q?forged?=")
def test_any_name_comes_back_out_of_from(name: str) -> None:
    field = mailbox("From", name, "alerts@herald.example")
    unfolded = field.decode("ascii").replace("\r\n", "").removeprefix("From: ")
    shown, address = email.utils.parseaddr(unfolded)
    assert address == "alerts@herald.example"
    # The newer parser of Python 3.11 puts a space between two encoded words of a name; RFC 2047
    # §6.2 says none.
    assert str(email.header.make_header(email.header.decode_header(shown))) == " ".join(
        name.split()
    )
    assert all(len(line) <= 998 for line in field.split(b"\r\n"))


@given(any_text, st.sampled_from("\r\n\0\x1b\x7f\x85\u2028\u2029\t"), any_text)
def test_no_control_character_gets_into_a_header(before: str, control: str, after: str) -> None:
    text = f"a{before}{control}{after}b"
    for make in (unstructured, structured, lambda name, value: mailbox(name, value, "a@b.example")):
        with pytest.raises(ValueError, match=r"^X-Test: the character U\+|^X-Test: must be ASCII"):
            make("X-Test", text)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"^Subject: the character U\+000D can't stand in a header$"
    ):
        unstructured("Subject", "News\r\nBcc: everyone@example.org")
    with pytest.raises(
        ValueError, match=r"^Subject: the character U\+D83D can't stand in a header$"
    ):
        unstructured("Subject", "half a smile: \ud83d")
    with pytest.raises(ValueError, match=r"^List-Id: must be ASCII$"):
        structured("List-Id", "Eilmeldungen für alle <a.example>")
    with pytest.raises(ValueError, match=r"^From: not an address"):
        mailbox("From", "Ada", "ada@a.example>, <ben@b.example")


def test_a_date_always_has_the_length_of_its_hole() -> None:
    assert header_fields.date(1_795_501_800) == b"Tue, 24 Nov 2026 06:30:00 +0000"
    assert {len(header_fields.date(day * 86_400)) for day in range(0, 40_000, 7)} == {
        LENGTHS[Slot.DATE]
    }


def test_the_address_is_the_readers() -> None:
    placeholders, message = mail_with_slots()
    assert b"To: <cy@reader.example>\r\n" in b"".join(placeholders.cut(message).fill(values(CY)))
