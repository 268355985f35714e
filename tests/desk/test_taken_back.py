"""After a take-back: a second press in the same place must not send the story."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.models import Alert, Story

REASON = "Alone on shift"


def taken_back(client: Client, alert: Alert) -> str:
    """The page that *Take back* leads to."""
    where = reverse("alert-take-back", args=(alert.uuid,))
    return client.post(where, follow=True).content.decode()


def test_send_is_not_pressable_for_a_moment_and_wants_its_reason_again(
    ada_at_desk: Client, ada: Editor, dora: Editor, story: Story, cy: Reader
) -> None:
    page = taken_back(ada_at_desk, actions.send(story, ada, alone_reason=REASON))
    assert "Taken back. Send is free again in 3 s" in page
    assert 'aria-disabled="true" aria-describedby="send-pause"' in page
    assert f'value="{REASON}"' in page and f'value="{REASON}"\n  form="story" checked' not in page
    assert "1 to do: approval" in " ".join(page.split())
    form = {"revision": story.revision, "alone": REASON}
    where = reverse("story-send", args=(story.uuid,))
    refused = ada_at_desk.post(where, form)
    assert refused.status_code == 409
    assert "taken back a moment ago" in refused.content.decode()
    assert not Alert.objects.filter(state=Alert.State.HELD).exists()
    Alert.objects.update(ended_at=timezone.now() - timedelta(seconds=4))
    later = ada_at_desk.get(reverse("story-edit", args=(story.uuid,))).content.decode()
    assert "send-pause" not in later and "aria-disabled" not in later
    assert ada_at_desk.post(where, form).status_code == 302


def test_so_it_is_with_a_retraction(
    ada_at_desk: Client, ada: Editor, story: Story, cy: Reader
) -> None:
    assert publication.release(actions.send(story, ada, hold=0).pk)
    words = {"reason": "Wrong bridge.", "text": "Please do not rely on it."}
    held = actions.withdraw(story, ada, **words)
    assert "Send is free again" in taken_back(ada_at_desk, held)
    answer = ada_at_desk.post(reverse("story-withdraw", args=(story.uuid,)), words)
    assert "taken back a moment ago" in answer.content.decode()
    assert not Alert.objects.filter(state=Alert.State.HELD).exists()
