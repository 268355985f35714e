"""Registers stories with Django, and the triggers that protect published updates and drills."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

_UPDATE = (
    "pk",
    "story_id",
    "number",
    "kind",
    "headline",
    "standfirst",
    "text",
    "note",
    "answers",
    "language",
    "author_id",
    "created_at",
    "published_at",
)
_UPDATE_2 = (*_UPDATE, "byline", "place", "own_subject")


class Stories(AppConfig):
    name = "morefollows.stories"

    def ready(self) -> None:
        from morefollows.audience.consent import seals
        from morefollows.database import append_only
        from morefollows.stories import drill_separation

        append_only.protect(
            append_only.Protected("stories_update", once="{row}.published_at IS NOT NULL"),
            append_only.Protected("stories_image_updates"),
        )
        seals.register_tables(
            seals.EvidenceTable(
                "stories.Update", {1: _UPDATE, 2: _UPDATE_2}, published="published_at"
            ),
        )
        pre_migrate.connect(drill_separation.drop_drill_triggers, sender=self)
        post_migrate.connect(drill_separation.create_drill_triggers, sender=self)
