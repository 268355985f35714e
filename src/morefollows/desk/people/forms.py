"""The forms of the people page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Role
from morefollows.audience.models import Topic

_ROLES = (
    (Role.REPORTER, _("Reporter: writes, asks for approval")),
    (Role.EDITOR, _("Editor: approves and sends")),
    (Role.ADMINISTRATOR, _("Administrator: people and settings too")),
)
_ANSWERS = {"role": None, "yes": True, "no": False}


class InviteForm(forms.Form):
    """Whom to invite."""

    email = forms.EmailField(
        label=_("Invite someone: email address"),
        max_length=254,
        error_messages={
            "required": _("Enter an email address."),
            "invalid": _("Enter a valid email address."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=_ROLES)


def _right(label: Any, hint: Any) -> forms.ChoiceField:
    choices = (("role", _("As the role has it")), ("yes", _("Yes")), ("no", _("No")))
    return forms.ChoiceField(label=label, help_text=hint, choices=choices)


class RightsForm(forms.Form):
    """Role and rights of one person. See `accounts.rights`."""

    role = forms.ChoiceField(label=_("Role"), choices=_ROLES)
    offers = _right(
        _("Offers"), _("Sees, writes and sends offers. No role but administrator has it.")
    )
    drills = _right(_("Drills"), _("Sends drills, and chooses who takes part. Editors have it."))
    readers = _right(_("Readers’ data"), _("Looks readers up and acts for them. Editors have it."))
    every_topic = forms.BooleanField(label=_("All topics"), required=False)
    topics = forms.ModelMultipleChoiceField(
        label=_("These topics"),
        queryset=Topic.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    @classmethod
    def of(cls, editor: Editor) -> RightsForm:
        words = {value: word for word, value in _ANSWERS.items()}
        return cls(
            initial={
                "role": editor.role,
                "offers": "yes" if editor.writes_offers else "role",
                "drills": words[editor.runs_drills],
                "readers": words[editor.sees_readers],
                "every_topic": editor.all_topics,
                "topics": [topic.pk for topic in editor.topics.all()],
            }
        )

    def rights(self) -> dict[str, bool | None]:
        """By field of `Editor`."""
        fields = {"offers": "writes_offers", "drills": "runs_drills", "readers": "sees_readers"}
        return {field: _ANSWERS[self.cleaned_data[name]] for name, field in fields.items()}
