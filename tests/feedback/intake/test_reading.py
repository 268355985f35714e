"""What a mail that came back is: every sample, and whatever octets anybody may send."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morefollows.feedback.intake.reading import mime
from morefollows.feedback.intake.reading.returned_mail import read
from tests.feedback.intake.prose_samples import SAMPLES
from tests.feedback.intake.samples import Sample

OURS = {"alerts@herald.example"}


def test_there_are_enough_samples() -> None:
    assert len(SAMPLES) >= 150 and len({one.name for one in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)
def test_each_sample_is_read_for_what_it_is(sample: Sample) -> None:
    told = read(sample.raw, OURS)
    assert (told.kind, told.reason) == (sample.kind, sample.reason), told
    if sample.kind in ("bounce", "delayed", "complaint"):
        assert told.recipient == sample.recipient


def test_no_sample_of_a_live_mailbox_is_a_hard_bounce() -> None:
    assert not [
        one.name
        for one in SAMPLES
        if read(one.raw, OURS).reason == "hard"
        and not (one.kind == "bounce" and one.reason == "hard")
    ]


# -- whatever octets -------------------------------------------------------------------------------

_LINES = st.sampled_from(
    [
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        b'Content-Type: multipart/mixed; boundary="b"',
        b"Content-Type: message/rfc822",
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/feedback-report",
        b"Content-Type: text/html; charset=utf-7",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable",
        b"From: MAILER-DAEMON@x.example",
        b"Subject: =?utf-8?b?4oC?= =?x?q?=ff?=",
        b"Subject: Undelivered Mail",
        b"Final-Recipient: utf-8; \\x{110000}@x",
        b"Status: 5.1.1",
        b"--b",
        b"--b--",
        b"",
        b"<cy@reader.example>: 550 no such user",
    ]
)
_MAILS = st.one_of(
    st.binary(max_size=2000),
    st.lists(st.one_of(_LINES, st.binary(max_size=40)), max_size=60).map(b"\r\n".join),
)


@given(_MAILS)
@settings(max_examples=300)
def test_any_octets_are_read(raw: bytes) -> None:
    told = read(raw)
    assert told.group in ("hard", "soft", "other") and "\n" not in told.recipient


def _nested(depth: int, kind: bytes) -> bytes:
    heads = (
        b"Content-Type: %b; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, n, n) for n in range(depth)
    )
    return b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n" + b"".join(heads)


@pytest.mark.parametrize(
    "raw",
    [
        _nested(5000, b"multipart/mixed"),
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 200_000,
        b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\r\n\r\n",
        b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n" + b"user " * 100_000,
        b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n" + b"a" * 600_000,
        b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n" + b"a@" * 300_000,
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<style" * 100_000,
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<a " * 200_000,
        b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n" + b" \t" * 300_000,
        b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n" + b"mailbox of " * 50_000,
        b"X: y\r\n" * 100_000,
        b"From: a@b.example\r\nSubject: Re: x\r\n\r\n" + b"On x" * 150_000,
        b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n"
        + b"The header of the " * 30_000,
    ],
    ids=lambda raw: raw[-12:].decode("latin-1").strip(),
)
def test_no_mail_takes_long(raw: bytes) -> None:
    """Processor time of this thread, so that a busy machine does not matter."""
    begun = time.thread_time()
    read(raw)
    assert time.thread_time() - begun < 3


def test_fifty_megabytes_take_no_more_memory_than_what_is_read_of_them() -> None:
    raw = SAMPLES[0].raw + b"x" * 50_000_000
    tracemalloc.start()
    told = read(raw)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told.kind == "bounce" and peak < 20 * mime.MOST_OCTETS
