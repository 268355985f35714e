"""The checks of `doctor`. Each reports what is wrong and the remedy. None changes anything."""

from __future__ import annotations

import os
from collections.abc import Iterator

from morefollows.config import environment, loading
from morefollows.config.settings import Settings
from morefollows.courier.checkup.finding import Finding
from morefollows.courier.checkup.relay_checks import examine_relays
from morefollows.processes import bootstrap, lock


def examine(
    *, dns: bool = False, nameserver: str | None = None, evidence: bool = False
) -> list[Finding]:
    """Runs all checks, in the order of their dependencies."""
    if wrong := loading.problems():
        return [Finding("settings", "wrong", str(error)) for error in wrong]
    config = loading.load()
    findings = [*_settings(), *_data_folder(config)]
    findings += (database := list(_database(config)))
    from django.conf import settings

    # Settings that were changed at the desk are in force once the database was read.
    in_force = settings.MOREFOLLOWS if settings.configured else config
    secured: set[str] = set()
    if all(one.check != "database" or one.state == "ok" for one in database):
        from morefollows.courier.relays.once_secured import once_secured

        # As senders have it: once a relay has agreed to STARTTLS, nothing is sent to it in clear.
        secured = once_secured(in_force.relays)
        from morefollows.cli.doctor.evidence import examine_evidence, examine_sink

        findings += examine_evidence(every=evidence)
        findings += examine_sink()
    findings += examine_relays(in_force, secured)
    if dns:
        from morefollows.courier.checkup.dns_checks import examine_dns

        chosen = "" if in_force.resolver == "off" else in_force.resolver
        findings += examine_dns(in_force, nameserver or chosen or None)
    return findings


def _settings() -> Iterator[Finding]:
    chosen = loading.chosen()
    listed = f"; set are {', '.join(chosen)}" if chosen else "; none is set"
    yield Finding("settings", "ok", f"all are understood{listed}; the others are at their defaults")
    ignored = environment.service_links()
    if ignored:
        hint = (
            f"ignored, as addresses of a service that Kubernetes or Docker tells: "
            f"{', '.join(ignored)}"
        )
        yield Finding("service links", "note", hint)


def _data_folder(config: Settings) -> Iterator[Finding]:
    place = config.data
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding("data folder", "wrong", f"MOREFOLLOWS_DATA: {place} can't be written to")
        return
    space = os.statvfs(place)
    free = space.f_bavail * space.f_frsize // 1_000_000
    state = "wrong" if free < 100 else "ok"
    yield Finding("data folder", state, f"{place} can be written to; {free:,} MB are free")
    other = lock.running_up(config.data)
    if other is None:
        yield Finding("up", "note", "`morefollows up` is not running on this data folder")
    elif "url" not in other:
        yield Finding(
            "up",
            "note",
            "`morefollows up` is starting on this data folder, or was killed a moment ago",
        )
    else:
        yield Finding("up", "ok", f"runs as process {other['pid']}, {other['url']}")


def _database(config: Settings) -> Iterator[Finding]:
    try:
        bootstrap.start_django(check=False)
    except bootstrap.UnknownDatabase as error:
        yield Finding("database", "wrong", str(error))
        return
    from django.conf import settings
    from django.db import DatabaseError, connection

    from morefollows.accounts.models import Editor, Role
    from morefollows.audience import placeholders
    from morefollows.audience.models import Newsroom, Topic

    try:
        waiting = bootstrap.pending()
    except DatabaseError as error:
        first = str(error).strip().partition("\n")[0]
        yield Finding("database", "wrong", f"DATABASE_URL: it can't be used: {first}")
        return
    if waiting:
        yield Finding(
            "database",
            "wrong",
            f"{connection.vendor} lacks {len(waiting)} migrations; run `morefollows migrate`",
        )
        return
    yield Finding("database", "ok", f"{connection.vendor} answers and is up to date")
    yield _keys(settings.MOREFOLLOWS)
    yield from _restored()
    newsroom = Newsroom.objects.filter(pk=1).first()
    if newsroom is None or not Topic.objects.exists():
        yield Finding("newsroom", "wrong", "none is set up; `morefollows up` does it")
    elif found := placeholders.found(config, newsroom):
        held = placeholders.blocking()
        for one in found:
            yield Finding("newsroom", "wrong" if one in held else "note", one.text)
        if held:
            yield Finding(
                "newsroom", "wrong", "no mail is handed to a relay until all of that is filled in"
            )
    else:
        yield Finding("newsroom", "ok", f"{newsroom} sends as {newsroom.sender_address}")
    if not Editor.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists():
        yield Finding(
            "administrator",
            "wrong",
            "there is none; `morefollows editors add … --role administrator`",
        )


def _restored() -> Iterator[Finding]:
    from morefollows.courier.restore import actions as restores
    from morefollows.courier.restore.detection import time_text

    if held := restores.hold_reason():
        hint = (
            f"it is older than what a sender last saw ({time_text(held.seen_at_ms)}, now "
            f"{time_text(held.found_at_ms)}); nothing is "
            "mailed until somebody decides, at the desk or by `morefollows restores go-on`"
        )
        yield Finding("restored database", "wrong", hint)


def _keys(config: Settings) -> Finding:
    from morefollows.audience import key_check

    keys = config.secret
    if wrong := key_check.compare(keys):
        return Finding("keys", "wrong", ": ".join(bootstrap.wrong_keys(config, wrong)))
    if not keys.saved:
        return Finding("keys", "note", "there are none yet; the first start makes them")
    if keys.file is not None and keys.file.stat().st_mode & 0o077:
        return Finding("keys", "wrong", f"{keys.file} can be read by others; `chmod 600` it")
    where = keys.file or "MOREFOLLOWS_SECRET"
    return Finding(
        "keys",
        "ok",
        f"{where} has the keys of this database, {len(keys.ring.generations)} generations",
    )
