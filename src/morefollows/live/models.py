"""Pings to the WebSub hub."""

from __future__ import annotations

from django.db import models

from morefollows.stories.models import Update


class Ping(models.Model):
    """A ping to the WebSub hub: an update has changed the feeds. One for each update."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        GIVEN_UP = "given up"

    update = models.OneToOneField(Update, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveIntegerField(default=0)
    due_at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    class Meta:
        indexes = (
            models.Index(
                fields=("due_at_ms",), condition=models.Q(state="waiting"), name="pings_waiting"
            ),
        )

    def __str__(self) -> str:
        return f"ping for update {self.update_id}"
