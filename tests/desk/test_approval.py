"""Approval by a second editor: asked for, given, sent back, and waived with a reason."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.audience.models import Letter
from morefollows.audit.models import AuditEntry
from morefollows.courier.outbox import letter_claims
from morefollows.courier.outbox.mails import LetterMails
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.drafts import approval
from morefollows.stories.drafts.approval_requests import request_approval, send_back
from morefollows.stories.models import Story


def test_a_colleague_is_asked_and_sends_it_back(
    story: Story, ada: Editor, dora: Editor, ben: Editor
) -> None:
    Editor.objects.create(email="eve@herald.example", name="Eve", role="editor", password="!")
    assert approval.approvers(story) == [dora], "not the author, who may not send, who is invited"
    with pytest.raises(actions.ActionRefused, match="Ben Okoro can’t approve"):
        request_approval(story, ada, of=ben, revision=story.revision)
    asked = request_approval(story, ada, of=dora, revision=story.revision, note="Two sources.")
    assert (asked.approval_asked_of, asked.approval_note) == (dora, "Two sources.")
    with pytest.raises(actions.ActionRefused, match="was changed"):
        send_back(story, dora, revision=story.revision + 1, note="x")
    with pytest.raises(actions.ActionRefused, match="did not write this"):
        send_back(story, ada, revision=story.revision, note="x")
    back = send_back(story, dora, revision=story.revision, note="Which pier?")
    assert (back.approval_asked_of, back.sent_back_note) == (None, "Which pier?")
    done = AuditEntry.objects.filter(story=story).values_list("what", flat=True)
    assert list(done) == ["send back", "request approval"]


def test_strict_four_eyes_has_no_waiver(
    story: Story, ada: Editor, dora: Editor, settings: LazySettings
) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, four_eyes="always")
    with pytest.raises(actions.NotApproved, match="has to approve it"):
        actions.send(story, ada, alone_reason="Alone on shift")
    assert actions.send(story, dora).sent_by == dora, "sending it is approving it"


def test_a_headline_is_enough_and_once(story: Story, ada: Editor) -> None:
    story.standfirst = story.text = ""
    story.save()
    assert publication.release(actions.send(story, ada, hold=0).pk)
    story.refresh_from_db()
    assert not story.has_draft
    with pytest.raises(actions.ActionRefused, match="Write an update first"):
        actions.send(story, ada)


def test_the_one_asked_gets_a_mail_with_a_link_and_sends_with_one_press(
    ada_at_desk: Client, dora_at_desk: Client, dora: Editor, story: Story, cy: object
) -> None:
    form = {
        "uuid": story.uuid,
        "revision": story.revision,
        "headline": story.headline,
        "text": story.text,
        "topic": story.topic_id,
        "language": "en",
    }
    where = reverse("story-edit", args=(story.uuid,))
    asked = ada_at_desk.post(where, {**form, "request": "1", "approver": dora.pk}, follow=True)
    assert "Approval requested from Dora Quay" in asked.content.decode()
    letter = Letter.objects.get(editor=dora, kind=Letter.Kind.APPROVAL)
    job = letter_claims.claim_letters("sender 1", 1)[0]
    mail = b"".join(LetterMails().mail(job).content).decode()
    assert letter.about == story.pk and reverse("story-check", args=(story.uuid,)) in mail
    assert "Ada Marsh requests your approval" in mail
    story.refresh_from_db()
    check = dora_at_desk.get(reverse("story-check", args=(story.uuid,))).content.decode()
    assert "requests your approval" in check and "Approve and send to 1" in check
    send = {"revision": story.revision}
    assert dora_at_desk.post(reverse("story-send", args=(story.uuid,)), send).status_code == 302
    story.refresh_from_db()
    assert story.approval_asked_of is None


def test_a_test_comes_as_readers_would_get_it(
    ada_at_desk: Client, ada: Editor, story: Story
) -> None:
    send = {"revision": story.revision, "test": "1"}
    said = ada_at_desk.post(reverse("story-send", args=(story.uuid,)), send, follow=True)
    assert "A test is on its way to ada@herald.example" in said.content.decode()
    job = letter_claims.claim_letters("sender 1", 1)[0]
    mail = b"".join(LetterMails().mail(job).content).decode()
    assert "Subject: TEST: Harbour bridge closed" in mail
    for _more in range(9):
        ada_at_desk.post(reverse("story-send", args=(story.uuid,)), send)
    tenth = ada_at_desk.post(reverse("story-send", args=(story.uuid,)), send, follow=True)
    assert "Wait a little" in tenth.content.decode()
