"""The difference of two versions of a text, for the page of a conflict between two editors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from django import forms

from morefollows.stories.drafts.actions import last_saved_by
from morefollows.stories.models import Story

_MOST_WORDS = 3_000  # longer texts are compared by lines, because the time grows quadratically


class Piece(NamedTuple):
    """A part of the texts and where it occurs."""

    where: str  #: "both", "first" or "second"
    text: str


def difference(first: str, second: str) -> list[Piece]:
    """Both texts in pieces, in order: the shared ones, and those that only one of them has."""
    pattern = r"\s+|[^\s]+" if len(first) + len(second) < _MOST_WORDS * 12 else r"[^\n]*\n?"
    a, b = re.findall(pattern, first), re.findall(pattern, second)
    pieces: list[Piece] = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(a=a, b=b).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("both", "".join(a[a1:a2])))
            continue
        pieces += [
            Piece(where, "".join(part))
            for where, part in (("first", a[a1:a2]), ("second", b[b1:b2]))
            if part
        ]
    return pieces


def conflict_of(
    form: forms.Form, theirs: Story, mine: Mapping[str, Any], names: Iterable[str]
) -> dict[str, Any]:
    """The context of a conflict's page: the differing fields of `names`, and who saved `theirs`."""
    return {
        "differences": [
            (form.fields[name].label, difference(str(getattr(theirs, name)), str(mine[name])))
            for name in names
            if getattr(theirs, name) != mine[name]
        ],
        "saved_by": last_saved_by(theirs),
    }
