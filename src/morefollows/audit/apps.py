"""Registers the activity log with Django, and as append-only in the database."""

from django.apps import AppConfig


class Audit(AppConfig):
    name = "morefollows.audit"

    def ready(self) -> None:
        from morefollows.database import append_only

        append_only.protect(append_only.Protected("audit_auditentry"))
