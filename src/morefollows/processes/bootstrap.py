"""Preparation before a command uses the database: settings, Django, checks and migrations."""

from __future__ import annotations

import base64
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec

from morefollows import __version__
from morefollows.config import loading
from morefollows.config.settings import Settings, SettingsError
from morefollows.processes import lock

log = logging.getLogger(__name__)

_WARN_AFTER = 5  # seconds of waiting before the log says so


class UnknownDatabase(Exception):
    """The database's tables are not this version's.

    A newer version changed them, or they are from before the first release. ``str()`` says so, and
    what to do.
    """


def start_django(*, check: bool = True) -> bool:
    """Reads the settings and starts Django. Raises `SettingsError`, `UnknownDatabase`.

    Raises `SettingsError` also for keys that are not the database's. Returns whether the keys were
    compared. That fails while the database is unreachable or not set up. `check`: false for callers
    that compare the keys later (`migrate`).

    While `up` runs on this data folder and no URL is set, links use the address that `up` listens
    on.
    """
    load_django()
    refuse_unknown_database()
    checked = check and check_keys()
    apply_stored_settings()
    choose_notifier()
    return checked


def load_django() -> None:
    """Reads the settings and starts Django, without the database. Raises `SettingsError`."""
    if "MOREFOLLOWS_URL" not in os.environ and "MOREFOLLOWS_URL_FILE" not in os.environ:
        other = lock.running_up(loading.load().data)
        if other and other.get("url"):
            os.environ["MOREFOLLOWS_URL"] = other["url"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "morefollows.config.django")
    import django
    from django.conf import settings as configured

    from morefollows.courier.message import dkim

    # Load the DKIM keys now: an invalid key is an error at the start, not with the first alert.
    dkim.signers(configured.MOREFOLLOWS)
    django.setup()


def choose_notifier() -> None:
    """Chooses what wakes up other processes, and the session for locks. Connects to nothing yet."""
    from django.conf import settings

    from morefollows import notify
    from morefollows.database import connections
    from morefollows.nodes import leader

    config: Settings = settings.MOREFOLLOWS
    if leader.has_session():  # chosen before, in this process
        return
    session = None
    if config.database_url.startswith("postgres"):
        from morefollows.database.session import DatabaseSession

        parameters = connections.session_parameters(config.listen_url or config.database_url)
        session = DatabaseSession(parameters)
        leader.use_session(session)
    if config.notify:
        if find_spec("nats") is None:
            raise SettingsError(
                "MOREFOLLOWS_NOTIFY", "needs nats-py: pip install morefollows[nats]"
            )
        from morefollows.notify.nats import NatsNotifier

        notify.use(NatsNotifier(config.notify.split()))
    elif session is not None:
        from morefollows.notify.postgres import PostgresNotifier

        notify.use(PostgresNotifier(session))


def apply_stored_settings() -> None:
    """Takes the settings that were changed at the desk. Does nothing without a database."""
    from django.db import DatabaseError, connection

    from morefollows.setup import in_force

    try:
        in_force.apply_stored()
    except DatabaseError:  # no server, or no tables yet
        connection.close()


def refuse_unknown_database() -> None:
    """Raises `UnknownDatabase` if this version does not know all applied migrations.

    Does nothing if the database can't be queried: the command that uses it reports the error.
    """
    from django.db import DatabaseError, connection

    from morefollows.database.known_migrations import MOVED, unknown_migrations

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
    except DatabaseError:  # no server, or no tables yet
        connection.close()
        return
    if any(app == "bulletin" for app, _name in applied):
        raise UnknownDatabase(
            "The database was made by a version of More Follows from before its first "
            "release, whose tables this one "
            "does not know. Export the readers with that version (`morefollows readers "
            "export`), then start with an "
            "empty data folder or database, and import them."
        )
    if MOVED in applied:
        raise UnknownDatabase(
            f"{connection.settings_dict['NAME']}: what was in this file was moved to PostgreSQL, "
            f"and may have changed there since. Set DATABASE_URL to that database."
        )
    unknown = unknown_migrations(applied)
    from morefollows.nodes import admission

    if unknown and not admission.not_bearable([f"{app}.{name}" for app, name in unknown]):
        log.warning(
            "the database is a newer version's; this one (%s) can go on with what it added",
            __version__,
        )
    elif unknown:
        app, name = unknown[-1]
        raise UnknownDatabase(
            f"The database belongs to a newer version of More Follows than this one "
            f"({__version__}), which does not "
            f"know {app}.{name}. Install the newer version again; or, to go back, restore "
            f"the backup made before it."
        )


