"""The routes whose path carries a token: whoever knows such an address can use it.

A route is marked by standing here; urls.py takes it from here. From the mark follow, for each path
that begins as the route does, whatever comes after:

- no cache keeps the response, no search engine lists it, and no Referer tells its address
  (`processes/web/headers.py`);
- robots.txt excludes it (`public/feeds.py`);
- log lines do not show it, in any process (`processes/logs.py`).

Without Django, for processes that have none.
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
FIRST_SIGN_IN = "desk/first/<str:key>/<str:token>/"

ALL = (
    *(FOLLOW, MUTE, CONFIRM, LEAVE, PREFERENCES, OWN_DATA, ERASE),
    *(JOIN_DRILLS, NEW_ADDRESS, FIRST_SIGN_IN),
)

#: Of the paths that carry a token, such as "/leave/".
BEGINNINGS = tuple(sorted({f"/{route.partition('<')[0]}" for route in ALL}))

# In the middle of any text: of /desk/drills/invite/, too, the end is masked, which does no harm.
_IN_TEXT = re.compile(f"({'|'.join(map(re.escape, BEGINNINGS))})[^\\s]+")


def carries_token(path: str) -> bool:
    """Whether a request's path is that of a marked route, or one below it that does not exist."""
    return path.startswith(BEGINNINGS)


def masked(text: str) -> str:
    """The text with "…" in place of each token, and of what follows it up to the next space."""
    return _IN_TEXT.sub(r"\1…", text)
