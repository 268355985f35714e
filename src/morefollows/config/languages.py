"""The languages that the product speaks: all of them with readers, some at the desk.

To add one: a line here, its catalogue by `tools/messages`, its privacy notice and consent texts in
`audience/consent`, and MOREFOLLOWS_LANGUAGES.
"""

from __future__ import annotations

import re

#: Code → the language's own name, for readers to choose by.
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "ar": "العربية",
    "he": "עברית",
}
#: The desk is translated into these.
DESK = ("en", "de")
#: These are complete in all that readers see. In the others a story and its mail can be written:
#: what has no translation is English.
COMPLETE = ("en", "de", "fr", "es")
RIGHT_TO_LEFT = ("ar", "he")


def direction(language: str) -> str:
    """The value of HTML's `dir` for this language."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def codes(value: str) -> tuple[str, ...]:
    """Reads the setting: codes of `LANGUAGES`. Raises `ValueError`."""
    found = tuple(dict.fromkeys(word for word in re.split(r"[,\s]+", value.lower()) if word))
    if not found or not set(found) <= LANGUAGES.keys():
        raise ValueError(f"must be one or several of {', '.join(LANGUAGES)}")
    return found
