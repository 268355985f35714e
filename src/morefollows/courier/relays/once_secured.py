"""Which relays have agreed to STARTTLS once: nothing is sent to them without TLS any more.

An attacker on the way may remove the keyword from what a relay offers (RFC 3207 §6). So what a
relay has done once it must do again, in later processes and on other machines, too;
`courier.smtp.handshake` holds it to that. A relay is known by its name and its host:port: after its
address was changed, it may begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.models import Relay


def note_secured(name: str, host_and_port: str) -> None:
    """Stores that the relay has agreed to STARTTLS."""
    with transaction.atomic():
        relay = Relay.objects.get_or_create(name=name)[0]
        if relay.secured_as != host_and_port:
            relay.secured_as, relay.secured_at = host_and_port, timezone.now()
            relay.save(update_fields=["secured_as", "secured_at"])


def once_secured(relays: Iterable[RelayAddress]) -> set[str]:
    """Returns the names of those of these relays that have agreed to STARTTLS before."""
    stored = dict(Relay.objects.exclude(secured_as="").values_list("name", "secured_as"))
    return {relay.name for relay in relays if stored.get(relay.name) == relay.host_and_port}
