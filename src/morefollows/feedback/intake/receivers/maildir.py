"""Reads a Maildir: each file in `new` is taken in, then deleted or moved to `cur`.

A file that was stored and not yet deleted when the process was killed is read again; it is not
stored again, as its digest is known.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from morefollows.config.addresses.intake_address import IntakeAddress
from morefollows.feedback.intake import actions
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.intake.reading.mime import MOST_OCTETS
from morefollows.feedback.intake.receivers.mailbox import envelope_of

log = logging.getLogger(__name__)

_EVERY = 2  # seconds, by default
_AT_ONCE = 100  # files in one transaction
_REST = 30  # seconds after a failure


def run_maildir(receiver: IntakeAddress, stop: threading.Event) -> None:
    """Reads a folder until `stop` is set. Failures are noted, and it is tried again."""
    every = int(receiver.options.get("every", _EVERY))
    while not stop.is_set():
        try:
            while not stop.is_set():
                if not read_maildir(receiver):
                    actions.note_receiver(receiver.name)
                    stop.wait(every)
        except Exception as error:
            log.error("%s: %s", receiver.name, type(error).__name__)
            actions.note_receiver(receiver.name, f"{type(error).__name__}: {error}"[:200])
            stop.wait(_REST)


def read_maildir(receiver: IntakeAddress) -> int:
    """Takes in some files. Returns how many there were. Raises `OSError`."""
    folder = Path(receiver.folder)
    files = sorted(path for path in (folder / "new").iterdir() if not path.name.startswith("."))
    some = [path for path in files[:_AT_ONCE] if path.is_file()]
    arrived = []
    for path in some:
        with path.open("rb") as file:
            raw = file.read(MOST_OCTETS)
        arrived.append(Arrived(raw, envelope_of(raw), size=path.stat().st_size))
    if not arrived:
        return 0
    actions.take_in(receiver.name, arrived)
    for path in some:
        if receiver.options.get("then") == "cur":
            path.rename(folder / "cur" / f"{path.name}:2,S")
        else:
            path.unlink()
    return len(some)
