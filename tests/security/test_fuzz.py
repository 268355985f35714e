"""No nonsense makes a route fail: every route, with several people. `make security` sends more."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.stories.models import Story
from tests.live.support import publish
from tests.security import fuzz
from tests.support.routes import Route, routes

EXAMPLES = int(os.environ.get("FUZZ", "3"))  # a route


@pytest.fixture
def known(story: Story, cy: Reader, ada: Editor) -> dict[str, str]:
    """Parts of paths that lead to something."""
    publish(story, "first")
    return {
        "uuid": str(story.uuid),
        "pk": str(cy.pk),
        "slug": "breaking",
        "topic": "breaking",
        "number": "1",
        "name": "atom",
        "kind": "alerts",
        "language": "en",
    }


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_no_nonsense_makes_a_route_fail(
    route: Route,
    known: dict[str, str],
    dora_at_desk: Client,
    ben_at_desk: Client,
    data: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    people = [Client(raise_request_exception=False), ben_at_desk, dora_at_desk, dora_at_desk]
    for client in people:
        client.raise_request_exception = False

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate] if EXAMPLES < 50 else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize="FUZZ" not in os.environ,
    )
    @given(who=st.sampled_from(people), asked=fuzz.requests(route, known))
    def attack(who: Client, asked: dict[str, Any]) -> None:
        with transaction.atomic():
            response = fuzz.send(who, asked)
            transaction.set_rollback(True)
        trouble = fuzz.problems(response)
        errors = "\n".join(str(one.exc_info) for one in caplog.records if one.exc_info)
        assert not trouble, (trouble, errors[-3000:], asked)

    attack()
