"""While the database can't be used, pages say so, and that nothing was changed."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions
from morefollows.stories.models import Alert, Story


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_desk_says_that_nothing_was_changed(
    ada_at_desk: Client,
    ada: Editor,
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    alert = actions.send(story, ada)

    def full(*arguments: object) -> None:
        raise error("database or disk is full: cy@reader.example")

    monkeypatch.setattr(hold_actions, "take_back", full)
    answer = ada_at_desk.post(reverse("alert-take-back", args=(alert.uuid,)))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5" and answer.headers["Cache-Control"] == "no-store"
    page = answer.content.decode()
    assert "Nothing was changed" in page and "reader.example" not in page
    assert Alert.objects.get(pk=alert.pk).state == "held"
