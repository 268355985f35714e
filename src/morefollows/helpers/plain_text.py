"""Checks which characters may be in typed text: names, headlines and bodies. Used by every input.

Names and headlines become header fields of mail. Refused are line breaks (RFC 5322 §2.2), lone
surrogates, which UTF-8 can't encode (RFC 3629 §3), and overrides of text direction (UAX #9 §3.2).

Each check raises `ValidationError` with a message for the person who typed it.
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
# Some languages are written with joiners and direction marks.
_PART_OF_WRITING = "\u200c\u200d\u200e\u200f\u061c\u00ad"


def many_lines(value: str) -> None:
    """Checks a body: line feeds and tabs are allowed, other control characters are not."""
    _refuse(_CONTROLS, value)
    _refuse(_OVERRIDES, value)
    if _SURROGATES.search(value):
        raise ValidationError(
            _("There is half a character in it that can’t be sent. Type it again."), code="broken"
        )


def one_line(value: str) -> None:
    """Checks a headline or a note: one line without tabs."""
    if _BREAKS.search(value):
        raise ValidationError(_("This must be one line, without line breaks."), code="breaks")
    many_lines(value)
    _refuse(_TURNING, value)
    if "\t" in value:
        raise ValidationError(_("This must not contain tabs."), code="control")


def name(value: str) -> None:
    """Checks a name: one line without invisible characters, and with a visible one."""
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
    """Checks several names. Raises one `ValidationError` with the errors by field."""
    errors: dict[str, ValidationError] = {}
    for field, value in values.items():
        try:
            name(value)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError(errors)
