"""Adds, changes and removes relays that are kept in the database: the setting `relays`."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from morefollows.config.addresses.relay_address import RelayAddress, relays
from morefollows.setup.actions import change_settings
from morefollows.setup.in_force import given_by_environment, read_stored
from morefollows.setup.models import StoredSetting
from morefollows.setup.named_files import check_named_files


class StoredRelay(NamedTuple):
    """A relay's URL as it is stored, with its password, and what it means."""

    url: str
    address: RelayAddress


def is_given_by_environment() -> bool:
    """Whether MOREFOLLOWS_RELAY gives the relays, so that they can't be changed here."""
    return given_by_environment("relays")


def stored_relays() -> list[StoredRelay]:
    """Returns the relays of the database, in order."""
    row = StoredSetting.objects.filter(pk="relays").first()
    if row is None:
        return []
    try:
        text = read_stored("relays", row.value)
        return [StoredRelay(url, relays(url)[0]) for url in text.split()]
    except ValueError:
        return []


def parse_relay(by: Model | None, url: str) -> RelayAddress:
    """Reads the URL of a relay as somebody has entered it. Raises `ValidationError`."""
    known = " ".join(one.url for one in stored_relays())
    try:
        check_named_files(by, url, known)
        return relays(url.strip())[0]
    except (ValueError, IndexError) as error:
        raise ValidationError(str(error)) from None


def save_relay(by: Model | None, url: str, replaces: str = "") -> RelayAddress:
    """Adds a relay, or changes the one called `replaces`. Raises `ValidationError`."""
    known = stored_relays()
    address = parse_relay(by, url)
    urls = [url.strip() if one.address.name == replaces else one.url for one in known]
    if not any(one.address.name == replaces for one in known):
        urls.append(url.strip())
    _store(by, urls)
    return address


def remove_relay(by: Model | None, name: str) -> bool:
    """Removes a relay. Returns whether there was one. Without any, mail goes to the local inbox."""
    known = stored_relays()
    left = [one.url for one in known if one.address.name != name]
    if len(left) == len(known):
        return False
    _store(by, left)
    return True


def _store(by: Model | None, urls: list[str]) -> None:
    if is_given_by_environment():
        raise ValidationError(
            _("The environment sets the relays (%(variable)s). Change them there.")
            % {"variable": "MOREFOLLOWS_RELAY"}
        )
    try:
        change_settings(by, {"relays": "\n".join(urls) if urls else None})
    except ValidationError as error:
        raise ValidationError(error.messages) from None


def smtp_url(
    host: str, port: int | None, user: str, password: str, *, implicit_tls: bool, **options: str
) -> str:
    """Returns the URL of an SMTP relay. `options`: those of its query that are not empty."""
    scheme = "smtps" if implicit_tls else "smtp"
    bare = f"[{host}]" if ":" in host else host
    who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    query = urlencode({name: value for name, value in options.items() if value})
    place = f"{bare}:{port}" if port else bare
    return f"{scheme}://{who}{place}" + (f"?{query}" if query else "")
