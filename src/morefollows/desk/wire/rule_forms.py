"""The form of a rule for the wire."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.audience.models import Topic
from morefollows.config.languages import LANGUAGES
from morefollows.desk.settings.common import add_errors
from morefollows.ingest.models import ItemRule, Source
from morefollows.ingest.rules import actions, alone
from morefollows.ingest.rules.conditions import Conditions

_BOXES = forms.CheckboxSelectMultiple


class RuleForm(forms.Form):
    """A rule: which items it is for, and what becomes of them."""

    name = forms.CharField(label=_("Name"), max_length=100)
    sources = forms.ModelMultipleChoiceField(
        Source.objects.filter(removed_at=None),
        label=_("Only of these sources"),
        required=False,
        widget=_BOXES,
        help_text=_("None chosen: of all."),
    )
    topics = forms.CharField(
        label=_("Topics of the item"),
        max_length=500,
        required=False,
        help_text=_("One of these, with commas between them: names or codes, as the source has."),
    )
    most_urgency = forms.TypedChoiceField(
        label=_("Urgency"),
        choices=(
            ("", _("any")),
            *((str(one), f"1–{one}" if one > 1 else "1") for one in range(1, 9)),
        ),
        coerce=int,
        empty_value=None,
        required=False,
    )
    words = forms.CharField(
        label=_("With one of these words"),
        max_length=1000,
        required=False,
        help_text=_("In headline or text; commas between words or phrases."),
    )
    without = forms.CharField(label=_("With none of these words"), max_length=1000, required=False)
    languages = forms.MultipleChoiceField(
        label=_("Languages"), choices=LANGUAGES.items(), required=False, widget=_BOXES
    )
    action = forms.ChoiceField(
        label=_("What becomes of it"), choices=ItemRule.Action.choices, widget=forms.RadioSelect
    )
    topic = forms.ModelChoiceField(
        Topic.objects.exclude(access=Topic.Access.RETIRED),
        label=_("Topic of the draft"),
        required=False,
        empty_label=_("the item’s or the source’s"),
    )
    tells = forms.ModelMultipleChoiceField(
        Editor.objects.none(), label=_("Whom it tells by mail"), required=False, widget=_BOXES
    )
    hold = forms.IntegerField(label=_("Sending alone: seconds of hold"), required=False, initial=60)
    most_a_day = forms.IntegerField(
        label=_("Sending alone: most in 24 hours"), required=False, initial=3
    )

    def __init__(self, data: Any = None, *, rule: ItemRule | None = None, by: Editor) -> None:
        super().__init__(data)
        self.rule = rule
        people = Editor.objects.people().filter(is_active=True).order_by("name")
        self.fields["tells"].queryset = people  # type: ignore[attr-defined]
        if not has_right(by, Right.ADMINISTER):
            self.fields["action"].choices = [  # type: ignore[attr-defined]
                one for one in ItemRule.Action.choices if one[0] != ItemRule.Action.SEND_ALONE
            ]
            del self.fields["hold"], self.fields["most_a_day"]
        self.initial = {"action": ItemRule.Action.DRAFT}
        if rule is not None:
            self.initial = _initial(rule)

    def chosen_conditions(self) -> Conditions:
        """What the fields say of the items."""
        chosen = self.cleaned_data
        return Conditions(
            topics=_listed(chosen["topics"]),
            most_urgency=chosen["most_urgency"],
            words=_listed(chosen["words"]),
            without=_listed(chosen["without"]),
            languages=tuple(chosen["languages"]),
        )

    def unsaved(self) -> ItemRule:
        """The rule as the form has it, for a simulation."""
        return ItemRule(
            pk=self.rule.pk if self.rule else None,
            name=self.cleaned_data["name"],
            action=self.cleaned_data["action"],
            topic=self.cleaned_data["topic"],
            conditions=self.chosen_conditions().as_json(),
        )

    def apply(self, by: Editor) -> ItemRule | None:
        """Saves the rule. Returns None if it put errors at the fields."""
        chosen = self.cleaned_data
        try:
            return actions.save_rule(
                self.rule or ItemRule(),
                by,
                name=chosen["name"],
                action=chosen["action"],
                conditions=self.chosen_conditions(),
                sources=list(chosen["sources"]),
                topic=chosen["topic"],
                tells=list(chosen["tells"]),
                options={
                    "hold": chosen.get("hold") or alone.LEAST_HOLD_SECONDS,
                    "most_a_day": chosen.get("most_a_day") or 1,
                },
                active=self.rule.active if self.rule else True,
            )
        except ValidationError as error:
            add_errors(self, error)
            return None


def _initial(rule: ItemRule) -> dict[str, Any]:
    given = Conditions.from_json(rule.conditions)
    return {
        "name": rule.name,
        "action": rule.action,
        "topic": rule.topic_id,
        "sources": list(rule.sources.values_list("pk", flat=True)),
        "tells": list(rule.tells.values_list("pk", flat=True)),
        "topics": ", ".join(given.topics),
        "most_urgency": given.most_urgency or "",
        "words": ", ".join(given.words),
        "without": ", ".join(given.without),
        "languages": list(given.languages),
        "hold": rule.options.get("hold", 60),
        "most_a_day": rule.options.get("most_a_day", 3),
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one for one in (part.strip() for part in text.split(",")) if one)
