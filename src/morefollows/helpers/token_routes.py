"""The routes whose path carries a token: everyone who knows such a URL can use it.

Routes are listed here, and urls.py takes them from here. Invariant: for each path that begins like
a listed route,

- no cache keeps the response, no search engine lists it, and no Referer discloses its URL
  (`processes/web/headers.py`);
- robots.txt excludes it (`public/feeds.py`);
- log lines mask it, in any process (`processes/logs.py`).

This module does not import Django, for processes without it.
"""

from __future__ import annotations

import re

FOLLOW = "follow/<str:token>/"
MUTE = "mute/<str:token>/"
CONFIRM = "confirm/<str:token>/"
LEAVE = "leave/<str:token>/"
PREFERENCES = "preferences/<str:token>/"
OWN_DATA = "preferences/<str:token>/data/"
ERASE = "preferences/<str:token>/erase/"
JOIN_DRILLS = "drills/<str:token>/"
NEW_ADDRESS = "new-address/<str:token>/"
WEBSUB = "hooks/websub/<str:token>/"
GHOST = "hooks/ghost/<str:token>/"
HOOK = "hooks/<slug:provider>/<str:secret>/"
FIRST_SIGN_IN = "desk/first/<str:key>/<str:token>/"

ALL = (
    *(FOLLOW, MUTE, CONFIRM, LEAVE, PREFERENCES, OWN_DATA, ERASE),
    *(JOIN_DRILLS, NEW_ADDRESS, FIRST_SIGN_IN, WEBSUB, GHOST, HOOK),
)

#: Prefixes of the paths that carry a token, such as "/leave/".
BEGINNINGS = tuple(sorted({f"/{route.partition('<')[0]}" for route in ALL}))

# Matches anywhere in a text. It also masks the end of /desk/drills/invite/, which does no harm.
_IN_TEXT = re.compile(f"({'|'.join(map(re.escape, BEGINNINGS))})[^\\s]+")
# Of the invitation to a topic, and of single sign-on (RFC 6749 §4.1.2).
_IN_QUERY = re.compile(r"([?&;](?:invitation|code|state|id_token|secret)=)[^\s&;\"'<>]+")


def carries_token(path: str) -> bool:
    """Returns whether a request's path is that of a listed route, or one below it."""
    return path.startswith(BEGINNINGS)


def masked_tokens(text: str) -> str:
    """Returns the text with each token, and all up to the next space, replaced by "…".

    Values of the queries that carry one are replaced, too.
    """
    return _IN_QUERY.sub(r"\1…", _IN_TEXT.sub(r"\1…", text))
