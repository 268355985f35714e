"""Readers of German, French and Spanish are never left with half a page in English."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import polib
import pytest

import morefollows
from morefollows.config.languages import COMPLETE, LANGUAGES

LOCALE = Path(morefollows.__file__).parent / "locale"
CATALOGUES = [LOCALE / code / "LC_MESSAGES/django.po" for code in COMPLETE if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|https?://[^\s)]+|<[^>]+>|`[^`]+`")


def test_each_language_has_a_catalogue() -> None:
    """Arabic and Hebrew may lack words: they are English then."""
    found = {path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/django.po")}
    assert found == set(LANGUAGES) - {"en"}


def test_no_words_hide_where_the_collector_does_not_look() -> None:
    """GNU xgettext does not look into f-strings."""
    calls = {"_", "gettext", "pgettext", "ngettext", "npgettext", "gettext_lazy", "pgettext_lazy"}
    for path in Path(morefollows.__file__).parent.rglob("*.py"):
        for string in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inside = ast.walk(string) if isinstance(string, ast.JoinedStr) else ()
            hidden = [
                one.lineno
                for one in inside
                if isinstance(one, ast.Call) and _name(one.func) in calls
            ]
            assert hidden == [], path


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
class TestCatalogue:
    def test_every_message_is_translated_for_good(self, path: Path) -> None:
        catalogue = polib.pofile(str(path))
        assert len(catalogue) > 300
        assert [entry.msgid for entry in catalogue if entry.fuzzy or not entry.translated()] == []
        assert [entry.msgid for entry in catalogue.obsolete_entries()] == []

    def test_placeholders_survive_translation(self, path: Path) -> None:
        for entry in polib.pofile(str(path)):
            wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
            # The words for one may leave the number out.
            least = set(PLACEHOLDER.findall(entry.msgid))
            for said in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
                if said:
                    assert least <= set(PLACEHOLDER.findall(said)) <= wanted, entry.msgid

    def test_what_is_compiled_is_what_was_translated(self, path: Path) -> None:
        def messages(
            catalogue: polib.POFile | polib.MOFile,
        ) -> dict[tuple[str | None, str], object]:
            return {
                (entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr
                for entry in catalogue
            }

        compiled = messages(polib.mofile(str(path.with_suffix(".mo"))))
        assert compiled == messages(polib.pofile(str(path)))
