"""The Harbour Herald, and an alert of its story that is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

if TYPE_CHECKING:
    from morefollows.accounts.models import Editor
    from morefollows.audience.models import Newsroom
    from morefollows.stories.models import Alert, Story


@pytest.fixture
def newsroom(db: None) -> Newsroom:
    from morefollows.audience.models import Newsroom, Topic

    Topic.objects.create(slug="breaking", name="Breaking news")
    return Newsroom.objects.create(
        pk=1,
        name="The Harbour Herald",
        sender_name="The Harbour Herald",
        sender_address="alerts@herald.example",
        postal_address="1 Pier Road, Port Ellis",
        time_zone="Europe/Berlin",
    )


@pytest.fixture
def alert(story: Story, ada: Editor) -> Alert:
    """Sent by Ada, not mailed yet."""
    from morefollows.stories.models import Alert, Update

    update = Update.objects.create(
        story=story,
        number=1,
        headline=story.headline,
        standfirst=story.standfirst,
        text=story.text,
        language=story.language,
        author=ada,
    )
    held_until_ms = 1_795_501_800_000  # 24 November 2026, 06:30 UTC
    return Alert.objects.create(
        update=update,
        topic=story.topic,
        sent_by=ada,
        frozen_at=timezone.now(),
        held_until_ms=held_until_ms,
        expires_at_ms=held_until_ms + 14_400_000,
    )
