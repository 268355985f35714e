"""Finds what the newsroom must still fill in or finish before readers can be mailed.

Invariant: while a placeholder is found, no mail is handed to a relay that delivers to readers.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from morefollows.audience.models import Newsroom
from morefollows.config.settings import Settings
from morefollows.setup import first_run

log = logging.getLogger(__name__)

# Values written at the first start, and values of the sample newsroom.
DEFAULT_NAME = "Your newsroom"
DEFAULT_SENDER = "alerts@newsroom.example"
DEFAULT_POSTAL = "Your postal address"
SAMPLE_NAME = "The Harbour Herald"
SAMPLE_SENDER = "alerts@herald.example"
SAMPLE_POSTAL = "12 Ropewalk, Port Ellery"

#: Reserved domains: RFC 2606 §2 and §3, RFC 6761 §6.
_RESERVED = re.compile(
    r"(.+\.)?(example|test|invalid|localhost|example\.(com|net|org))\.?", re.IGNORECASE
)
_LOOK_EVERY = 1.0  # seconds


class Placeholder(NamedTuple):
    """A value that is not filled in."""

    field: str  #: name of the option of `morefollows newsroom`, or of the setting
    text: str  #: message: what is wrong, and where to fill it in


def found(config: Settings, newsroom: Newsroom | None) -> list[Placeholder]:
    """Returns all placeholders, whether or not mail goes to a relay."""
    if newsroom is None:
        return [
            Placeholder(
                "newsroom",
                _("The newsroom is not set up yet: `morefollows newsroom --name …` does it."),
            )
        ]
    return [*_of_newsroom(newsroom), *_of_settings(config), *_of_first_run()]


def blocking() -> list[Placeholder]:
    """Returns the placeholders that prevent handing mail to a relay.

    None do while mail goes to the local inbox. None do with `MOREFOLLOWS_TEST_RELAY`, as the relay
    does not deliver to readers.
    """
    config = settings.MOREFOLLOWS
    if config.inbox or config.test_relay:
        return []
    return found(config, Newsroom.objects.filter(pk=1).first())


class PlaceholderWatch:
    """Calls `blocking` at most once a second, and logs changes. Used by the sender process."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._found: list[Placeholder] = []

    def holding(self) -> bool:
        """Returns whether mail must not be sent. Raises `django.db.DatabaseError`."""
        if time.monotonic() >= self._looked_at + _LOOK_EVERY:
            with override("en"):
                now = blocking()
            self._looked_at = time.monotonic()
            for one in now if now != self._found else ():
                log.warning("no mail is handed to a relay: %s", one.text)
            if self._found and not now:
                log.warning("everything is filled in: mail is handed to the relay")
            self._found = now
        return bool(self._found)


def _of_first_run() -> list[Placeholder]:
    """The first run in the browser, while it is begun and not finished."""
    step = first_run.next_step()
    if not step:
        return []
    text = _("The first run is not finished: step %(step)d of %(steps)d is next, under %(page)s.")
    page = f"{settings.MOREFOLLOWS.url}/desk/setup/"
    return [Placeholder("setup", text % {"step": step, "steps": first_run.STEPS, "page": page})]


def _of_newsroom(newsroom: Newsroom) -> list[Placeholder]:
    wrong = [
        Placeholder(
            field,
            _(
                "The %(label)s is still a placeholder (%(value)s). "
                "Fill it in: `morefollows newsroom --%(option)s …`."
            )
            % {
                "label": label,
                "value": getattr(newsroom, field),
                "option": field.replace("_", "-"),
            },
        )
        for field, label, placeholders in (
            ("name", _("newsroom’s name"), (DEFAULT_NAME, SAMPLE_NAME)),
            ("sender_name", _("sender’s name"), (DEFAULT_NAME, SAMPLE_NAME)),
            ("postal_address", _("postal address"), (DEFAULT_POSTAL, SAMPLE_POSTAL)),
        )
        if _is_one_of(getattr(newsroom, field), placeholders)
        # By default the sender's name is the newsroom's, which is reported already.
        and not (field == "sender_name" and newsroom.sender_name == newsroom.name)
    ]
    domain = newsroom.sender_address.rpartition("@")[2]
    if _RESERVED.fullmatch(domain):
        text = _(
            "The sender’s address %(value)s is in a domain for examples. "
            "Fill it in: `%(command)s …`."
        )
        command = "morefollows newsroom --sender-address"
        wrong.append(
            Placeholder(
                "sender_address", text % {"value": newsroom.sender_address, "command": command}
            )
        )
    return wrong


def _is_one_of(value: str, placeholders: tuple[str, ...]) -> bool:
    """Returns whether `value` is empty or one of the placeholders, ignoring case."""
    return value.strip().casefold() in ("", *(one.casefold() for one in placeholders))


def _of_settings(config: Settings) -> list[Placeholder]:
    wrong = []
    host = (urlsplit(config.url).hostname or "").lower()
    if _RESERVED.fullmatch(host) or _is_this_machine(host):
        text = _(
            "Links in mail would lead to %(value)s, where readers find nothing. "
            "Set MOREFOLLOWS_URL."
        )
        wrong.append(Placeholder("MOREFOLLOWS_URL", text % {"value": config.url}))
    for name in ("bounce_domain", "dkim_domain"):
        value = getattr(config, name)
        if value and _RESERVED.fullmatch(value):
            variable = f"MOREFOLLOWS_{name.upper()}"
            text = _("%(name)s is a domain for examples (%(value)s). Set it to one of yours.")
            wrong.append(Placeholder(variable, text % {"name": variable, "value": value}))
    return wrong


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
