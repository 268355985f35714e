"""The form to add an image to a story's text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from morefollows.desk.stories.forms import WordingField
from morefollows.stories import checks

_KINDS = "image/jpeg,image/png,image/webp,image/gif"


class ImageForm(forms.Form):
    """An image file and its texts."""

    file = forms.FileField(
        label=gettext_lazy("Image file"),
        help_text=gettext_lazy(
            "JPEG, PNG, WebP or GIF. Where it was taken, and by whom, is not kept."
        ),
        widget=forms.FileInput(attrs={"accept": _KINDS}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty."),
        },
    )
    alt = WordingField(
        label=gettext_lazy("Alternative text"),
        help_text=gettext_lazy(
            "What is to be seen, in a sentence: for who can’t see it, or has images switched off."
        ),
        check=checks.alt,
        widget=forms.Textarea(
            attrs={"rows": 2, "data-limit": checks.ALT_LIMIT, "data-one-line": ""}
        ),
    )
    caption = WordingField(
        label=gettext_lazy("Caption"),
        required=False,
        help_text=gettext_lazy("Stands below it. Optional."),
        check=checks.caption,
        widget=forms.Textarea(
            attrs={"rows": 2, "data-limit": checks.CAPTION_LIMIT, "data-one-line": ""}
        ),
    )
    credit = WordingField(
        label=gettext_lazy("Credit"),
        required=False,
        help_text=gettext_lazy("Whose picture it is, such as “Photo: Ada Marsh”. Optional."),
        check=checks.credit,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_file(self) -> bytes:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        most = settings.MOREFOLLOWS.image_size
        if (file.size or 0) > most:
            raise ValidationError(
                _(
                    "The file is too large: %(most)s MB are possible. "
                    "Export the picture smaller, and add it again."
                ),
                code="size",
                params={"most": number_format(most // 1_000_000)},
            )
        return bytes(file.read())

    def wording(self) -> dict[str, Any]:
        """The arguments of `figure.markdown` beside the picture. The form must be valid."""
        return {name: self.cleaned_data[name] for name in ("alt", "caption", "credit")}
