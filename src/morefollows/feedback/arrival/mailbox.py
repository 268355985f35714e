"""Looks into one seed inbox by IMAP (RFC 3501): its inbox, and its spam folder (RFC 6154).

When a mail came is told by the server in whole seconds and by its clock (INTERNALDATE), and by us
in the time between two looks. The later end of what both allow is taken.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.audience import seeds
from morefollows.audience.models import SeedInbox
from morefollows.database import clock
from morefollows.feedback.arrival import actions
from morefollows.feedback.intake.receivers.mailbox import connect_to_mailbox
from morefollows.feedback.intake.receivers.oauth import AccessTokens
from morefollows.feedback.models import SeedArrival

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

log = logging.getLogger(__name__)

_REST_SECONDS = 1.0  # between two looks while a mail may come at any moment
_IDLE_SECONDS = 1.0  # between two looks into the database when none is awaited
_SLOW_AFTER_MS = 180_000  # after the hold's end looks are rarer
_SLOW_SECONDS = 15.0
_KEPT_OPEN_SECONDS = 20.0  # for which a connection without anything awaited stays open
_RESTS = (2.0, 5.0, 15.0, 60.0)  # after failures in a row
_SPAM_NAMES = ("junk", "spam", "bulk", "[gmail]/spam", "junk e-mail", "junk email", "inbox.junk")
_DATE = re.compile(rb'INTERNALDATE "([^"]{20,30})"')


class SeedWatch:
    """Watches one seed inbox in a thread of its own until `stop` is set."""

    def __init__(self, seed: SeedInbox) -> None:
        self.seed = seed
        self.stop = threading.Event()
        self._looked_at_ms = 0  # the last look that was at both folders
        self._spam = seed.spam_folder
        threading.Thread(target=self._run, name=f"seed {seed.pk}", daemon=True).start()

    def differs(self, seed: SeedInbox) -> bool:
        """Whether it has to be connected to anew."""
        known = self.seed
        return (known.sealed_url, known.spam_folder) != (seed.sealed_url, seed.spam_folder)

    def _run(self) -> None:
        failures = 0
        while not self.stop.is_set():
            try:
                if self._awaited():
                    self._watch()
                failures = 0
                self.stop.wait(_IDLE_SECONDS)
            except AnyDatabaseError as error:
                log.error("seed inboxes can't be noted now: %s", type(error).__name__)
                connection.close()
                self.stop.wait(_RESTS[0])
            except Exception as error:  # whatever a mail server answers
                failures += 1
                log.error("seed inbox %s: %s", self.seed.name, type(error).__name__)
                trouble = f"{type(error).__name__}: {error}"[:300]
                self._note(trouble)
                self.stop.wait(_RESTS[min(failures, len(_RESTS)) - 1])
        connection.close()

    def _note(self, trouble: str) -> None:
        try:
            actions.note_state(self.seed, trouble)
        except AnyDatabaseError:
            connection.close()

    def _awaited(self) -> list[SeedArrival]:
        return actions.awaited(self.seed)

    def _watch(self) -> None:
        """Connects, and looks until nothing is awaited any more."""
        address = seeds.mailbox_of_seed(self.seed)
        signs = address.options.get("auth") == "xoauth2"
        token = AccessTokens(address, settings.MOREFOLLOWS.data) if signs else None
        with connect_to_mailbox(address, token) as mailbox:
            self._note("")
            idle_since = time.monotonic()
            while not self.stop.is_set():
                wanted = self._awaited()
                if not wanted:
                    if time.monotonic() - idle_since > _KEPT_OPEN_SECONDS:
                        return
                    self.stop.wait(_IDLE_SECONDS)
                    continue
                idle_since = time.monotonic()
                self._look(mailbox, address.folder or "INBOX", wanted)
                newest = clock.now_ms() - wanted[0].begun_at_ms
                self.stop.wait(_REST_SECONDS if newest < _SLOW_AFTER_MS else _SLOW_SECONDS)

    def _look(self, mailbox: BaseMailBox, inbox: str, wanted: Sequence[SeedArrival]) -> None:
        self._spam = self._spam or spam_folder(mailbox)
        begun_ms = clock.now_ms()
        for folder in (inbox, self._spam):
            if not folder:
                continue
            for arrival, uid, received_ms in found_in(mailbox, folder, wanted):
                at_ms = arrived_ms(received_ms, self._looked_at_ms, clock.now_ms())
                actions.note_found(arrival, spam=folder != inbox, at_ms=at_ms)
                if self.seed.cleans:
                    mailbox.delete([uid])
        self._looked_at_ms = begun_ms


def found_in(
    mailbox: BaseMailBox, folder: str, wanted: Sequence[SeedArrival]
) -> list[tuple[SeedArrival, str, int]]:
    """The awaited mails in a folder, each with its UID and when the server got it (ms, 1970)."""
    mailbox.folder.set(folder)
    client: Any = mailbox.client
    found = []
    for arrival in wanted:
        # HEADER finds a part of the field (RFC 3501 §6.4.4).
        kind, data = client.uid("SEARCH", None, "HEADER", "Message-ID", arrival.message_id)
        uids = (data[0] or b"").split() if kind == "OK" and data else []
        if uids:
            uid = uids[0].decode()
            found.append((arrival, uid, _received_ms(client, uid)))
    return found


def _received_ms(client: Any, uid: str) -> int:
    _kind, data = client.uid("FETCH", uid, "(INTERNALDATE)")
    response = b" ".join(one if isinstance(one, bytes) else b"" for one in data or ())
    found = _DATE.search(response)
    if found is None:
        return 0
    try:
        at = datetime.strptime(found[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return 0
    return int(at.timestamp() * 1000)


def arrived_ms(received_ms: int, looked_before_ms: int, now_ms: int) -> int:
    """When a mail came, that was not there at the look before, and is there now.

    `received_ms`: what the server tells, a whole second; 0: nothing. It is taken where it lies
    between both looks. Else the server's clock is off, and the mail came until now.
    """
    earliest, latest = received_ms, received_ms + 999
    if received_ms and earliest <= now_ms and latest >= looked_before_ms:
        return min(latest, now_ms)
    return now_ms


def spam_folder(mailbox: BaseMailBox) -> str:
    """The mailbox's spam folder: by its attribute \\Junk, else by its name; "" if it has none."""
    folders = mailbox.folder.list()
    for folder in folders:
        if any(flag.lower() == "\\junk" for flag in folder.flags):
            return str(folder.name)
    names = {folder.name.lower(): folder.name for folder in folders}
    return next((str(names[one]) for one in _SPAM_NAMES if one in names), "")
