"""Composes letters: mails to one reader, caused by that reader or by a user of that address.

One `LetterKind` each. To add one, see docs/how-to/add-a-transactional-mail.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from morefollows.accounts.actions import invitation_link
from morefollows.accounts.models import Editor
from morefollows.audience.link_tokens.tokens import TokenRow, Tokens
from morefollows.audience.models import Letter, Topic
from morefollows.audit.models import AuditEntry
from morefollows.courier.message import alert, digest, preview
from morefollows.courier.message.compose import compose
from morefollows.courier.message.content import (
    Content,
    Letterhead,
    MailingList,
    because_of,
    without_markdown,
)
from morefollows.courier.message.template import Composed, Slot
from morefollows.stories.models import Story


class Occasion(NamedTuple):
    """What letters to many readers share. They are composed once and filled for each reader."""

    kind: str  #: `Letter.Kind`
    language: str
    topic: int | None = None
    offers: bool = False  #: of a confirmation: its link confirms the consent to offers, too
    updates: tuple[int, ...] = ()  #: of a summary: what it tells
    editor: int = 0  #: whom it goes to, if not to readers: then it is composed for one
    about: int = 0  #: to an editor: the story or audit entry that it is about


@dataclass(frozen=True)
class LetterKind:
    """A kind of letter, whatever it says in one case."""

    content: Callable[
        [Letterhead, Occasion], Content
    ]  #: called with the occasion's language in force
    token: Callable[[Tokens, TokenRow], bytes] = (
        Tokens.confirm
    )  #: makes what is in its confirmation link, if it has one
    bulk: bool = False  #: goes after every alert, in the bulk lane


def letter(occasion: Occasion) -> Composed:
    """Returns the letter with slots for the reader's data. ValueError if it can't be mailed."""
    with translation.override(occasion.language):
        head = Letterhead.new()
        return compose(KINDS[occasion.kind].content(head, occasion), head)


def _confirmation(head: Letterhead, occasion: Occasion) -> Content:
    """Asks an address's owner to confirm a sign-up. Has no advertising and no list to leave."""
    return Content(
        "confirmation",
        gettext("Please confirm your sign-up to %(newsroom)s") % head.named,
        occasion.language,
        gettext("One click, and you will hear from us when news breaks."),
        gettext("You get this one email because this address was typed into our sign-up form."),
        {
            "topic": _topic(occasion),
            "offers": occasion.offers,
            "days": settings.MOREFOLLOWS.confirmation_days,
            "confirm_link": head.link("confirm", Slot.CONFIRM),
        },
    )


def _thanks(head: Letterhead, occasion: Occasion) -> Content:
    """Sent after the confirmation."""
    topic = _topic(occasion)
    return Content(
        "thanks",
        gettext("Thanks for signing up: %(topic)s") % {"topic": topic.local_name},
        occasion.language,
        gettext("When news breaks, you will know within seconds."),
        because_of(topic, head),
        {"topic": topic},
        listed=MailingList(topic.local_name, topic.slug),
    )


def _new_address(head: Letterhead, occasion: Occasion) -> Content:
    """Asks the owner of a new address to confirm the move to it."""
    return Content(
        "new_address",
        gettext("Please confirm your new address for %(newsroom)s") % head.named,
        occasion.language,
        gettext("One click, and what you get from us comes here."),
        gettext("You get this one email because a reader gave this address as a new one."),
        {
            "days": settings.MOREFOLLOWS.confirmation_days,
            "confirm_link": head.link("new-address", Slot.CONFIRM),
        },
    )


def _moved(head: Letterhead, occasion: Occasion) -> Content:
    """The last mail to an old address."""
    return Content(
        "moved",
        gettext("Your emails have moved"),
        occasion.language,
        gettext("This is the last email to this address."),
        gettext("You get this one email because our emails to you have moved to another address."),
        {},
    )


def _invitation(head: Letterhead, occasion: Occasion) -> Content:
    """Asks whether an address wants to take part in drills."""
    why = gettext(
        "You get this one email because an administrator of %(newsroom)s entered this address."
    )
    return Content(
        "invitation",
        gettext("Take part in drills of %(newsroom)s?") % head.named,
        occasion.language,
        gettext("One click, and you take part. Without it you get nothing."),
        why % head.named,
        {
            "days": settings.MOREFOLLOWS.confirmation_days,
            "confirm_link": head.link("drills", Slot.CONFIRM),
        },
    )


def _invite_editor(head: Letterhead, occasion: Occasion) -> Content:
    """Invites a colleague to the desk."""
    editor = _editor(occasion)
    by = editor.invited_by.name if editor.invited_by else gettext("An administrator")
    return Content(
        "invite_editor",
        gettext("Your invitation to the desk of %(newsroom)s") % head.named,
        occasion.language,
        gettext("Open the link and choose how you sign in."),
        gettext("You get this one email because a colleague at %(newsroom)s invited you.")
        % head.named,
        {"editor": editor, "by": by, "link": invitation_link(editor)},
    )


def _new_password(head: Letterhead, occasion: Occasion) -> Content:
    """Lets an editor in who has lost the password, or whose access was reset."""
    return Content(
        "new_password",
        gettext("Your link to sign in to %(newsroom)s") % head.named,
        occasion.language,
        gettext("Open the link and choose a new password."),
        gettext("You get this one email because a new link was asked for, for your account."),
        {"link": invitation_link(_editor(occasion))},
    )


def _approval(head: Letterhead, occasion: Occasion) -> Content:
    """Asks an editor to approve a colleague's draft, with a link that opens it."""
    story = _story(occasion)
    by = story.approval_asked_by or story.author
    return _about_draft(
        head,
        occasion,
        story,
        gettext("%(name)s requests your approval: %(headline)s"),
        {"name": by.name, "note": story.approval_note, "button": gettext("Check and send")},
    )


