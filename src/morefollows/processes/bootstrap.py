"""What a command needs before it can touch the database."""

from __future__ import annotations

import base64
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from morefollows import __version__
from morefollows.config import loading
from morefollows.config.settings import Settings, SettingsError
from morefollows.processes import lock

log = logging.getLogger(__name__)

_TELL_AFTER = 5  # seconds of waiting


class UnknownDatabase(Exception):
    """The database's tables are not this version's: a newer one changed them, or they are from before the first
    release. ``str()`` says so, and what to do."""


def start_django(*, check: bool = True) -> bool:
    """Reads the settings and starts Django. Raises `SettingsError`, `UnknownDatabase`.

    `SettingsError` also tells of keys that are not the database's. Returns whether the keys could be compared: they
    can't be while the database can't be reached, or is not set up. `check`: false for who does it later (`migrate`).

    While `up` runs on this data folder and no address is set, links are made with the address it really has.
    """
    if "MOREFOLLOWS_URL" not in os.environ and "MOREFOLLOWS_URL_FILE" not in os.environ:
        other = lock.running(loading.load().data)
        if other and other.get("url"):
            os.environ["MOREFOLLOWS_URL"] = other["url"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "morefollows.config.django")
    import django
    from django.conf import settings as configured

    from morefollows.courier.message import dkim

    dkim.signers(
        configured.MOREFOLLOWS
    )  # a key that is none is told now, not when the first alert is composed
    django.setup()
    refuse_unknown_database()
    return check and check_keys()


def refuse_unknown_database() -> None:
    """Raises `UnknownDatabase` if migrations were applied that this version does not know, or made before a release.

    A database that can't be asked is left to whoever uses it: what is wrong with it is said there.
    """
    from django.db import DatabaseError, connection
    from django.db.migrations.loader import MigrationLoader

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
    except DatabaseError:  # no server, or nothing in it yet
        connection.close()
        return
    if any(app == "bulletin" for app, _name in applied):
        raise UnknownDatabase(
            "The database was made by a version of More Follows from before its first release, whose tables this one "
            "does not know. Export the readers with that version (`morefollows readers export`), then start with an "
            "empty data folder or database, and import them."
        )
    unknown = {(app, name) for app, name in applied if not _known(app, name)}
    if (
        unknown
    ):  # those that a later one replaces are known too, but to see that takes reading them all
        loader = MigrationLoader(None, ignore_no_migrations=True)
        unknown -= {
            replaced
            for migration in loader.disk_migrations.values()
            for replaced in migration.replaces
        }
    if unknown:
        app, name = sorted(unknown)[-1]
        raise UnknownDatabase(
            f"The database belongs to a newer version of More Follows than this one ({__version__}), which does not "
            f"know {app}.{name}. Install the newer version again; or, to go back, restore the backup made before it."
        )


def _known(app: str, name: str) -> bool:
    """This version has that migration."""
    from django.apps import apps

    try:
        package = apps.get_app_config(app).module
    except LookupError:
        return False
    assert package is not None
    return any((Path(place) / "migrations" / f"{name}.py").exists() for place in package.__path__)


def check_keys() -> bool:
    """Compares our keys with the database's, and keeps them if they are the first. Raises `SettingsError`.

    False if the database can't tell. With keys that were made just now that is an error of the database's, as nobody
    knows then whether they are wanted.
    """
    from django.conf import settings
    from django.db import Error as AnyDatabaseError

    from morefollows.audience import key_check

    keys = settings.MOREFOLLOWS.secret
    saved = keys.saved
    try:
        wrong = key_check.settle(keys)
    except AnyDatabaseError:
        if not saved:
            raise
        return False
    if wrong:
        raise SettingsError(*wrong_keys(settings.MOREFOLLOWS, wrong))
    if not saved:  # another process may have been faster, and its keys are ours now
        settings.SECRET_KEY = base64.b64encode(settings.MOREFOLLOWS.derived_key("django")).decode()
    return True


def wait_for_keys() -> None:
    """Waits until the database can tell whether our keys are its own. Raises `SettingsError`."""
    waited = 0
    while not check_keys():
        if waited == _TELL_AFTER:
            log.warning(
                "the database can't be reached, or is not set up; nothing is sent until its keys are compared"
            )
        time.sleep(1)
        waited += 1


def check_keys_later() -> None:
    """Does so beside a web server that has to answer meanwhile, and ends the process if the keys are wrong."""

    def check() -> None:
        from django.db import connection

        try:
            wait_for_keys()
            replay_departures()
        except SettingsError as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(2)
        finally:
            connection.close()

    threading.Thread(target=check, name="keys", daemon=True).start()


def replay_departures() -> None:
    """Puts into the database what this machine's file knows of who left, before any mail leaves."""
    from morefollows.audience.departures import replay

    try:
        done = +replay.own()
    except (OSError, ValueError) as error:
        log.error(
            "the departures can't be read: %s; if a backup was restored, who left since is mailed again",
            error,
        )
        return
    if done:
        told = ", ".join(f"{what}: {count}" for what, count in sorted(done.items()))
        log.warning(
            "this database lacked departures, as after a restored backup; they are in it now (%s)",
            told,
        )


def wrong_keys(config: Settings, names: Sequence[str]) -> tuple[str, str]:
    """The setting, and what is to be done: for keys that are not those that the database was set up with."""
    keys = config.secret
    remedy = (
        "copy the file `secret` of the machine where this database was set up, or of your backup, to "
        f"{keys.file or 'a file that MOREFOLLOWS_SECRET_FILE names'}, readable by its owner only, and start again"
    )
    if not keys.saved:
        why = "the database was set up with keys that are not on this machine"
    else:
        why = f"these are not the keys of the database ({', '.join(names)})"
    return "MOREFOLLOWS_SECRET", f"{why}; {remedy}"


def migrate() -> list[str]:
    """Brings the database up to date. Returns the names of the migrations applied."""
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
        append_only.make("default")
    check_keys()
    return waiting


def pending() -> list[str]:
    """The names of the migrations that the database lacks. Raises `django.db.OperationalError`."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
