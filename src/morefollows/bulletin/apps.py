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


class Bulletin(AppConfig):
    name = "morefollows.bulletin"

    def ready(self) -> None:
        from morefollows.audience.consent import seals
        from morefollows.bulletin import separation
        from morefollows.database import append_only

        append_only.protect(
            append_only.Protected("bulletin_update", once="{row}.published_at IS NOT NULL"),
            append_only.Protected("bulletin_image_updates"),
        )
        seals.register(
            seals.Evidence("bulletin.Update", {1: _UPDATE}, published="published_at"),
        )
        pre_migrate.connect(separation.take_away, sender=self)
        post_migrate.connect(separation.make, sender=self)
