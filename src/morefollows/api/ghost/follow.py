"""Carries out what Ghost tells of a post, once, as the account of the connection's key.

Invariant: a webhook that is repeated, in any order and after any crash, makes one story and one
alert. The story's id is made of the post's, and what was done is noted in the same transaction.
"""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.api.ghost.posts import (
    GhostEvent,
    GhostPost,
    note_of_ghost_post,
    text_of_ghost_post,
)
from morefollows.api.http.problems import ProblemDetails
from morefollows.api.models import GhostConnection, IdempotentRequest
from morefollows.api.requests import ApiRequest
from morefollows.api.resources.access import has_scope
from morefollows.api.resources.alerts import send_story
from morefollows.api.scopes import Scope
from morefollows.audience.models import Newsroom, Topic
from morefollows.stories import actions
from morefollows.stories.drafts import actions as drafts
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Story, UpdateKind

_REFUSALS = (ActionRefused, ValidationError, ProblemDetails)


def follow(request: ApiRequest, connection: GhostConnection, post: GhostPost) -> str:
    """Does what the post's event asks for. Returns what was done, for people.

    `request`: with the connection's key, as the API has it. A refusal is no error: what it says is
    returned, and a draft that was written stays for an editor.
    """
    with transaction.atomic():
        # In one transaction with the work. If that fails, the event is new again when Ghost repeats
        # it.
        if not _is_new(connection, post):
            return "known already"
        story = Story.objects.filter(uuid=ghost_story_id(connection, post)).first()
        if post.event == GhostEvent.UNPUBLISHED:
            done = _unpublished(request, connection, story)
        elif story is None or story.state == Story.State.DRAFT:
            done = _first(request, connection, post, story)
        else:
            done = _edited(request, connection, post, story)
        GhostConnection.objects.filter(pk=connection.pk).update(
            last_heard_at=timezone.now(), last_result=done[:300]
        )
    return done


def ghost_story_id(connection: GhostConnection, post: GhostPost) -> uuid.UUID:
    # Made of the connection, too: two Ghosts may give two posts one id.
    return uuid.uuid5(connection.uuid, post.id)


def _is_new(connection: GhostConnection, post: GhostPost) -> bool:
    """Notes the event. Waits while another transaction notes the same one."""
    try:
        with transaction.atomic():
            IdempotentRequest.objects.create(
                key=connection.key,
                # Ghost's events have no id. The post's time of change tells two edits apart.
                idempotency_key=f"ghost:{post.id}:{post.updated_at}:{post.event}",
                fingerprint="",
                at=timezone.now(),
            )
    except IntegrityError:
        return False
    return True


def _first(
    request: ApiRequest, connection: GhostConnection, post: GhostPost, story: Story | None
) -> str:
    """Writes the draft of the first alert, and sends it if the post was just published."""
    if story is None and post.event == GhostEvent.EDITED:
        return "was published before this Ghost was connected"
    newsroom = Newsroom.objects.get(pk=1)
    try:
        with transaction.atomic():
            story = drafts.save_story(
                ghost_story_id(connection, post),
                connection.key.account,
                revision=story.revision if story else 0,
                headline=post.headline,
                standfirst=post.standfirst,
                text=text_of_ghost_post(post, whole=connection.whole_text),
                topic=story.topic if story else topic_of(connection, post),
                language=story.language if story else newsroom.language,
            )
    except _REFUSALS as refused:
        return f"not drafted: {_text_of(refused)}"
    # An edit writes into the draft and sends nothing: the first alert goes out when a post is
    # published.
    if post.event == GhostEvent.EDITED or not has_scope(request, Scope.ALERTS_SEND_ALONE):
        return "drafted"
    return _send(request, story)


def topic_of(connection: GhostConnection, post: GhostPost) -> Topic:
    """The topic of the first tag that has one; else the connection's, or the newsroom's first.

    Raises `ActionRefused` if there is no topic at all.
    """
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    wanted = [connection.tags.get(tag, tag) for tag in post.tags]
    for slug in (*wanted, connection.topic, *topics):
        if slug in topics:
            return topics[slug]
    raise ActionRefused(_("There is no topic yet."))


def _send(request: ApiRequest, story: Story) -> str:
    try:
        with transaction.atomic():
            send_story(request, story, again=False, revision=story.revision)
    except _REFUSALS as refused:
        return f"drafted, and not sent: {_text_of(refused)}"
    return "sent"


def _edited(request: ApiRequest, connection: GhostConnection, post: GhostPost, story: Story) -> str:
    """Writes the draft of an update or a correction, and sends it where that was chosen.

    It is a correction if the post says what was wrong, and that was not sent yet. It corrects all
    that was published: every reader who was sent any of it gets it.
    """
    note = note_of_ghost_post(post)
    published = story.updates.filter(published_at__isnull=False, number__isnull=False)
    if note and published.filter(kind=UpdateKind.CORRECTION, note=note).exists():
        note = ""
    text = text_of_ghost_post(post, whole=connection.whole_text, without_note=bool(note))
    # Ghost also calls its webhook when a post's tags or settings were changed.
    now = (post.headline, post.standfirst, text)
    same = not note and (story.headline, story.standfirst, story.text) == now
    if same or connection.on_edit == GhostConnection.OnEdit.NOTHING:
        return "nothing to tell"
    try:
        with transaction.atomic():
            story = drafts.save_update(
                story,
                connection.key.account,
                revision=story.revision,
                kind=UpdateKind.CORRECTION if note else UpdateKind.UPDATE,
                headline=post.headline,
                standfirst=post.standfirst,
                text=text,
                note=note,
                answers=[one.number or 0 for one in published] if note else (),
            )
    except _REFUSALS as refused:
        return f"no update drafted: {_text_of(refused)}"
    sends = has_scope(request, Scope.ALERTS_SEND_ALONE)
    if connection.on_edit == GhostConnection.OnEdit.UPDATE and sends:
        return _send(request, story)
    return "correction drafted" if note else "update drafted"


def _unpublished(request: ApiRequest, connection: GhostConnection, story: Story | None) -> str:
    """Retracts the story where that was chosen."""
    if story is None or story.state == Story.State.DRAFT:
        return "nothing was sent of it"
    if connection.on_unpublish != GhostConnection.OnUnpublish.RETRACT or not has_scope(
        request, Scope.ALERTS_SEND_ALONE
    ):
        return "left as it is"
    reason = _("We have taken this story down.")
    try:
        with transaction.atomic():
            actions.withdraw(story, connection.key.account, reason=reason, text=reason)
    except _REFUSALS as refused:
        return f"not retracted: {_text_of(refused)}"
    return "retracted"


def _text_of(refused: Exception) -> str:
    if isinstance(refused, ValidationError):
        return " ".join(refused.messages)
    return str(refused)
