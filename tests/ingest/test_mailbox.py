"""Mailboxes as sources, with a Dovecot of our own: nothing twice, nothing lost, nothing marked."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from morefollows.audience.models import Topic
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.ingest.pipeline import decide_waiting
from morefollows.ingest.sources import mailbox
from morefollows.ingest.sources.actions import add_source
from tests.support.dovecot import Dovecot
from tests.support.waiting import PATIENCE, until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="Dovecot needs root"),
    pytest.mark.django_db(transaction=True),
]


def mail(number: int) -> bytes:
    return (
        f"From: Police <press@police.example>\r\nSubject: Road {number} closed after a crash\r\n"
        f"Message-ID: <{number}@police.example>\r\nDate: Sat, 28 Nov 2026 20:06:54 +0000\r\n\r\n"
        f"Road {number} is closed in both directions after a crash, police said.\r\n"
    ).encode()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    server.add("desk")
    server.start()
    server.deliver("desk", mail(1))
    yield server
    server.stop()


@pytest.fixture
def source(dovecot: Dovecot, breaking: Topic) -> Source:
    address = f"imap://desk:anything@127.0.0.1:{dovecot.imap}/INBOX"
    return add_source("Police", "imap", address=address, by=None, topic=breaking)


def headlines() -> list[str]:
    return list(ReceivedItem.objects.order_by("pk").values_list("headline", flat=True))


def test_each_mail_is_read_once_and_stays_unread(dovecot: Dovecot, source: Source) -> None:
    with mailbox.open_mailbox(source) as box:
        first = mailbox.read_new(source, box)
        assert first == len(headlines()) >= 1
        dovecot.deliver("desk", mail(2))
        assert (mailbox.read_new(source, box), mailbox.read_new(source, box)) == (1, 0)
    assert headlines()[-1] == "Road 2 closed after a crash"
    source.refresh_from_db()
    with mailbox.open_mailbox(source) as box:  # as after a restart
        assert mailbox.read_new(source, box) == 0
    names = [path.name for path in (dovecot.place / "mail" / "desk").glob("*/*:2,*")]
    assert names and not any("S" in name.rpartition(":2,")[2] for name in names)
    decide_waiting()
    assert set(ReceivedItem.objects.values_list("decision", flat=True)) == {"draft"}


def test_a_folder_that_was_made_anew_is_read_again_and_nothing_comes_twice(
    dovecot: Dovecot, source: Source
) -> None:
    with mailbox.open_mailbox(source) as box:
        before = mailbox.read_new(source, box)
        source.position = {**source.position, "validity": 1}
        assert mailbox.read_new(source, box) == 0
    assert ReceivedItem.objects.count() == before


def test_a_new_mail_comes_by_idle(dovecot: Dovecot, source: Source) -> None:
    stop, received = threading.Event(), threading.Event()

    def run() -> None:
        try:
            mailbox.run_mailbox(source, stop, received.set)
        finally:
            connection.close()

    reading = threading.Thread(target=run, daemon=True)
    reading.start()
    try:
        assert received.wait(PATIENCE)  # what was there
        received.clear()
        dovecot.deliver("desk", mail(3))
        until("the new mail", received.is_set)
    finally:
        stop.set()
        reading.join(PATIENCE)
    assert "Road 3 closed after a crash" in headlines()


def test_a_mail_that_cannot_be_read_is_kept_for_editors(dovecot: Dovecot, source: Source) -> None:
    dovecot.deliver("desk", b"Subject: nothing\r\n\r\n")
    with mailbox.open_mailbox(source) as box:
        mailbox.read_new(source, box)
    assert ReceivedItem.objects.filter(decision="unreadable").count() == 1
