"""Which characters may stand in what people type: names, headlines, texts. The same wherever it comes in.

Names and headlines become header fields of mail, so nothing that could end a line gets through (RFC 5322 §2.2), nor
what UTF-8 can't say (lone surrogates, RFC 3629 §3), nor what turns round the text beside it (UAX #9 §3.2).

Each check raises `ValidationError` with words for the person who typed it.
"""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_BREAKS = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OVERRIDES = re.compile("[\u202d\u202e]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Joiners and marks of direction are part of how some languages are written.
_PART_OF_WRITING = "\u200c\u200d\u200e\u200f\u061c\u00ad"


def many_lines(value: str) -> None:
    """For a text: line feeds and tabs are part of it, other control characters are not."""
    _refuse(_CONTROLS, value)
    _refuse(_OVERRIDES, value)
    if _SURROGATES.search(value):
        raise ValidationError(
            _("There is half a character in it that can’t be sent. Type it again."), code="broken"
        )


def one_line(value: str) -> None:
    """For a headline or a note."""
    if _BREAKS.search(value):
        raise ValidationError(_("This must be one line, without line breaks."), code="breaks")
    many_lines(value)
    _refuse(_TURNING, value)
    if "\t" in value:
        raise ValidationError(_("This must not contain tabs."), code="control")


def name(value: str) -> None:
    """For what somebody or something is called: one line in which all can be seen, and something can."""
    one_line(value)
    for at, character in enumerate(value):
        if (
            unicodedata.category(character) in ("Cf", "Co", "Cn")
            and character not in _PART_OF_WRITING
        ):
            raise _invisible(value, at)
    if value and not any(unicodedata.category(character)[0] in "LNPS" for character in value):
        raise ValidationError(_("There is nothing in it that can be seen."), code="blank")


def _refuse(what: re.Pattern[str], value: str) -> None:
    if found := what.search(value):
        raise _invisible(value, found.start())


def _invisible(value: str, at: int) -> ValidationError:
    return ValidationError(
        _("There is an invisible control character (U+%(code)s) after “%(before)s”. Remove it."),
        code="control",
        params={"code": f"{ord(value[at]):04X}", "before": value[max(at - 20, 0) : at]},
    )


def check_names(**values: str) -> None:
    """`name` for several fields at once. Raises one `ValidationError` with the errors by field."""
    errors: dict[str, ValidationError] = {}
    for field, value in values.items():
        try:
            name(value)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError(errors)
