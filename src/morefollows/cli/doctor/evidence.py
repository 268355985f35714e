"""The checks of `doctor` for evidence: its triggers in the database, and its seals."""

from __future__ import annotations

from collections.abc import Iterator

from morefollows.courier.checkup.finding import Finding

_SEALS = 200  # seals checked unless all are asked for, of a thousand rows each; takes some seconds


_SINK_MINUTES = 10  # after which an entry that the sink has not taken is worth telling


def examine_sink() -> Iterator[Finding]:
    """Checks that the activity log gets to its sink. Yields nothing without one. Needs Django."""
    from datetime import timedelta

    from django.conf import settings
    from django.utils import timezone

    from morefollows.audit import forwarding

    sink = settings.MOREFOLLOWS.log_sink
    if sink is None:
        return
    queue = forwarding.state()
    late = queue.oldest and timezone.now() - queue.oldest > timedelta(minutes=_SINK_MINUTES)
    if queue.refused:
        text = f"{sink.name} refuses {queue.refused} entries of the activity log; see the log"
        yield Finding("activity log", "wrong", text)
    elif late:
        since = f"{queue.oldest:%Y-%m-%d %H:%M} UTC"
        text = f"{queue.waiting} entries wait for {sink.name} since {since}; is `send` running?"
        yield Finding("activity log", "wrong", text)
    else:
        text = f"is sent on to {sink.name}; {queue.waiting} entries wait"
        yield Finding("activity log", "ok", text)


def examine_evidence(*, every: bool = False) -> Iterator[Finding]:
    """Checks the evidence. `every`: all rows, about a minute for a million. Needs Django."""
    from morefollows.audience.consent import seals
    from morefollows.database import append_only

    unprotected = append_only.missing()
    if unprotected:
        text = (
            f"the database does not protect {', '.join(unprotected)}; `morefollows migrate` "
            f"makes it so"
        )
        yield Finding("evidence", "wrong", text)
    report = seals.verify(None if every else _SEALS)
    if report.wrong:
        yield Finding("evidence", "wrong", "; ".join(report.wrong))
    elif not unprotected:
        erased = f", of which {report.erased} went with an erased reader" if report.erased else ""
        text = (
            f"{report.rows} rows are as they were sealed{erased}; the chain has "
            f"{report.seals} seals"
        )
        if report.seals > _SEALS and not every:
            text += "; --evidence looks at every row"
        yield Finding("evidence", "ok", text)
