"""What `doctor` says of the evidence: whether the database protects it, and whether it is as it was sealed."""

from __future__ import annotations

from collections.abc import Iterator

from morefollows.run.doctor import Finding


def examine_evidence() -> Iterator[Finding]:
    """Reads all evidence once; a million lines take about half a minute. Django must have been started."""
    from morefollows import append_only
    from morefollows.audience import seals

    unprotected = append_only.missing()
    if unprotected:
        words = f"the database does not protect {', '.join(unprotected)}; `morefollows migrate` makes it so"
        yield Finding("evidence", "wrong", words)
    report = seals.verify()
    if report.wrong:
        yield Finding("evidence", "wrong", "; ".join(report.wrong))
    elif not unprotected:
        erased = f", of which {report.erased} went with an erased reader" if report.erased else ""
        yield Finding("evidence", "ok", f"{report.rows} rows are as they were sealed{erased}")
