"""Composes letters: mails to one reader, caused by that reader or by a user of that address.

One `LetterKind` each. To add one, see docs/how-to/add-a-transactional-mail.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from morefollows.audience.models import Letter, Topic
from morefollows.audience.tokens import TokenRow, Tokens
from morefollows.courier.message import digest
from morefollows.courier.message.compose import compose
from morefollows.courier.message.content import Content, Letterhead, MailingList, because_of
from morefollows.courier.message.template import Composed, Slot


class Occasion(NamedTuple):
    """What letters to many readers share. They are composed once and filled for each reader."""

    kind: str  #: `Letter.Kind`
    language: str
    topic: int | None = None
    offers: bool = False  #: of a confirmation: its link confirms the consent to offers, too
    updates: tuple[int, ...] = ()  #: of a summary: what it tells


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
        gettext("You get this one mail because this address was typed into our sign-up form."),
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
        gettext("Thanks for signing up: %(topic)s") % {"topic": topic.name},
        occasion.language,
        gettext("When news breaks, you will know within seconds."),
        because_of(topic, head),
        {"topic": topic},
        listed=MailingList(topic.name, topic.slug),
    )


def _new_address(head: Letterhead, occasion: Occasion) -> Content:
    """Asks the owner of a new address to confirm the move to it."""
    return Content(
        "new_address",
        gettext("Please confirm your new address for %(newsroom)s") % head.named,
        occasion.language,
        gettext("One click, and what you get from us comes here."),
        gettext("You get this one mail because a reader gave this address as a new one."),
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
        gettext("You get this one mail because our emails to you have moved to another address."),
        {},
    )


def _invitation(head: Letterhead, occasion: Occasion) -> Content:
    """Asks whether an address wants to take part in drills."""
    why = gettext(
        "You get this one mail because an administrator of %(newsroom)s entered this address."
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
    Letter.Kind.DIGEST: LetterKind(_digest, bulk=True),
    Letter.Kind.AWAY: LetterKind(_digest, bulk=True),
}