def _sent_back(head: Letterhead, occasion: Occasion) -> Content:
    """Tells a draft's author that it was sent back."""
    story = _story(occasion)
    by = story.sent_back_by or story.author
    return _about_draft(
        head,
        occasion,
        story,
        gettext("%(name)s sent it back: %(headline)s"),
        {"name": by.name, "note": story.sent_back_note, "button": gettext("Open the draft")},
    )


def _item(head: Letterhead, occasion: Occasion) -> Content:
    """Tells an editor that a rule has made a draft of what came in, or that its source took that
    back, with a link that opens it."""
    story = _story(occasion)
    taken_back = story.received_items.filter(decision="withdrawn").select_related("source").last()
    if taken_back is not None:
        return _about_draft(
            head,
            occasion,
            story,
            gettext("%(name)s has withdrawn: %(headline)s"),
            {
                "name": taken_back.source.name,
                "note": taken_back.why,
                "button": gettext("Open the item"),
                "path": f"wire/item/{taken_back.pk}/",
            },
        )
    return _about_draft(
        head,
        occasion,
        story,
        gettext("%(name)s: %(headline)s"),
        {"name": story.author.name, "note": "", "button": gettext("Open the draft")},
    )


def _about_draft(
    head: Letterhead, occasion: Occasion, story: Story, words: str, known: dict[str, str]
) -> Content:
    """`words`: the subject, with `name` and `headline`."""
    headline = without_markdown(story.headline)
    subject = words % {"name": known["name"], "headline": headline}
    page = "check/" if occasion.kind == Letter.Kind.APPROVAL else ""
    path = known.get("path") or f"story/{story.uuid}/{page}"
    link = f"{settings.MOREFOLLOWS.url}/desk/{path}"
    return Content(
        "about_draft",
        subject,
        occasion.language,
        known["note"] or headline,
        gettext("You get this email because you work at the desk of %(newsroom)s.") % head.named,
        {**known, "heading": subject, "headline": headline, "link": link},
    )


def _webhook_paused(head: Letterhead, occasion: Occasion) -> Content:
    """Tells an administrator that a webhook is told nothing more, by the entry of the log."""
    entry = AuditEntry.objects.filter(pk=occasion.about, what="pause webhook").first()
    host = entry.subject if entry else ""
    why = str(entry.details.get("reason", "")) if entry else ""
    subject = gettext("A webhook is paused: %(host)s") % {"host": host}
    return Content(
        "about_draft",
        subject,
        occasion.language,
        why or subject,
        gettext("You get this email because you are an administrator of %(newsroom)s.")
        % head.named,
        {
            "note": why,
            "heading": subject,
            "link": f"{settings.MOREFOLLOWS.url}/desk/settings/webhooks/",
            "button": gettext("Open the webhooks"),
        },
    )


def _test(head: Letterhead, occasion: Occasion) -> Content:
    """A story's draft as its readers would get it. Links for one reader lead nowhere."""
    story = _story(occasion)
    with translation.override(story.language):
        content = alert.content(head, preview.draft_of(story), story.topic, time.time(), "test")
        subject = gettext("TEST: %(subject)s") % {"subject": content.subject}
    return content._replace(subject=subject, thread=(), feedback="")


def _story(occasion: Occasion) -> Story:
    """Raises `ValueError` if the story is gone."""
    found = Story.objects.select_related("author", "topic").filter(pk=occasion.about).first()
    if found is None:
        raise ValueError("the story of this letter is gone")
    return found


def _editor(occasion: Occasion) -> Editor:
    return Editor.objects.select_related("invited_by").get(pk=occasion.editor)


def _preferences(head: Letterhead, occasion: Occasion) -> Content:
    """The link that somebody asked for at the site's *Manage my alerts*."""
    return Content(
        "preferences",
        gettext("Your link to manage alerts from %(newsroom)s") % head.named,
        occasion.language,
        gettext("Choose topics, how often and when, or unsubscribe."),
        gettext("You get this one email because somebody asked for it with this address."),
        {"manage_link": head.link("preferences", Slot.PREFERENCES)},
    )


def _digest(head: Letterhead, occasion: Occasion) -> Content:
    return digest.content(head, occasion.kind, occasion.updates, occasion.language)


def _topic(occasion: Occasion) -> Topic:
    return Topic.objects.get(pk=occasion.topic or 0)


#: Every kind of `Letter.Kind`.
KINDS: dict[str, LetterKind] = {
    Letter.Kind.CONFIRMATION: LetterKind(_confirmation),
    Letter.Kind.THANKS: LetterKind(_thanks),
    Letter.Kind.NEW_ADDRESS: LetterKind(_new_address, token=Tokens.new_address),
    Letter.Kind.MOVED: LetterKind(_moved),
    Letter.Kind.INVITATION: LetterKind(_invitation, token=Tokens.invitation),
    Letter.Kind.INVITE_EDITOR: LetterKind(_invite_editor),
    Letter.Kind.NEW_PASSWORD: LetterKind(_new_password),
    Letter.Kind.PREFERENCES: LetterKind(_preferences),
    Letter.Kind.APPROVAL: LetterKind(_approval),
    Letter.Kind.SENT_BACK: LetterKind(_sent_back),
    Letter.Kind.TEST: LetterKind(_test),
    Letter.Kind.ITEM: LetterKind(_item),
    Letter.Kind.WEBHOOK_PAUSED: LetterKind(_webhook_paused),
    Letter.Kind.DIGEST: LetterKind(_digest, bulk=True),
    Letter.Kind.AWAY: LetterKind(_digest, bulk=True),
}
