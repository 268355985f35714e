"""Form fields' HTML where Django's own takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator
from django.forms.utils import flatatt
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString


class LongSelect(forms.Select):
    """A select of hundreds of options, without groups. Django renders a template for each: 0.1 ms.

    It is never `required`: its first option can always be chosen.
    """

    def use_required_attribute(self, initial: Any) -> bool:
        """As Django's, without a look at the first option, which would be one more query."""
        return False

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = set(self.format_value(value))
        options = [
            f'<option value="{escape(key)}"{" selected" if str(key) in chosen else ""}>'
            f"{escape(label)}</option>"
            for key, label in self.choices
        ]
        given = flatatt(self.build_attrs(self.attrs, attrs))
        words = SafeString("".join(options))  # each is escaped
        return format_html('<select name="{}"{}>{}</select>', name, given, words)


class _Names(ModelChoiceIterator):  # type: ignore[type-arg]
    """The choices of a `TopicField`: primary key and name. One query at each iteration."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        yield from self.queryset.values_list("pk", "name")


class TopicField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of a topic. Of hundreds, only the names are read."""

    widget = LongSelect
    iterator = _Names
