"""The form to invite a reader to drills."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from morefollows.desk.readers.forms import FindReaderForm


class InvitationForm(FindReaderForm):
    """One exact address, and the language of the invitation."""

    language = forms.ChoiceField(label=_("Language of the emails"), choices=settings.LANGUAGES)
