"""Reads a mailbox by IMAP (RFC 3501), with a password or XOAUTH2, and waits with IDLE (RFC 2177).

How far the folder was read is stored with the mails, in one transaction, as UIDVALIDITY and UID.
So nothing is read twice, and nothing is lost when the process is killed. Flags are not trusted.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from morefollows.config.addresses.intake_address import IntakeAddress
from morefollows.feedback.intake import actions
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.intake.reading.mime import MOST_OCTETS, headers_of
from morefollows.feedback.models import Receiver
from morefollows.helpers.imap_idle import wait_for_mail

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

log = logging.getLogger(__name__)

_EVERY = 30  # seconds between two looks, by default; with IDLE a new mail is told at once
_CONNECT_SECONDS = 30
_AT_ONCE = 50  # mails in one transaction
_RESTS = (5, 15, 60, 300)  # seconds after failures in a row
_ENVELOPE = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "to",
)


class MailboxReader:
    """Reads one folder, in a thread of its own. `token` returns an access token for XOAUTH2."""

    def __init__(
        self, receiver: IntakeAddress, stop: threading.Event, token: Callable[[], str] | None = None
    ) -> None:
        self._receiver, self._stop, self._token = receiver, stop, token

    def run(self) -> None:
        """Reads until `stop` is set. Failures are noted, and the mailbox is tried again."""
        failures = 0
        while not self._stop.is_set():
            try:
                with connect_to_mailbox(self._receiver, self._token) as mailbox:
                    while not self._stop.is_set():
                        read_folder(self._receiver, mailbox)
                        failures = 0
                        self._wait(mailbox)
            except Exception as error:
                failures += 1
                trouble = f"{type(error).__name__}: {error}"[:200]
                log.error("%s: %s", self._receiver.name, type(error).__name__)
                actions.note_receiver(self._receiver.name, trouble)
                self._stop.wait(_RESTS[min(failures, len(_RESTS)) - 1])

    def _wait(self, mailbox: BaseMailBox) -> None:
        """Returns when there may be a new mail, or after a while."""
        seconds = int(self._receiver.options.get("every", _EVERY))
        if "IDLE" not in mailbox.client.capabilities:
            self._stop.wait(seconds)
            return
        wait_for_mail(mailbox, seconds, self._stop.is_set)


def connect_to_mailbox(
    receiver: IntakeAddress, token: Callable[[], str] | None = None
) -> BaseMailBox:
    """Signs in and opens the folder. `token`: for XOAUTH2. Raises what imaplib raises."""
    from imap_tools import MailBox, MailBoxUnencrypted

    mailbox: BaseMailBox
    if receiver.scheme == "imaps":
        context = ssl.create_default_context()
        if receiver.options.get("verify") == "no":
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        mailbox = MailBox(
            receiver.host, receiver.port, timeout=_CONNECT_SECONDS, ssl_context=context
        )
    else:
        mailbox = MailBoxUnencrypted(receiver.host, receiver.port, timeout=_CONNECT_SECONDS)
    folder = receiver.folder or "INBOX"
    if token is not None:
        return mailbox.xoauth2(receiver.user, token(), folder)
    return mailbox.login(receiver.user, receiver.password, folder)


def read_folder(receiver: IntakeAddress, mailbox: BaseMailBox) -> int:
    """Takes in the folder's new mails. Returns how many were new."""
    client: Any = mailbox.client
    validity = _uid_validity(client, receiver.folder or "INBOX")
    known = Receiver.objects.filter(name=receiver.name).first()
    last = known.last_uid if known is not None and known.uid_validity == validity else 0
    new = 0
    uids = _new_uids(client, last)
    for begin in range(0, len(uids), _AT_ONCE):
        some = uids[begin : begin + _AT_ONCE]
        arrived = [one for uid in some for one in _fetch(client, uid)]
        new += actions.take_in(receiver.name, arrived, uid_validity=validity, last_uid=some[-1])
        _after(receiver, mailbox, some)
    if not uids:
        actions.note_receiver(receiver.name)
    return new


def _uid_validity(client: Any, folder: str) -> int:
    _kind, data = client.response("UIDVALIDITY")
    if not data or data[0] is None:
        _kind, data = client.status(f'"{folder}"', "(UIDVALIDITY)")
    digits = "".join(chr(byte) for byte in data[0].split(b"UIDVALIDITY")[-1] if 48 <= byte <= 57)
    return int(digits or 1)


def _new_uids(client: Any, last: int) -> list[int]:
    client.noop()  # has the server tell what is new
    kind, data = client.uid("SEARCH", None, f"UID {last + 1}:*")
    if kind != "OK":
        raise OSError("the folder can't be searched")
    # "n:*" always names the last mail, also if its UID is below n (RFC 3501 §6.4.8).
    return sorted(uid for uid in map(int, (data[0] or b"").split()) if uid > last)


def _fetch(client: Any, uid: int) -> Iterator[Arrived]:
    """Fetches one mail, up to `MOST_OCTETS`. It stays unread (BODY.PEEK)."""
    kind, data = client.uid("FETCH", str(uid), f"(RFC822.SIZE BODY.PEEK[]<0.{MOST_OCTETS}>)")
    if kind != "OK":
        raise OSError("a mail can't be fetched")
    for one in data:
        if isinstance(one, tuple):
            yield Arrived(one[1], envelope_of(one[1]), size=_size(one[0]) or len(one[1]))


def _size(fetched: bytes) -> int:
    digits = fetched.partition(b"RFC822.SIZE ")[2].split(b" ")[0].rstrip(b")")
    return int(digits) if digits.isdigit() else 0


def _after(receiver: IntakeAddress, mailbox: BaseMailBox, uids: list[int]) -> None:
    """Marks, deletes or moves mails that were taken in. If that fails, nothing is lost."""
    then = receiver.options.get("then", "seen")
    names = [str(uid) for uid in uids]
    if then == "seen":
        mailbox.flag(names, ["\\Seen"], True)
    elif then == "delete":
        mailbox.delete(names)
    elif then.startswith("move:"):
        mailbox.move(names, then.removeprefix("move:"))


def envelope_of(raw: bytes) -> str:
    """Returns the address that a mail was delivered to, as the last host noted it, or ""."""
    from morefollows.feedback.intake.reading.dsn_and_arf import address_in

    headers = headers_of(
        raw[:65536].partition(b"\n\r\n" if b"\n\r\n" in raw[:65536] else b"\n\n")[0]
    )
    found = [address_in(value[:2000]) for value in headers.all(*_ENVELOPE)]
    ours = [one for one in found if one.lower().startswith(("b+", "leave+"))]
    return next(iter([*ours, *filter(None, found)]), "")
