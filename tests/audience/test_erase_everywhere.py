"""After erasing, no column of any table and no file knows the reader, but what is documented.

Cy goes through everything first: each part that could keep an address, its hash or a mail of hers.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import DeskSession
from morefollows.api.webhooks.endpoints import add_endpoint
from morefollows.api.webhooks.events import EventType
from morefollows.audience import departures, lists
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation
from morefollows.audience.models import Reader, Topic
from morefollows.audience.preferences import actions as preferences
from morefollows.audience.preferences import address_change
from morefollows.courier.models import ReplyCount
from morefollows.feedback.intake.sealed_mail import open_sealed
from morefollows.stories.models import StoryPreference
from tests.api.support import Program
from tests.audience.support import CY, newest_link, sign_up
from tests.courier.support import alert_for
from tests.feedback.intake.support import come, reply, report, return_path, token_of, use
from tests.support.people import drill_reader

#: What is left, as docs/how-to/consent.md says.
DOCUMENTED = {
    "audience.Suppression.key",  # so that no import brings the address back
    "audience.ErasedReader.uid",  # so that links in old mail are proved
}
_TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
_IP = "192.0.2.7"


def needles(address: str, key: str, uid: bytes) -> set[bytes]:
    """What leads to the reader: the address, hashes of it, and the random number of the row."""
    raw = address.encode()
    hashes = [hashlib.new(kind, raw).digest() for kind in ("md5", "sha1", "sha256", "sha512")]
    found = {raw, raw.partition(b"@")[0] + b"@", base64.b64encode(raw)[:-4], key.encode(), uid}
    return found | set(hashes) | {digest.hex().encode() for digest in hashes}


def octets(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()


def opened(column: str, row: Any, value: bytes) -> Iterator[bytes]:
    """The value, and what it is when it is unpacked or decrypted."""
    yield value
    if column == "feedback.IncomingMail.sealed":
        yield open_sealed(value, row["digest"]) or b""
    if column == "accounts.DeskSession.session_data":
        yield json.dumps(DeskSession(session_data=value.decode()).get_decoded()).encode()
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(value)


def where(wanted: set[bytes]) -> set[str]:
    """The columns of all tables that have one of these."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        names = [one.attname for one in model._meta.concrete_fields if isinstance(one, _TEXTS)]
        for row in models.QuerySet(model).values(*names) if names else ():
            for name in names:
                if row[name] in (None, "", b""):
                    continue
                for text in opened(f"{model._meta.label}.{name}", row, octets(row[name])):
                    if any(one in text.lower() or one in text for one in wanted):
                        found.add(f"{model._meta.label}.{name}")
    return found


def go_through_everything(breaking: Topic, dora_at_desk: Client, settings: Any) -> Reader:
    use(settings)
    add_endpoint("https://cms.example.org/hook", EventType.values, None)
    lists.import_readers(
        io.BytesIO(f"email\n{CY}\n".encode()),
        topic=breaking,
        provenance="old list",
        progress=lambda position: None,
    )
    sign_up(breaking, offers=True)
    confirmation.confirm(newest_link())
    reader = Reader.objects.get(key=parse(CY).key)
    drill_reader(CY)
    preferences.ask_for_link(parse(CY))
    address_change.ask_new_address(reader, parse("cyd@reader.example"))
    alert = alert_for(0)
    StoryPreference.objects.create(
        reader=reader,
        story=alert.update.story,
        choice=StoryPreference.Choice.FOLLOW,
        at=timezone.now(),
    )
    token = token_of(alert, reader)
    come(report(CY, text=f"550 5.1.1 <{CY}> unknown"), return_path(token))
    come(reply(f"Please stop. Yours, {CY}", token=token))
    program = Program()
    program("POST", "/readers/lookup", {"address": CY}, Idempotency_Key="look-1")
    dora_at_desk.post(reverse("reader-find"), {"address": CY})
    dora_at_desk.get(reverse("reader", args=(reader.pk,)))
    return reader


@pytest.mark.django_db
def test_nothing_is_left_but_what_is_documented(
    breaking: Topic, dora_at_desk: Client, settings: Any, data: Path
) -> None:
    reader = go_through_everything(breaking, dora_at_desk, settings)
    wanted = needles(CY, reader.key, reader.uid) | {b"cyd@reader.example", _IP.encode()}
    before = where(wanted)
    assert before >= {
        *("audience.Reader.address", "audience.Reader.key", "audience.Consent.client_address"),
        *("audience.Letter.address", "feedback.IncomingMail.sealed"),
        "api.IdempotentRequest.body",
    }
    assert "audit.AuditEntry.details" not in before, "the log has the number, no address"
    answer = dora_at_desk.post(
        reverse("reader-erase", args=(reader.pk,)), {"sure": "1", "mark": reader.mark}
    )
    assert answer.status_code == 302
    assert where(wanted) == DOCUMENTED & where(wanted) != set()
    assert not ReplyCount.objects.filter(text__contains="@").exists()
    inside = [path for path in data.rglob("*") if path.is_file()]
    left = {path.name for path in inside if any(one in path.read_bytes() for one in wanted)}
    assert left <= {departures.log_path().name}, "keyed hashes, no addresses"


def test_deleted_rows_are_overwritten(db: None) -> None:
    """SQLite otherwise leaves them in the file's free pages."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's VACUUM frees them")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone() == (1,)
