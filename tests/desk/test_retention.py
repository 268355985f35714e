"""Settings → Retention: each kind of data, how long it is kept, and how much of it goes next."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from morefollows.audience.models import KeptFigure, Letter, Reader
from morefollows.audience.statistics import count_cache
from morefollows.desk.settings.rules.retention import _KINDS
from morefollows.housekeeping import rounds, tasks
from tests.audience.test_count_cache import AtOnce
from tests.setup.test_settings import stored as stored

PAGE = "/desk/settings/retention/"


@pytest.fixture
def letters(newsroom: object, cy: Reader) -> list[Letter]:
    """Letters of 10, 20, 31 and 40 days ago, done with."""
    return [
        Letter.objects.create(
            reader=cy,
            kind="thanks",
            created_at=timezone.now() - timedelta(days=days),
            due_at_ms=1,
            state="accepted",
        )
        for days in (10, 20, 31, 40)
    ]


def row(client: Client, what: str) -> list[str]:
    """The texts of a row's cells: what, kept for, setting, and what goes next."""
    page = client.get(PAGE).content.decode()
    [found] = [one for one in page.split("<tr>") if f'<th scope="row">{what}' in one]
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", found, re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in cells]


@pytest.mark.django_db
def test_it_has_a_row_for_each_kind_that_housekeeping_counts() -> None:
    counted = {task.name for task in tasks.tasks() if task.due is not None}
    assert {kind.task for kind in _KINDS} == counted - {"pages of the database file"}
    assert len(_KINDS) == len({kind.task for kind in _KINDS})


@pytest.mark.usefixtures("stored")
def test_its_numbers_are_those_of_the_dry_run(
    letters: list[Letter], dora_at_desk: Client, django_capture_on_commit_callbacks: Any
) -> None:
    name = "Confirmations, thanks and digests"
    assert row(dora_at_desk, name) == [name, "30 days", "MOREFOLLOWS_KEEP_LETTERS_DAYS", "2"]
    assert rounds.would_go()["letters that are done with"] == 2
    form = dora_at_desk.get(PAGE).context["form"]
    days = {one: form[one].value() for one in form.fields} | {"keep_letters_days": "15"}
    with django_capture_on_commit_callbacks(execute=True):
        assert dora_at_desk.post(PAGE, days).status_code == 302
    assert row(dora_at_desk, name)[1::2] == ["15 days", "3"]
    rounds.run_tasks()
    assert row(dora_at_desk, name)[3] == "0"
    assert row(dora_at_desk, "Answers to requests")[1:] == ["1 day", "Fixed", "0"]
    assert row(dora_at_desk, "Evidence of consent")[3] == "Nothing"


def test_its_settings_are_links_to_their_fields(newsroom: object, dora_at_desk: Client) -> None:
    page = dora_at_desk.get(PAGE).content.decode()
    links = set(re.findall(r'href="(#id_\w+)"', page))
    assert len(links) >= 9
    assert all(f'id="{link[1:]}"' in page for link in links)
    assert 'href="/desk/settings/sign-ups/#id_confirmation_days"' in page


def test_with_many_readers_the_page_waits_for_no_count(
    letters: list[Letter], dora_at_desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, behind = "Confirmations, thanks and digests", list[AtOnce]()

    def later(**how: Any) -> AtOnce:
        thread = AtOnce(**how)
        behind.append(thread)
        waiting = type("Waiting", (), {"start": lambda self: None})
        return waiting()  # type: ignore[return-value]

    monkeypatch.setattr(count_cache, "_MANY", 1)
    monkeypatch.setattr(count_cache.threading, "Thread", later)
    monkeypatch.setattr(count_cache.connection, "close", lambda: None)
    assert row(dora_at_desk, name)[3] == "Being counted"
    assert not KeptFigure.objects.exists()
    behind[0].start()
    assert row(dora_at_desk, name)[3] == "2"
    rounds.run_tasks()
    assert row(dora_at_desk, name)[3] == "0", "counted anew by housekeeping"
    assert len(behind) == 1
