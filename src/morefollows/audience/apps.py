"""Registers the audience with Django, and the tables of evidence that are protected and sealed."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

_AUDIT_ENTRY = ("pk", "at", "editor_id", "what", "story_id", "alert_id", "details")
_AUDIT_ENTRY_2 = (*_AUDIT_ENTRY, "subject", "operator", "network")


class Audience(AppConfig):
    name = "morefollows.audience"

    def ready(self) -> None:
        from morefollows.audience.consent import evidence, seals
        from morefollows.database import append_only

        append_only.protect(*evidence.PROTECTED)
        seals.register_tables(
            *evidence.SEALED,
            seals.EvidenceTable("audit.AuditEntry", {1: _AUDIT_ENTRY, 2: _AUDIT_ENTRY_2}),
        )
        pre_migrate.connect(append_only.drop_triggers, sender=self)
        post_migrate.connect(append_only.create_triggers, sender=self)
