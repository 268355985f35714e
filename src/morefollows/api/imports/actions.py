"""Keeps uploaded files of readers, and imports them one after the other.

Invariant: an import that a crash broke off goes on where it was; see `audience.lists.resume`.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Any, BinaryIO, cast

from django.db import close_old_connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.api.models import ReaderImport, UploadedPart
from morefollows.api.webhooks.events import EventType, add_event
from morefollows.audience import lists
from morefollows.audience.lists.resume import ImportInProgress
from morefollows.audience.models import Topic
from morefollows.audit.actions import record
from morefollows.database import retry_queue

log = logging.getLogger(__name__)

State = ReaderImport.State
_PART = 1_000_000  # bytes of a file in one row
_PROBLEMS = 100  # bad lines that are kept with the import
KEPT_FOR = timedelta(days=30)
_HEARTBEAT = 15.0  # seconds; a quarter of `retry_queue.CLAIM`


def keep_upload(
    file: IO[bytes],
    by: Editor,
    *,
    topic: Topic | None,
    provenance: str,
    consented_at: datetime | None,
    answers: dict[str, Any],
    dry_run: bool,
) -> ReaderImport:
    """Keeps a file of readers, to be imported within seconds. In one transaction.

    `answers`: arguments of `lists.OperatorAnswers`.
    """
    with transaction.atomic():
        made = ReaderImport.objects.create(
            by=by,
            topic=topic,
            provenance=provenance,
            consented_at=consented_at,
            answers=answers,
            dry_run=dry_run,
            created_at=timezone.now(),
            due_at=retry_queue.database_now(),
        )
        number = 0
        while part := file.read(_PART):
            UploadedPart.objects.create(reader_import=made, number=number, data=part)
            made.size += len(part)
            number += 1
        made.save(update_fields=["size"])
        record(by, "upload readers", subject=topic.slug if topic else "", reason=provenance)
    return made


def queue() -> Any:
    """Imports that are not done, the oldest first."""
    return ReaderImport.objects.filter(state__in=(State.WAITING, State.RUNNING)).order_by("pk")


def import_next() -> bool:
    """Does the oldest import that is due. Returns False if there is none."""
    for key in list(retry_queue.due(queue()).values_list("pk", flat=True)[:10]):
        if retry_queue.claim(queue(), key):
            _do(ReaderImport.objects.select_related("topic", "by").get(pk=key))
            return True
    return False


def _do(job: ReaderImport) -> None:
    rows = ReaderImport.objects.filter(pk=job.pk)
    rows.update(state=State.RUNNING)
    try:
        with _claimed(job), tempfile.TemporaryFile() as file:
            for data in job.parts.order_by("number").values_list("data", flat=True).iterator(1):
                file.write(bytes(data))
            file.seek(0)
            report = lists.import_readers(
                cast(BinaryIO, file),
                topic=job.topic,
                provenance=job.provenance or None,
                progress=lambda position: _progress(job, position),
                answers=lists.OperatorAnswers(**job.answers),
                consented_at=job.consented_at,
                key=f"api-{job.uuid}",
                dry_run=job.dry_run,
                by=job.by,
            )
    except ImportInProgress:
        return  # by another process
    except lists.NotReadable as error:
        _end(job, State.FAILED, error=str(error))
    else:
        problems = [[one.line, one.reason[:200]] for one in report.problems[:_PROBLEMS]]
        _end(job, State.FINISHED, counts=report.counts(), problems=problems, position=job.size)


def _progress(job: ReaderImport, position: int) -> None:
    ReaderImport.objects.filter(pk=job.pk).update(position=min(position, job.size))


def _end(job: ReaderImport, state: str, **fields: Any) -> None:
    """Notes the result, tells webhooks, and lets the file go. In one transaction."""
    with transaction.atomic():
        ReaderImport.objects.filter(pk=job.pk).update(
            state=state, ended_at=timezone.now(), **fields
        )
        UploadedPart.objects.filter(reader_import=job).delete()
        details = {name: fields.get(name) for name in ("counts", "error") if fields.get(name)}
        add_event(
            EventType.IMPORT_FINISHED,
            {"import": str(job.uuid), "state": state, "dry_run": job.dry_run, **details},
        )


@contextlib.contextmanager
def _claimed(job: ReaderImport) -> Iterator[None]:
    """Keeps the claim meanwhile, in a thread: reading a large file the first time takes long."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_HEARTBEAT):
            close_old_connections()
            try:
                due_at = retry_queue.database_now() + retry_queue.CLAIM
                ReaderImport.objects.filter(pk=job.pk).update(due_at=due_at)
            except Exception as error:  # the next beat tries again
                log.warning("the claim of import %s: %s", job.uuid, type(error).__name__)
            finally:
                close_old_connections()

    thread = threading.Thread(target=beat, name="claim of an import", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def forget_imports() -> int:
    """Deletes imports that ended 30 days ago. Returns how many. Called by housekeeping."""
    return old_imports().delete()[0]


def old_imports() -> QuerySet[ReaderImport]:
    """Returns the imports that `forget_imports` deletes."""
    return ReaderImport.objects.filter(ended_at__lt=timezone.now() - KEPT_FOR)
