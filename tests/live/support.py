"""Helper of the live tests: publishes an update, as the courier does after a hold."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from morefollows.stories.models import Story, Update


def publish(story: Story, kind: str = "update", **wording: Any) -> Update:
    """Publishes the story's next update, and changes its state as the kind asks for."""
    number = 1 + story.updates.filter(number__isnull=False).count()
    wording = {"headline": story.headline, "text": f"Part {number}.", **wording}
    update = Update.objects.create(
        story=story,
        number=number,
        kind=kind,
        language="en",
        author=story.author,
        published_at=timezone.now(),
        **wording,
    )
    story.state = {"final": Story.State.FINAL, "withdrawal": Story.State.WITHDRAWN}.get(
        kind, Story.State.DEVELOPING
    )
    story.save()
    return update
