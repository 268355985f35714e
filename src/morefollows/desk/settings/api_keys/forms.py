"""The form of a new key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundWidget
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Role
from morefollows.api.keys import create_key
from morefollows.api.models import ApiKey
from morefollows.api.scopes import Scope
from morefollows.audience.models import Topic
from morefollows.desk.settings.common import add_errors

_ROLES = (
    (Role.REPORTER, _("Reporter: writes, asks for approval")),
    (Role.EDITOR, _("Editor: sends, sees readers")),
    (Role.ADMINISTRATOR, _("Administrator: people and settings too")),
)
_DAYS = (
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
    ("365", _("In one year")),
    ("", _("Never")),
)
#: What a CMS needs to break stories.
_FIRST = (Scope.STORIES_READ, Scope.STORIES_WRITE, Scope.ALERTS_READ, Scope.ALERTS_SEND)


class ApiKeyForm(forms.Form):
    """Which program the key is for, and what it may do."""

    name = forms.CharField(
        label=_("Program"),
        max_length=100,
        help_text=_("Its name in the activity log, such as CMS."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=_ROLES,
        initial=Role.EDITOR,
        help_text=_("The program never has more rights than a person with this role."),
    )
    days = forms.ChoiceField(label=_("Expires"), choices=_DAYS, required=False, initial="365")
    every_topic = forms.BooleanField(label=_("All topics"), required=False, initial=True)
    topics = forms.ModelMultipleChoiceField(
        label=_("These topics"),
        queryset=Topic.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    offers = forms.BooleanField(label=_("May write offers"), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        initial=[one.value for one in _FIRST],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the key is for.")},
    )

    def grouped_scopes(self) -> Iterator[tuple[str, list[BoundWidget]]]:
        """Yields each resource with the boxes of its scopes."""
        groups: dict[str, list[BoundWidget]] = {}
        for box in self["scopes"]:
            groups.setdefault(str(box.data["value"]).partition(":")[0], []).append(box)
        yield from groups.items()

    def clean(self) -> None:
        super().clean()
        if not self.cleaned_data.get("every_topic") and not self.cleaned_data.get("topics"):
            self.add_error("topics", _("Choose at least one topic, or all."))

    def apply(self, by: Editor) -> tuple[ApiKey, str] | None:
        """Makes the key. Returns it with its text, or None if it put errors at the fields."""
        chosen = self.cleaned_data
        try:
            return create_key(
                chosen["name"],
                created_by=by,
                role=Role(chosen["role"]),
                scopes=chosen["scopes"],
                topics=None if chosen["every_topic"] else list(chosen["topics"]),
                offers=chosen["offers"],
                expires_at=self._expires_at(),
            )
        except ValidationError as error:
            add_errors(self, error)
            return None

    def _expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None
