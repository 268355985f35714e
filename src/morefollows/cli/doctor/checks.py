"""The checks of `doctor`. Each reports what is wrong and the remedy. None changes anything."""

from __future__ import annotations

import contextlib
import os
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator

from morefollows.cli.doctor.finding import Finding
from morefollows.config import environment, loading
from morefollows.config.settings import RelayAddress, Settings
from morefollows.processes import bootstrap, lock

TIMEOUT = 10.0  #: seconds for a relay to answer
_EXTENSIONS = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN")


def examine(
    *, dns: bool = False, nameserver: str | None = None, evidence: bool = False
) -> list[Finding]:
    """Runs all checks, in the order of their dependencies."""
    if wrong := loading.problems():
        return [Finding("settings", "wrong", str(error)) for error in wrong]
    config = loading.load()
    findings = [*_settings(), *_data_folder(config)]
    findings += (database := list(_database(config)))
    if all(one.check != "database" or one.state == "ok" for one in database):
        from morefollows.cli.doctor.evidence import examine_evidence

        findings += examine_evidence(every=evidence)
    findings += _relays(config)
    if dns:
        from morefollows.cli.doctor.dns import examine_dns

        findings += examine_dns(config, nameserver)
    return findings


def _settings() -> Iterator[Finding]:
    chosen = loading.chosen()
    listed = f"; set are {', '.join(chosen)}" if chosen else "; none is set"
    yield Finding("settings", "ok", f"all are understood{listed}; the others are at their defaults")
    ignored = environment.service_links()
    if ignored:
        words = (
            f"ignored, as addresses of a service that Kubernetes or Docker tells: "
            f"{', '.join(ignored)}"
        )
        yield Finding("service links", "note", words)


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
        words = (
            f"it is older than what a sender last saw ({time_text(held.seen_at_ms)}, now "
            f"{time_text(held.found_at_ms)}); nothing is "
            "mailed until somebody decides, at the desk or by `morefollows restores go-on`"
        )
        yield Finding("restored database", "wrong", words)


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


def _relays(config: Settings) -> Iterator[Finding]:
    if not config.relays:
        yield Finding(
            "relay",
            "note",
            "MOREFOLLOWS_RELAY is not set: mail ends in the local inbox, nothing leaves",
        )
    for relay in config.relays:
        if relay.scheme not in ("smtp", "smtps"):
            yield Finding("relay", "note", f"{relay.name} is not SMTP, and is not examined")
            continue
        try:
            yield from _speak(relay, config.helo or socket.getfqdn())
        except smtplib.SMTPAuthenticationError as error:
            yield _wrong(f"{relay.name} refuses our user: {_said(error, relay)}")
        except smtplib.SMTPResponseException as error:
            yield _wrong(f"{relay.name} says {_said(error, relay)}")
        except ssl.SSLCertVerificationError as error:
            yield _wrong(f"the certificate of {relay.name} is not valid: {error.verify_message}")
        except smtplib.SMTPNotSupportedError as error:
            yield _wrong(f"{relay.name}: {error}")
        except (OSError, smtplib.SMTPException) as error:
            reason = (
                (isinstance(error, OSError) and error.strerror)
                or str(error)
                or type(error).__name__
            )
            yield _wrong(f"{relay.name} can't be reached: {reason}")


def _wrong(words: str) -> Finding:
    return Finding("relay", "wrong", f"MOREFOLLOWS_RELAY: {words}")


def _speak(relay: RelayAddress, helo: str) -> Iterator[Finding]:
    """Checks EHLO, TLS and AUTH like a sender does. Sends no mail."""
    tls, extras = _handshake(relay, helo)
    signed_in = " and takes our user" if relay.user else ""
    limits = "".join(
        (
            f"; {relay.rate:g} mails a second at the most" if relay.rate else "",
            f"; for {relay.purpose} only" if relay.purpose != "both" else "",
        )
    )
    words = (
        f"{relay.name} answers{signed_in}; it offers {', '.join(extras) or 'no extensions'}{limits}"
    )
    yield Finding("relay", "ok", words)
    if tls is None:
        yield Finding("relay TLS", "note", f"{relay.name} is spoken to without TLS")
    else:
        trust = "its certificate is valid" if relay.verify else "its certificate is not looked at"
        yield Finding(
            "relay TLS", "ok" if relay.verify else "note", f"{relay.name} speaks {tls}; {trust}"
        )
    if "PIPELINING" not in extras:
        yield Finding(
            "relay speed",
            "note",
            f"{relay.name} does not offer PIPELINING: each mail takes more time",
        )


def _handshake(relay: RelayAddress, helo: str) -> tuple[str | None, list[str]]:
    """Connects, signs in and disconnects. Returns the TLS version, and the known extensions.

    The version is None without TLS. Raises `OSError` or `smtplib.SMTPException`.
    """
    context = ssl.create_default_context()
    if not relay.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    make: Callable[[], smtplib.SMTP]
    if relay.implicit_tls:
        make = lambda: smtplib.SMTP_SSL(  # noqa: E731
            relay.host, relay.port, helo, timeout=TIMEOUT, context=context
        )
    else:
        make = lambda: smtplib.SMTP(relay.host, relay.port, helo, timeout=TIMEOUT)  # noqa: E731
    with contextlib.closing(make()) as server:
        server.ehlo_or_helo_if_needed()
        offered = server.has_extn("starttls")
        if (
            not relay.implicit_tls
            and relay.starttls != "never"
            and (offered or relay.starttls == "require")
        ):
            server.starttls(context=context)
            server.ehlo()
        tls = server.sock.version() if isinstance(server.sock, ssl.SSLSocket) else None
        if relay.user:
            server.login(relay.user, relay.password)
        extras = [name for name in _EXTENSIONS if server.has_extn(name)]
        with contextlib.suppress(smtplib.SMTPException):
            server.quit()
    return tls, extras


def _said(error: smtplib.SMTPResponseException, relay: RelayAddress) -> str:
    """Returns the relay's reply with our password masked: some relays repeat what they got."""
    text = error.smtp_error
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if relay.password:
        words = words.replace(relay.password, "…")
    return f"{error.smtp_code} {' '.join(words.split())}"
