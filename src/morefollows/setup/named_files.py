"""Files of this machine that addresses in a setting name: `?password_file=/run/secrets/key`.

The environment and commands on the machine may name them. The desk and programs may not: what is in
the file would be sent to the host that the same address names, or be shown as a relay's name.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from django.db.models import Model
from django.utils.translation import gettext as _

_ENDS = "_file"


def check_named_files(by: Model | None, text: str, before: str) -> None:
    """Raises `ValueError`, with a text for editors, if `by` names a file for another host or anew.

    `by`: None for a command, which may. `before`: the text that is stored; what it names may stay.
    Called before the text is parsed, as that reads the file.
    """
    if by is not None and _named_files(text) - _named_files(before):
        raise ValueError(
            _(
                "A file on this machine can be named only by the environment or a command. "
                "Enter what is in it."
            )
        )


def _named_files(text: str) -> set[tuple[str, str, str]]:
    """The host, the option and the file of each."""
    found = set[tuple[str, str, str]]()
    for url in text.split():
        try:
            parts = urlsplit(url)
        except ValueError:  # no address, so nothing is read
            continue
        host = parts.netloc.rpartition("@")[2].lower()
        pairs = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
        found |= {(host, name, value) for name, value in pairs if name.endswith(_ENDS)}
    return found
