"""Whether this version of More Follows knows the migrations that a database has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

#: Stands among the migrations of a SQLite file whose content was moved to PostgreSQL.
MOVED = ("morefollows", "moved_to_postgresql")


def unknown_migrations(applied: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns those that this version lacks, as (app, name), sorted. Needs Django's apps."""
    from django.db.migrations.loader import MigrationLoader

    unknown = {(app, name) for app, name in applied if not _known(app, name)}
    # Migrations that a later one replaces are known too. To find them takes loading all migrations.
    if unknown:
        loader = MigrationLoader(None, ignore_no_migrations=True)
        unknown -= {
            replaced
            for migration in loader.disk_migrations.values()
            for replaced in migration.replaces
        }
    return sorted(unknown)


def _known(app: str, name: str) -> bool:
    """Returns whether this version has that migration."""
    from django.apps import apps

    try:
        package = apps.get_app_config(app).module
    except LookupError:
        return False
    assert package is not None
    return any((Path(place) / "migrations" / f"{name}.py").exists() for place in package.__path__)