def check_keys() -> bool:
    """Compares our keys with the database's. Saves new keys. Raises `SettingsError` if they differ.

    Returns false if the database can't be queried. For keys that were just created it raises the
    database's error instead, as it is unknown whether the database has other keys.
    """
    from django.conf import settings
    from django.db import Error as AnyDatabaseError

    from morefollows.audience import key_check

    keys = settings.MOREFOLLOWS.secret
    saved = keys.saved
    try:
        wrong = key_check.check_or_store(keys)
    except AnyDatabaseError:
        if not saved:
            raise
        return False
    if wrong:
        raise SettingsError(*wrong_keys(settings.MOREFOLLOWS, wrong))
    if not saved:  # another process may have been faster; then its keys are used
        settings.SECRET_KEY = base64.b64encode(settings.MOREFOLLOWS.derived_key("django")).decode()
    return True


def wait_for_keys() -> None:
    """Waits until our keys were compared with the database's. Raises `SettingsError`."""
    waited = 0
    while not check_keys():
        if waited == _WARN_AFTER:
            log.warning(
                "the database can't be reached, or is not set up; nothing is sent until its "
                "keys are compared"
            )
        time.sleep(1)
        waited += 1


def check_keys_later() -> None:
    """Compares the keys in a thread, so that the web server can answer meanwhile.

    Ends the process with exit code 2 if the keys are wrong.
    """

    def check() -> None:
        from django.db import connection

        try:
            wait_for_keys()
            replay_departures()
        except SettingsError as error:
            print(error, file=sys.stderr, flush=True)
            # `sys.exit` would end this thread only.
            os._exit(2)
        finally:
            connection.close()

    threading.Thread(target=check, name="keys", daemon=True).start()


def replay_departures() -> None:
    """Applies this machine's departures file to the database. Called before any mail is sent.

    A restored backup lacks the readers who unsubscribed since; the file has them.
    """
    from morefollows.audience.departures import replay

    try:
        done = +replay.own()
    except (OSError, ValueError) as error:
        log.error(
            "the departures can't be read: %s; if a backup was restored, who left since is "
            "mailed again",
            error,
        )
        return
    if done:
        summary = ", ".join(f"{what}: {count}" for what, count in sorted(done.items()))
        log.warning(
            "this database lacked departures, as after a restored backup; they are in it now (%s)",
            summary,
        )


def wrong_keys(config: Settings, names: Sequence[str]) -> tuple[str, str]:
    """Returns the setting and the remedy for keys that are not the database's."""
    keys = config.secret
    remedy = (
        "copy the file `secret` of the machine where this database was set up, or of your "
        "backup, to "
        f"{keys.file or 'a file that MOREFOLLOWS_SECRET_FILE names'}, readable by its owner "
        f"only, and start again"
    )
    if not keys.saved:
        why = "the database was set up with keys that are not on this machine"
    else:
        why = f"these are not the keys of the database ({', '.join(names)})"
    return "MOREFOLLOWS_SECRET", f"{why}; {remedy}"


def migrate() -> list[str]:
    """Brings the database up to date. Returns the names of the applied migrations."""
    from django.core.management import call_command

    from morefollows.database import append_only

    waiting = pending()
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    unprotected = append_only.missing()
    if unprotected:
        log.warning(
            "evidence was not protected by the database, and is now: %s", ", ".join(unprotected)
        )
        append_only.create_triggers("default")
    _note_steps()
    check_keys()
    return waiting


def _note_steps() -> None:
    """Notes for older versions which migrations they can go on with: see `tools/migrations`."""
    from django.db.migrations.loader import MigrationLoader

    from morefollows.nodes import actions

    steps = {
        f"{app}.{name}": bool(getattr(migration, "contract", False))
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
    }
    actions.write_steps(steps)


def pending() -> list[str]:
    """Returns the names of the migrations that the database lacks. Raises `OperationalError`."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
