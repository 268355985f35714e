"""What a command needs before it can touch the database."""

from __future__ import annotations

import os

from morefollows import settings
from morefollows.run import lock


def start_django() -> None:
    """Reads the settings and starts Django. Raises `SettingsError`.

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


def migrate() -> list[str]:
    """Brings the database up to date. Returns the names of the migrations applied."""
    from django.core.management import call_command

    waiting = pending()
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    return waiting


def pending() -> list[str]:
    """The names of the migrations that the database lacks. Raises `django.db.OperationalError`."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
