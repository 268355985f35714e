"""The form of a source."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Topic
from morefollows.desk.settings.common import add_errors
from morefollows.ingest.models import Source
from morefollows.ingest.reading import profiles
from morefollows.ingest.sources import actions

_KEPT = (
    *("name", "address", "profile", "topic", "language", "text_from", "unmatched"),
    *("interval_seconds", "sends_alone"),
)


def _languages() -> list[tuple[str, Any]]:
    return [("", _("as the item or the newsroom has it")), *settings.LANGUAGES]


class SourceForm(forms.Form):
    """A source. Its kind is chosen once; a password that is left empty stays as it is."""

    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), choices=Source.Kind.choices, initial="feed")
    address = forms.CharField(
        label=_("Address"),
        max_length=1000,
        required=False,
        help_text=_(
            "A feed’s or page’s web address, a folder’s whole path, or imaps://user@host/folder."
            " Programs that push need none."
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Of a mailbox or a feed. Optional."),
    )
    profile = forms.ChoiceField(
        label=_("Agency"),
        choices=[("", _("none")), *((name, name) for name in profiles.NAMES)],
        required=False,
        help_text=_("Whose words for corrections, kills and advisories its items have."),
    )
    topic = forms.ModelChoiceField(
        Topic.objects.exclude(access=Topic.Access.RETIRED),
        label=_("Topic of its drafts"),
        required=False,
        empty_label=_("the first"),
    )
    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)
    text_from = forms.ChoiceField(label=_("Text from"), choices=Source.TextFrom.choices)
    unmatched = forms.ChoiceField(
        label=_("An item that no rule is for becomes"), choices=Source.Unmatched.choices
    )
    interval_seconds = forms.IntegerField(label=_("Seconds between two looks"), initial=300)
    sends_alone = forms.BooleanField(
        label=_("A rule may send its most urgent items without an editor"), required=False
    )

    def __init__(self, data: Any = None, *, source: Source | None = None) -> None:
        super().__init__(data)
        self.source = source
        if source is not None:
            del self.fields["kind"]
            self.initial = {name: getattr(source, name) for name in _KEPT}
            self.initial["topic"] = source.topic_id

    def apply(self, by: Editor) -> Source | None:
        """Adds or changes the source. Returns None if it put errors at the fields."""
        chosen = dict(self.cleaned_data)
        password = chosen.pop("password")
        try:
            if self.source is not None:
                return actions.change_source(self.source, by, password=password or None, **chosen)
            name, kind = chosen.pop("name"), chosen.pop("kind")
            return actions.add_source(name, kind, by=by, password=password, **chosen)
        except ValidationError as error:
            add_errors(self, error)
            return None
