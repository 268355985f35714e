"""Adds and removes sites that may show the sign-up box. Each action is one transaction."""

from __future__ import annotations

from django.utils import timezone

from morefollows.audience.models import Site


def add_site(origin: str) -> Site:
    """Allows a site. Idempotent. `origin`: as `origins.origin` returns it."""
    site, _made = Site.objects.get_or_create(origin=origin, defaults={"added_at": timezone.now()})
    return site


def remove_site(origin: str) -> bool:
    """Disallows a site; its boxes stop working at once. Returns False if it was not allowed."""
    deleted, _by_model = Site.objects.filter(origin=origin).delete()
    return bool(deleted)
