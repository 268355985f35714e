"""Which sites may show the box; each action is one transaction."""

from __future__ import annotations

from django.utils import timezone

from morefollows.audience.models import Site


def add_site(origin: str) -> Site:
    """Lets this site's pages show the box. `origin`: as `origins.origin` returns it. Again changes nothing."""
    site, _made = Site.objects.get_or_create(origin=origin, defaults={"added_at": timezone.now()})
    return site


def remove_site(origin: str) -> bool:
    """Its boxes stop working at once. False if it was not there."""
    deleted, _by_model = Site.objects.filter(origin=origin).delete()
    return bool(deleted)
