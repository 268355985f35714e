"""The form for a new version of a consent text."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from morefollows.audience.models import Wording

_LONGEST = {
    Wording.Kind.ALERTS: 500,
    Wording.Kind.OFFERS: 500,
    Wording.Kind.PRIVACY: 50_000,
}  # characters
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_BRACES = re.compile(r"\{([^{}]*)\}")


class WordsForm(forms.Form):
    """A new version of a text. `version`: the one that the editor started from; 0: none.

    It detects that another editor published a version meanwhile.
    """

    text = forms.CharField(
        label=gettext_lazy("The words"),
        strip=True,
        error_messages={"required": gettext_lazy("Write the words.")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    version = forms.IntegerField(min_value=0, max_value=10**9, widget=forms.HiddenInput)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = Wording.Kind(kind)
        field = self.fields["text"]
        field.widget.attrs["data-limit"] = _LONGEST[self.kind]
        if self.kind == Wording.Kind.PRIVACY:
            field.widget.attrs["rows"] = 24
            field.help_text = _(
                "Markdown: a blank line between paragraphs, **bold**, [words](https://link.example)."
            )
        elif self.kind == Wording.Kind.ALERTS:
            field.help_text = _("{topic} stands for the name of the topic.")

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        if _CONTROL.search(text):
            raise ValidationError(
                _("There is a character in it that can’t be seen; type that place anew.")
            )
        if len(text) > _LONGEST[self.kind]:
            raise ValidationError(
                _("It is too long; it may have %(most)d characters.")
                % {"most": _LONGEST[self.kind]}
            )
        allowed = {"topic"} if self.kind == Wording.Kind.ALERTS else set()
        unknown = [found for found in _BRACES.findall(text) if found not in allowed]
        if unknown and self.kind != Wording.Kind.PRIVACY:
            raise ValidationError(_("{%(name)s} stands for nothing here.") % {"name": unknown[0]})
        return text
