"""Adds and removes sites that may show the sign-up box. Each action is one transaction."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from morefollows.audience.models import Site
from morefollows.audit.actions import record


def add_site(origin: str, by: Model | None = None) -> Site:
    """Allows a site. Idempotent. `origin`: as `site_origins.origin` has it. `by`: the editor."""
    with transaction.atomic():
        now = timezone.now()
        site, made = Site.objects.get_or_create(origin=origin, defaults={"added_at": now})
        if made:
            record(by, "add site", subject=origin, site=origin)
    return site


def remove_site(origin: str, by: Model | None = None) -> bool:
    """Disallows a site; its boxes stop working at once. Returns False if it was not allowed."""
    with transaction.atomic():
        deleted, _by_model = Site.objects.filter(origin=origin).delete()
        if deleted:
            record(by, "remove site", subject=origin, site=origin)
    return bool(deleted)
