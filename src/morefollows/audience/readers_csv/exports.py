"""What the exports of other tools look like: by which columns each is known, and what its words mean here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from morefollows.audience.models import Reader

State = Reader.State

STATUSES = {
    "confirmed": State.CONFIRMED,
    "active": State.CONFIRMED,
    "enabled": State.CONFIRMED,
    "subscribed": State.CONFIRMED,
    "pending": State.PENDING,
    "unconfirmed": State.PENDING,
    "nonsubscribed": State.PENDING,
    "left": State.LEFT,
    "unsubscribed": State.LEFT,
    "disabled": State.LEFT,
    "blocklisted": State.LEFT,
    "gone": State.GONE,
    "bounced": State.GONE,
    "cleaned": State.GONE,
    "complained": State.COMPLAINED,
}
"""Every word for a status, ours and the tools', and what it means here."""

_EMAIL = (
    "email",
    "e-mail",
    "address",
    "email address",
    "email_address",
    "emailaddress",
    "recipient",
    "e-mail-adresse",
    "adresse",
)


@dataclass(frozen=True)
class Export:
    """One tool's export. `columns`: heading → the field of a row that it fills."""

    name: str
    marks: frozenset[str]  #: the headings that only this tool's export has, all of them
    columns: Mapping[str, str]
    left_when: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: heading → cells that say the reader left
    whole_file: Mapping[str, State] = field(default_factory=dict)  #: heading → what everybody in such a file is

    def fields(self, header: list[str]) -> dict[str, int]:
        """The fields that this header has, and in which column each stands."""
        columns = {**dict.fromkeys(_EMAIL, "email"), **self.columns}
        return {columns[name]: place for place, name in reversed([*enumerate(header)]) if name in columns}


LISTMONK = Export(
    "listmonk",
    frozenset({"uuid", "email", "attributes"}),
    # `created_at` is when listmonk made the entry; when the reader confirmed, its export does not say.
    {"status": "status", "created_at": "given_at", "attributes": "attributes", "lists": "lists"},
)

GHOST = Export(
    "Ghost",
    frozenset({"email", "subscribed_to_emails", "created_at"}),
    # A member comes into being by the link in Ghost's own mail: that is a confirmation.
    {"created_at": "confirmed_at"},
    left_when={
        "subscribed_to_emails": frozenset({"false", "0", ""}),
        "email_disabled": frozenset({"true", "1"}),
    },
)

MAILCHIMP = Export(
    "Mailchimp",
    frozenset({"optin_time", "confirm_time", "leid"}),
    {
        "optin_time": "given_at",
        "optin_ip": "given_from",
        "confirm_time": "confirmed_at",
        "confirm_ip": "confirmed_from",
    },
    # Mailchimp writes a file for each: who is in it has left or bounced, even where the time is missing.
    whole_file={"unsub_time": State.LEFT, "clean_time": State.GONE},
)

PLAIN = Export(
    "CSV",
    frozenset(),
    {
        "language": "language",
        "sprache": "language",
        "topics": "topics",
        "topic": "topics",
        "themen": "topics",
        "status": "status",
        "state": "status",
        "given_at": "given_at",
        "given_from": "given_from",
        "confirmed_at": "confirmed_at",
        "confirmed_from": "confirmed_from",
    },
)


def recognised(header: list[str]) -> Export:
    """Whose export has this header; plain CSV if no tool's."""
    return next((export for export in (LISTMONK, GHOST, MAILCHIMP) if export.marks <= set(header)), PLAIN)


def status_by_name(name: str) -> str | None:
    """The status that the name of a file gives everybody in it: nothing else tells Mailchimp's nonsubscribed apart."""
    return "nonsubscribed" if name.lower().startswith("nonsubscribed_") else None
