"""What a command needs before it can touch the database."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from morefollows import __version__, settings
from morefollows.run import lock

log = logging.getLogger(__name__)


class NewerDatabase(Exception):
    """A newer version of More Follows has changed the database. ``str()`` says so, and what to do."""


def start_django() -> None:
    """Reads the settings and starts Django. Raises `SettingsError`, `NewerDatabase`.

    While `up` runs on this data folder and no address is set, links are made with the address it really has.
    """
    if "MOREFOLLOWS_URL" not in os.environ and "MOREFOLLOWS_URL_FILE" not in os.environ:
        other = lock.running(settings.load().data)
        if other and other.get("url"):
            os.environ["MOREFOLLOWS_URL"] = other["url"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "morefollows.framework")
    import django
    from django.conf import settings as configured

    from morefollows.courier import dkim

    dkim.signers(configured.MOREFOLLOWS)  # a key that is none is told now, not when the first alert is composed
    django.setup()
    refuse_newer_database()


def refuse_newer_database() -> None:
    """Raises `NewerDatabase` if migrations were applied that this version does not know.

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
    unknown = {(app, name) for app, name in applied if not _known(app, name)}
    if unknown:  # those that a later one replaces are known too, but to see that takes reading them all
        loader = MigrationLoader(None, ignore_no_migrations=True)
        unknown -= {replaced for migration in loader.disk_migrations.values() for replaced in migration.replaces}
    if unknown:
        app, name = sorted(unknown)[-1]
        raise NewerDatabase(
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


def migrate() -> list[str]:
    """Brings the database up to date. Returns the names of the migrations applied."""
    from django.core.management import call_command

    from morefollows import append_only

    waiting = pending()
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    unprotected = append_only.missing()
    if unprotected:
        log.warning("evidence was not protected by the database, and is now: %s", ", ".join(unprotected))
        append_only.make("default")
    return waiting


def pending() -> list[str]:
    """The names of the migrations that the database lacks. Raises `django.db.OperationalError`."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
