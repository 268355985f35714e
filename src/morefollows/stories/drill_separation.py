"""Database triggers that keep drills apart from the real audience, on both databases.

Invariant: an alert goes to the drill's readers if and only if its story is a drill.

A CHECK constraint can't read another table, so this needs triggers. They are dropped before each
migration and created again after it. SQLite changes a table by rebuilding it, which fails while a
trigger refers to it.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

_IS_DRILL = (
    "(SELECT s.drill FROM stories_update u JOIN stories_story s ON s.id = u.story_id"
    " WHERE u.id = NEW.update_id)"
)
_ALERT_MESSAGE = "a drill goes to its own readers, and nothing else does"
_WRONG_ALERT = f"(NEW.audience = 'drill') <> {_IS_DRILL}"
_WRONG_UPDATE = (
    "(SELECT drill FROM stories_story WHERE id = NEW.story_id)"
    " <> (SELECT drill FROM stories_story WHERE id = OLD.story_id)"
)
_WRONG_STORY = (
    "NEW.drill <> OLD.drill AND EXISTS (SELECT 1 FROM stories_update u WHERE u.story_id = NEW.id)"
)
#: Name, table, event, the condition that is refused, and the error message.
_TRIGGERS = (
    ("alert_drill_new", "alert", "INSERT", _WRONG_ALERT, _ALERT_MESSAGE),
    ("alert_drill", "alert", "UPDATE OF audience, update_id", _WRONG_ALERT, _ALERT_MESSAGE),
    (
        "update_drill",
        "update",
        "UPDATE OF story_id",
        _WRONG_UPDATE,
        "an update of a drill is never one of real news",
    ),
    (
        "story_drill",
        "story",
        "UPDATE OF drill",
        _WRONG_STORY,
        "what has been sent stays a drill, or stays none",
    ),
)


def drop_drill_triggers(using: str, **_signal: Any) -> None:
    """Drops the triggers. Called before each migration."""
    database = connections[using]
    if "stories_story" not in database.introspection.table_names():
        return
    with database.cursor() as cursor:
        for name, table, *_rest in _TRIGGERS:
            on = f" ON stories_{table}" if database.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS stories_{name}{on}")


def create_drill_triggers(using: str, **_signal: Any) -> None:
    """Creates the triggers. Called after each migration."""
    database = connections[using]
    drop_drill_triggers(using)
    if "stories_story" not in database.introspection.table_names():
        return  # only other apps have been migrated so far
    with database.cursor() as cursor:
        columns = {
            column.name
            for column in database.introspection.get_table_description(cursor, "stories_story")
        }
        if "drill" not in columns:
            return  # migrated to an earlier version
        for name, table, event, wrong, message in _TRIGGERS:
            if database.vendor == "postgresql":
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION stories_{name}() RETURNS trigger"
                    " LANGUAGE plpgsql AS $$ BEGIN"
                    f" IF {wrong} THEN RAISE EXCEPTION '{message}'"
                    " USING ERRCODE = 'check_violation'; END IF;"
                    " RETURN NEW; END $$"
                )
                refuse = f"EXECUTE FUNCTION stories_{name}()"
            else:
                refuse = f"WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            cursor.execute(
                f"CREATE TRIGGER stories_{name} BEFORE {event} ON stories_{table}"
                f" FOR EACH ROW {refuse}"
            )
