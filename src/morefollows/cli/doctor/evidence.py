"""The checks of `doctor` for evidence: its triggers in the database, and its seals."""

from __future__ import annotations

from collections.abc import Iterator

from morefollows.cli.doctor.finding import Finding

_SEALS = 200  # seals checked unless all are asked for, of a thousand rows each; takes some seconds


def examine_evidence(*, every: bool = False) -> Iterator[Finding]:
    """Checks the evidence. `every`: all rows, about a minute for a million. Needs Django."""
    from morefollows.audience.consent import seals
    from morefollows.database import append_only

    unprotected = append_only.missing()
    if unprotected:
        words = (
            f"the database does not protect {', '.join(unprotected)}; `morefollows migrate` "
            f"makes it so"
        )
        yield Finding("evidence", "wrong", words)
    report = seals.verify(None if every else _SEALS)
    if report.wrong:
        yield Finding("evidence", "wrong", "; ".join(report.wrong))
    elif not unprotected:
        erased = f", of which {report.erased} went with an erased reader" if report.erased else ""
        words = (
            f"{report.rows} rows are as they were sealed{erased}; the chain has "
            f"{report.seals} seals"
        )
        if report.seals > _SEALS and not every:
            words += "; --evidence looks at every row"
        yield Finding("evidence", "ok", words)
