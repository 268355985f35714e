"""Takes in mails from an IMAP folder (RFC 3501), and waits with IDLE (RFC 2177).

How far the folder was read is stored with the items, in one transaction, as UIDVALIDITY and UID.
So nothing is read twice, and nothing is lost when the process is killed. Mails stay as they are.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from morefollows.helpers.imap_idle import wait_for_mail
from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.models import Source
from morefollows.ingest.pipeline import receive_items, receive_unreadable
from morefollows.ingest.sources.addresses import mailbox_address
from morefollows.ingest.sources.arrivals import read_arrived
from morefollows.ingest.sources.secrets import open_secret

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 30
_LONGEST_IDLE_SECONDS = 600
_MOST_OCTETS = 20 * 1024 * 1024
_KIND = "message/rfc822"


def open_mailbox(source: Source) -> BaseMailBox:
    """Signs in and opens the folder, read only. Raises what imaplib raises."""
    from imap_tools import MailBox, MailBoxUnencrypted

    where = mailbox_address(source.address)
    mailbox: BaseMailBox
    if where.secure:
        context = ssl.create_default_context()
        mailbox = MailBox(where.host, where.port, timeout=_CONNECT_SECONDS, ssl_context=context)
    else:
        mailbox = MailBoxUnencrypted(where.host, where.port, timeout=_CONNECT_SECONDS)
    password = open_secret(source.sealed_password, source.uuid)
    return mailbox.login(where.user, password, where.folder)


def read_new(source: Source, mailbox: BaseMailBox) -> int:
    """Takes in the folder's new mails, one by one. Returns how many items are new."""
    client: Any = mailbox.client
    validity = _validity(client, mailbox_address(source.address).folder)
    known = source.position
    last = int(known.get("uid", 0)) if known.get("validity") == validity else 0
    new = 0
    for uid in _uids_after(client, last):
        raw = _fetched(client, uid)
        with transaction.atomic():
            new += _take(source, raw, uid)
            source.position = {"validity": validity, "uid": uid}
            Source.objects.filter(pk=source.pk).update(position=source.position)
    return new


def _take(source: Source, raw: bytes, uid: int) -> int:
    try:
        if len(raw) > _MOST_OCTETS:
            raise UnreadableItem("mail", f"is larger than {_MOST_OCTETS // 1024 // 1024} MB")
        items = read_arrived(raw, media_type=_KIND, file_name="mail.eml", profile=source.profile)
    except UnreadableItem as error:
        log.warning("source %s: mail %d can't be read: %s", source.name, uid, error)
        return receive_unreadable(source, raw[:_MOST_OCTETS], str(error), "imap", named=str(uid))
    return receive_items(source, items, "imap")


def run_mailbox(source: Source, stop: threading.Event, received: Callable[[], None]) -> None:
    """Reads the mailbox until `stop` is set. Raises what goes wrong: it is tried again later."""
    with open_mailbox(source) as mailbox:
        while not stop.is_set():
            if read_new(source, mailbox):
                received()
            Source.objects.filter(pk=source.pk).update(
                ok_at=timezone.now(), error="", error_since=None, failures=0
            )
            _wait(source, mailbox, stop)


def _wait(source: Source, mailbox: BaseMailBox, stop: threading.Event) -> None:
    """Returns when there may be a new mail, or after the source's interval."""
    if "IDLE" not in mailbox.client.capabilities:
        stop.wait(source.interval_seconds)
        return
    wait_for_mail(mailbox, min(source.interval_seconds, _LONGEST_IDLE_SECONDS), stop.is_set)


def _validity(client: Any, folder: str) -> int:
    _kind, data = client.response("UIDVALIDITY")
    if not data or data[0] is None:
        _kind, data = client.status(f'"{folder}"', "(UIDVALIDITY)")
    status_line = data[0].split(b"UIDVALIDITY")[-1] if data and data[0] else b""
    digits = "".join(chr(octet) for octet in status_line if 48 <= octet <= 57)
    return int(digits or 1)


def _uids_after(client: Any, last: int) -> Iterator[int]:
    client.noop()  # has the server tell what is new
    kind, data = client.uid("SEARCH", None, f"UID {last + 1}:*")
    if kind != "OK":
        raise OSError("the folder can't be searched")
    # "n:*" always names the last mail, also if its UID is below n (RFC 3501 §6.4.8).
    yield from sorted(uid for uid in map(int, (data[0] or b"").split()) if uid > last)


def _fetched(client: Any, uid: int) -> bytes:
    """One mail's octets, up to one more than may be. It stays unread (BODY.PEEK)."""
    kind, data = client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_MOST_OCTETS + 1}>)")
    if kind != "OK":
        raise OSError("a mail can't be fetched")
    return next((bytes(one[1]) for one in data if isinstance(one, tuple)), b"")
