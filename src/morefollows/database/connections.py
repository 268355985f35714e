"""Connections to PostgreSQL with limits: no wait for the server is endless or unlogged.

A server that disappears is detected by the kernel in about twelve seconds: by keepalives, and by
`tcp_user_timeout` for sent data. Behind a proxy that still acknowledges, the limit of
`timed_connection` applies. The server itself ends slow statements after the time-outs of `options`.
Options in the URL override all of these.

Behind a pool such as PgBouncer there are two URLs: DATABASE_URL for the short transactions of
services, and MOREFOLLOWS_LISTEN_URL, where each connection has a session of its own, for commands
(`pg_dump` sets the search path of its session) and for `database.session`.

Invariant: a service sets nothing in its session. In such a pool it would be set for others.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import dj_database_url

log = logging.getLogger(__name__)

_POOL_SECONDS = 5.0  # until a connection of the pool is free
_IDLE_SECONDS = 60.0  # until an idle connection of the pool is closed

# Commands such as imports and migrations may run long, but don't wait for locks without a limit.
_COMMAND = {"lock_timeout": "60s", "idle_in_transaction_session_timeout": "30min"}
# Statements of the web server and the senders are short.
_SERVICE = {
    "lock_timeout": "5s",
    "statement_timeout": "12s",
    "idle_in_transaction_session_timeout": "30s",
}
# A sender tries again soon: no mail leaves while its only connection waits.
_SENDER = {**_COMMAND, "lock_timeout": "1s", "statement_timeout": "30s"}
_SERVICE_PATIENCE = 15.0  # seconds for one reply of the server


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Django's `OPTIONS` for every process. `given`: the options in the URL."""
    return {
        "connect_timeout": 5,
        # 5 s of silence, then 2 probes 3 s apart: a lost server is noticed after 11 s.
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 12_000,  # milliseconds
        **given,
        "options": _startup(_COMMAND, given),
    }


def command_settings(database_url: str, listen_url: str) -> dict[str, Any]:
    """Returns Django's settings of a PostgreSQL database, as commands use it."""
    found: dict[str, Any] = dict(dj_database_url.parse(listen_url or database_url))
    return {**found, "OPTIONS": options(found.get("OPTIONS") or {}), "CONN_HEALTH_CHECKS": True}


def session_parameters(url: str) -> dict[str, Any]:
    """Returns libpq's parameters for `database.session`, from a URL as `DATABASE_URL` has it."""
    found = dj_database_url.parse(url)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host"}
    given = {**{ours: found.get(theirs) for theirs, ours in names.items()}, "port": found["PORT"]}
    known = {name: value for name, value in given.items() if value}
    extra = dict(found.get("OPTIONS") or {})
    return {**known, **options(extra), "application_name": "morefollows session"}


def set_service_timeouts(threads: int) -> None:
    """Sets time-outs for a service. Called when a web or sender process starts.

    On PostgreSQL its connections come from a pool of up to `threads`.
    """
    from django.db import connections

    connection = connections["default"]
    connection.close()
    if connection.vendor == "sqlite":
        # Seconds to wait for SQLite's write lock, until it raises "database is locked".
        connection.settings_dict["OPTIONS"]["timeout"] = 8
        return
    from morefollows.database.timed_connection import TimedConnection, WatchedConnection

    found = _of_service(connection.settings_dict, _SERVICE)
    TimedConnection.patience_seconds = _SERVICE_PATIENCE
    if find_spec("psycopg_pool") is None:
        log.warning("psycopg-pool is not installed: every request makes a connection of its own")
        return
    found["pool"] = {
        "min_size": 0,
        "max_size": threads,
        "timeout": _POOL_SECONDS,
        "max_waiting": 4 * threads,
        "max_idle": _IDLE_SECONDS,
        "num_workers": 2,
        "connection_class": WatchedConnection,
        "name": "database",
    }


def set_sender_timeouts() -> None:
    """Sets time-outs for a sender. Called when it starts."""
    from django.db import connections

    connection = connections["default"]
    connection.close()
    if connection.vendor == "postgresql":
        _of_service(connection.settings_dict, _SENDER)


def _of_service(database: dict[str, Any], timeouts: Mapping[str, str]) -> dict[str, Any]:
    """Has this process use DATABASE_URL with these time-outs. Returns the options."""
    from django.conf import settings

    config, given = settings.MOREFOLLOWS, settings.DATABASE_OPTIONS
    if config.listen_url:
        whole = dj_database_url.parse(config.database_url)
        place = {name: whole[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
        # The next rows of a cursor may be asked for in another session, which does not have it.
        database.update(place, DISABLE_SERVER_SIDE_CURSORS=True)
    found: dict[str, Any] = {**options(given), "options": _startup(timeouts, given)}
    database["OPTIONS"] = found
    return found


def _startup(ours: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """Returns the session's command-line options. The URL's come last, and override ours."""
    return " ".join(
        [*(f"-c {name}={value}" for name, value in ours.items()), str(given.get("options", ""))]
    ).strip()
