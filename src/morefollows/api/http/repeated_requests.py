"""Has requests done once, however often they are repeated.

A request with an `Idempotency-Key` is done once. Its answer is stored in the transaction of what it
did, so a repetition gets the same answer, also after a crash between the two. A repetition that
comes while the first is being answered waits for it. Answers are kept for a day.

Invariant: a request that failed left nothing behind, and may be repeated with the same key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from morefollows.api.http.problems import ProblemDetails
from morefollows.api.http.uploads import body_of, is_upload
from morefollows.api.models import ApiKey, IdempotentRequest
from morefollows.api.webhooks.signatures import open_webhook_secret, seal_webhook_secret
from morefollows.audience.models import Reader
from morefollows.audience.signals import reader_erased

KEPT = timedelta(hours=24)
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_PRINTABLE = re.compile(r"[!-~]{1,255}")
_SEALED = "sealed:"
_KEPT_HEADERS = ("Location", "ETag", "Content-Type")


def once(
    request: HttpRequest, key: ApiKey | None, run: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Runs the request, or gives the answer of its first time again. Raises `ProblemDetails`."""
    given = request.headers.get("Idempotency-Key")
    if given is None or request.method not in _CHANGING or key is None:
        return run()
    if not _PRINTABLE.fullmatch(given):
        raise ProblemDetails(
            400, "bad-request", "Idempotency-Key: must be 1 to 255 visible ASCII characters."
        )
    try:
        with transaction.atomic():
            return _run_or_replay(request, key, given, run)
    except _Failed as failed:
        return failed.answer


def seal_answer(request: HttpRequest) -> None:
    """Has the answer stored encrypted. Called by requests whose answer holds a secret."""
    request.seal_answer = True  # type: ignore[attr-defined]


class _Failed(Exception):
    """Rolls back what a refused request wrote."""

    def __init__(self, answer: HttpResponseBase) -> None:
        super().__init__()
        self.answer = answer


def _run_or_replay(
    request: HttpRequest, key: ApiKey, given: str, run: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    now, fingerprint = timezone.now(), _fingerprint(request)
    IdempotentRequest.objects.filter(key=key, idempotency_key=given, at__lt=now - KEPT).delete()
    try:
        # Waits while another transaction holds the same row.
        with transaction.atomic():
            row = IdempotentRequest.objects.create(
                key=key, idempotency_key=given, fingerprint=fingerprint, at=now
            )
    except IntegrityError:
        return _again(IdempotentRequest.objects.get(key=key, idempotency_key=given), fingerprint)
    answer = run()
    if answer.status_code >= 400 or not isinstance(answer, HttpResponse):
        raise _Failed(answer)
    row.status, row.body = answer.status_code, answer.content.decode()
    if getattr(request, "seal_answer", False):
        row.body = _SEALED + base64.b64encode(seal_webhook_secret(row.body)).decode()
    row.headers = {name: answer[name] for name in _KEPT_HEADERS if name in answer}
    row.save()
    return answer


def _again(row: IdempotentRequest, fingerprint: str) -> HttpResponse:
    if row.fingerprint != fingerprint:
        raise ProblemDetails(
            422,
            "key-reused",
            "Idempotency-Key: another request was sent with it in the last 24 hours. "
            "Take a new one for each thing that is to be done.",
        )
    answer = HttpResponse(_opened(row.body), status=row.status)
    for name, value in row.headers.items():
        answer[name] = value
    answer["Idempotency-Replayed"] = "true"
    return answer


def _opened(body: str) -> str:
    if not body.startswith(_SEALED):
        return body
    opened = open_webhook_secret(base64.b64decode(body.removeprefix(_SEALED)))
    if opened is None:
        raise ProblemDetails(
            409,
            "state",
            "It was done, but its answer can't be read any more. Ask for a new secret.",
        )
    return opened


def _fingerprint(request: HttpRequest) -> str:
    body = body_of(request).digest.encode() if is_upload(request) else request.body
    parts = (str(request.method).encode(), request.get_full_path().encode(), body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def forget_with_readers() -> None:
    """Called once, when Django starts."""
    reader_erased.connect(_forget_reader, dispatch_uid="repeated requests")


def _forget_reader(sender: Any, reader: Reader, **_more: Any) -> None:
    """Deletes the answers that show this reader. The request is done anew if it is repeated."""
    shown = Q(body__contains=str(uuid.UUID(bytes=reader.uid)))
    if reader.address:
        shown |= Q(body__contains=json.dumps(reader.address)[1:-1])
    IdempotentRequest.objects.filter(shown).delete()


def forget_answers() -> int:
    """Deletes answers that are older than a day. Returns how many. Called by housekeeping."""
    return old_answers().delete()[0]


def old_answers() -> QuerySet[IdempotentRequest]:
    """Returns the answers that `forget_answers` deletes."""
    return IdempotentRequest.objects.filter(at__lt=timezone.now() - KEPT)
