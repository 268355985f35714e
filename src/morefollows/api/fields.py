"""Types of fields, with the same rules in the OpenAPI document as at the desk.

What a type refuses is answered with 422. What only the newsroom's data can tell, such as a topic
that is not there, is answered with 404 or 409.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    IPvAnyAddress,
    Strict,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from morefollows.config.languages import LANGUAGES

# As `helpers.plain_text` has them.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e"
_BREAKS = _CONTROLS + r"\x09\x0a\u2028\u2029\u202a-\u202e\u2066-\u2069"


def _any(refused: str) -> StringConstraints:
    return StringConstraints(pattern=f"^[^{refused}]*$")


def _some(refused: str) -> StringConstraints:
    return StringConstraints(pattern=f"^[^{refused}]*[^{refused}\\s][^{refused}]*$", min_length=1)


Line = Annotated[str, _any(_BREAKS)]  #: one line; may be empty
SomeLine = Annotated[str, _some(_BREAKS)]
Markdown = Annotated[str, _any(_CONTROLS)]
SomeMarkdown = Annotated[str, _some(_CONTROLS)]
Slug = Annotated[str, StringConstraints(pattern="^[a-zA-Z0-9_-]+$", max_length=50, min_length=1)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  #: no database can hold NUL


def _text_only(value: object) -> object:
    """Numbers are not taken for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("must be a date and time as in RFC 3339, such as 2026-11-30T18:00:00Z")
    return value


# JSON has numbers, yes and no, and text, and none stands for another.
YesNo = StrictBool
Whole = StrictInt
Number = Annotated[float, Strict()]

Moment = Annotated[AwareDatetime, BeforeValidator(_text_only)]


def _known(language: str) -> str:
    codes = list(LANGUAGES)
    if language not in codes:
        raise ValueError(f"must be one of {', '.join(codes)}")
    return language


ClientAddress = Annotated[
    IPvAnyAddress,
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
Language = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": list(LANGUAGES)}),
]
