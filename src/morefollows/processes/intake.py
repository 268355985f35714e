"""The intake process: it takes in what comes back, judges it, and counts bounces.

Listeners run in the event loop; mailboxes, folders and judging in threads. Every write is one
transaction, so that it may be killed at any time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.audience.models import Newsroom
from morefollows.config.addresses.intake_address import IntakeAddress
from morefollows.courier.single_mail import MailNotTaken
from morefollows.feedback.intake import actions, bounce_flood, forwarding
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.intake.receivers.listener import BounceListener, own_domains
from morefollows.feedback.intake.receivers.mailbox import MailboxReader
from morefollows.feedback.intake.receivers.maildir import run_maildir
from morefollows.feedback.intake.receivers.oauth import AccessTokens
from morefollows.nodes import identity
from morefollows.nodes.heartbeat import NodeHeartbeat, wait_until_fit
from morefollows.nodes.models import NodeProcess
from morefollows.processes.probe_server import process_watched

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25  # between two looks for mail to judge: webhooks come in by the web process
_COUNT_SECONDS = 5.0  # between two looks for bounces to count
_NOTE_SECONDS = 60.0  # between two notes that listeners work
_REST_SECONDS = 2.0  # after a database error
_NICE = 5  # alerts go first


class NothingToTakeIn(Exception):
    """No receiver is set."""


def run_intake() -> None:
    """Runs until SIGTERM or SIGINT. Raises `NothingToTakeIn`, `OSError`."""
    if not settings.MOREFOLLOWS.intake:
        raise NothingToTakeIn
    role = NodeProcess.Role.INTAKE
    wait_until_fit(settings.MOREFOLLOWS.data, role)
    os.nice(_NICE)
    process = identity.this_process(settings.MOREFOLLOWS.data, 1, role)
    beating = NodeHeartbeat(process, role).start()
    try:
        asyncio.run(_Intake(settings.MOREFOLLOWS.intake).run())
    finally:
        beating.end()


class _Intake:
    def __init__(self, receivers: Sequence[IntakeAddress]) -> None:
        self._receivers = receivers
        self._stop = threading.Event()
        self._wake = threading.Event()  # something was taken in
        self._writer = ThreadPoolExecutor(1, "take-in")

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        domains = await loop.run_in_executor(self._writer, _domains)
        listeners = [
            BounceListener(receiver, domains, self._store)
            for receiver in self._receivers
            if receiver.scheme in _LISTENS
        ]
        for listener in listeners:
            await listener.open()
            log.info("%s listens", listener.receiver.name)
        threads = [self._thread("judging", self._judge)]
        threads += [
            self._thread(receiver.name, run)
            for receiver in self._receivers
            if (run := self._reader(receiver))
        ]
        async with process_watched("takes mail in"):
            await self._note_until(stopped, listeners)
        self._stop.set()
        self._wake.set()
        for listener in listeners:
            await listener.close()
        for thread in threads:
            await asyncio.to_thread(thread.join, 5.0)
        self._writer.shutdown(wait=True)

    async def _note_until(
        self, stopped: asyncio.Event, listeners: Sequence[BounceListener]
    ) -> None:
        """Notes from time to time that the listeners work."""
        loop = asyncio.get_running_loop()
        while not stopped.is_set():
            for listener in listeners:
                await loop.run_in_executor(self._writer, _note, listener.receiver.name)
                # The newsroom's address may have changed.
                listener.domains = await loop.run_in_executor(
                    self._writer, _domains_or, listener.domains
                )
            try:
                await asyncio.wait_for(stopped.wait(), _NOTE_SECONDS)
            except TimeoutError:
                continue

    def _thread(self, name: str, run: Callable[[], None]) -> threading.Thread:
        def closing() -> None:
            try:
                run()
            finally:
                connection.close()

        thread = threading.Thread(target=closing, name=name, daemon=True)
        thread.start()
        return thread

    def _reader(self, receiver: IntakeAddress) -> Callable[[], None] | None:
        """What reads this receiver in a thread; None for listeners and webhooks."""
        if receiver.scheme in ("imap", "imaps"):
            signs = receiver.options.get("auth") == "xoauth2"
            token = AccessTokens(receiver, settings.MOREFOLLOWS.data) if signs else None
            return MailboxReader(receiver, self._stop, token).run
        if receiver.scheme == "maildir":
            return lambda: run_maildir(receiver, self._stop)
        return None

    async def _store(self, receiver: str, arrived: Sequence[Arrived]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, actions.take_in, receiver, arrived)
        self._wake.set()

    def _judge(self) -> None:
        """Judges and counts, until the end. After a database error it goes on later."""
        counted_at = 0.0
        while not self._stop.is_set():
            try:
                judged = actions.judge_waiting(ours=_own_addresses())
                if time.monotonic() >= counted_at + _COUNT_SECONDS:
                    while bounce_flood.is_due() and bounce_flood.count_due():
                        pass
                    counted_at = time.monotonic()
                    self._forward()
            except AnyDatabaseError as error:
                log.error("what came back can't be judged now: %s", type(error).__name__)
                connection.close()
                self._stop.wait(_REST_SECONDS)
                continue
            if not judged:
                self._wake.wait(_LOOK_SECONDS)
                self._wake.clear()

    def _forward(self) -> None:
        """Forwards replies. If the relay does not take one, it is at the desk alone."""
        try:
            forwarding.forward_replies()
        except MailNotTaken as error:
            log.error("a reply can't be forwarded: %s", error)


_LISTENS = ("lmtp", "smtp")


def _note(receiver: str) -> None:
    try:
        actions.note_receiver(receiver)
    except AnyDatabaseError as error:
        log.error("the database can't be used: %s", type(error).__name__)


def _domains() -> frozenset[str]:
    """The domains of return paths and of the newsroom. Raises `django.db.Error`."""
    sender = Newsroom.objects.filter(pk=1).values_list("sender_address", flat=True).first()
    return own_domains(settings.MOREFOLLOWS.bounce_domain, sender or "")


def _domains_or(known: frozenset[str]) -> frozenset[str]:
    try:
        return _domains()
    except AnyDatabaseError:
        return known


def _own_addresses() -> list[str]:
    sender = Newsroom.objects.filter(pk=1).values_list("sender_address", flat=True).first()
    return [sender] if sender else []
