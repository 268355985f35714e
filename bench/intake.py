"""`bench intake`: bounces by LMTP, as quickly as they are taken, and what they cost."""

from __future__ import annotations

import smtplib
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import click
from django.utils import timezone

from bench.race import BenchFailed
from bench.stage import stage
from morefollows.cli.demo import memory
from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.processes import lock
from tests.support.ports import free_port

_DOMAIN = "bounces.herald.example"
_CLIENTS = 20  # as many as Postfix has for one destination
_PATIENCE = 300.0  # seconds
_REPORT = (
    "From: MAILER-DAEMON@mx.reader.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
    "MIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you that your message "
    "could not be delivered.\r\n\r\n<{address}>: host mx said: 550 5.1.1 User unknown\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.reader.example\r\n"
    "\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}\r\n--b--\r\n"
)


@click.command("intake")
@click.option(
    "--bounces",
    type=click.IntRange(100, 1_000_000),
    default=10_000,
    show_default=True,
    help="How many; one in ten is forged.",
)
@json_option
def bench_intake(bounces: int, as_json: bool) -> None:
    """Bounces by LMTP into a running product: how quickly they are stored and judged, and the
    memory of the intake process. A forged one must change nothing."""
    try:
        found = measure(bounces)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(found)
        return
    click.echo(
        f"{bounces:,} bounces: stored in {found['stored_seconds']:.1f} s, judged after "
        f"{found['judged_seconds']:.1f} s ({found['rate']:,.0f}/s), "
        f"{found['cpu_seconds_per_1000']:.2f} CPU s a 1,000; peak memory of the process "
        f"{found['memory_early'] / 1e6:.1f} MB after a fifth, {found['memory_late'] / 1e6:.1f} MB "
        "at the end"
    )


def measure(bounces: int) -> dict[str, Any]:
    """Raises `BenchFailed` if a bounce was lost, or if a forged one counted."""
    port = free_port()
    settings = {
        "MOREFOLLOWS_INTAKE": f"lmtp://127.0.0.1:{port}",
        "MOREFOLLOWS_BOUNCE_DOMAIN": _DOMAIN,
        "MOREFOLLOWS_INTAKE_SETTLE": "3600",
    }
    with tempfile.TemporaryDirectory(prefix="morefollows-") as folder:
        with stage(Path(folder), ("127.0.0.1", 9), settings=settings):
            mails, few = _mails(bounces), bounces // 5
            pid = (lock.running_up(Path(folder) / "data") or {})["processes"]["intake"]
            begun, cpu = time.monotonic(), _cpu(pid)
            _send(port, mails[:few])
            _wait(few)
            early = memory.peak([pid])
            _send(port, mails[few:])
            stored = time.monotonic() - begun
            judged = _wait(bounces) - begun
            late, cpu = memory.peak([pid]), _cpu(pid) - cpu
            _check(bounces)
    return {
        "bounces": bounces,
        "stored_seconds": stored,
        "judged_seconds": judged,
        "rate": bounces / judged,
        "cpu_seconds_per_1000": 1000 * cpu / bounces,
        "memory_early": early,
        "memory_late": late,
    }


def _mails(bounces: int) -> list[tuple[str, bytes]]:
    """Return paths and reports, one for each reader of an alert."""
    from morefollows.accounts.models import Editor
    from morefollows.audience.link_tokens import links
    from morefollows.audience.link_tokens.tokens import TokenRow
    from morefollows.audience.models import Reader, Topic
    from morefollows.stories.models import Alert, Story, Update

    now = timezone.now()
    topic, editor = Topic.objects.order_by("pk")[0], Editor.objects.order_by("pk")[0]
    story = Story.objects.create(headline="Bridge", text="It is.", topic=topic, author=editor)
    update = Update.objects.create(
        story=story, number=1, headline="Bridge", text="It is.", language="en", author=editor
    )
    alert = Alert.objects.create(
        update=update,
        topic=topic,
        state=Alert.State.SENT,
        sent_by=editor,
        frozen_at=now,
        held_until_ms=0,
        expires_at_ms=0,
    )
    readers = Reader.objects.bulk_create(
        Reader(
            address=f"r{number}@d{number % 50}.example",
            key=f"{number:064x}",
            domain=f"d{number % 50}.example",
            state=Reader.State.CONFIRMED,
            created_at=now,
            confirmed_at=now,
        )
        for number in range(bounces)
    )
    tokens, row = links.link_tokens(), TokenRow(alert.pk, alert.uuid.bytes)
    header = "X-Filler: " + "x" * 60 + "\r\n"
    mails = []
    for number, reader in enumerate(readers):
        token = tokens.receipt(row, TokenRow(reader.pk, reader.uid)).decode()
        if number % 10 == 9:
            token = token[:-1] + ("0" if token[-1] != "0" else "1")
        report = _REPORT.format(address=reader.address, header=header * 20)
        mails.append((f"b+{token}@{_DOMAIN}", report.encode()))
    return mails


def _send(port: int, mails: list[tuple[str, bytes]]) -> None:
    failed: list[Exception] = []

    def send(some: list[tuple[str, bytes]]) -> None:
        try:
            with smtplib.LMTP("127.0.0.1", port) as client:
                for envelope, raw in some:
                    client.sendmail("", [envelope], raw)
        except (OSError, smtplib.SMTPException) as error:
            failed.append(error)

    threads = [
        threading.Thread(target=send, args=(mails[number::_CLIENTS],)) for number in range(_CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise BenchFailed(f"a bounce was not taken: {failed[0]}")


def _wait(bounces: int) -> float:
    """Returns when all are judged."""
    from morefollows.feedback.models import IncomingMail

    deadline = time.monotonic() + _PATIENCE
    while IncomingMail.objects.filter(state=IncomingMail.State.JUDGED).count() < bounces:
        if time.monotonic() > deadline:
            raise BenchFailed("not all bounces were judged in time")
        time.sleep(0.1)
    return time.monotonic()


def _check(bounces: int) -> None:
    from morefollows.feedback.models import IncomingMail

    known = IncomingMail.objects.filter(known_by="return path", reason="hard").count()
    if known != bounces - bounces // 10:
        raise BenchFailed(f"{known} of {bounces} bounces were known by their return path")
    forged = IncomingMail.objects.exclude(known_by="return path").exclude(counting="")
    if forged.exists():
        raise BenchFailed("a forged bounce counts")


def _cpu(pid: int) -> float:
    """CPU seconds of a process."""
    import psutil  # type: ignore[import-untyped]

    return float(sum(psutil.Process(pid).cpu_times()[:2]))
