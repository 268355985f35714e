"""An alert prepared for sending in one process: its rendered parts by language, and its state."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.utils import timezone

from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.alert_tokens import AlertTokens, Person
from morefollows.audience.link_tokens.tokens import DRILLS, OFFERS, TokenRow, Tokens
from morefollows.audience.models import Topic
from morefollows.courier.channels import CHANNELS, Channel
from morefollows.courier.ledger import claims, history
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.courier.message import alert as alerts
from morefollows.courier.message import dkim
from morefollows.courier.message.content import Author, Letterhead, return_paths
from morefollows.courier.message.template import Composed, Signer, renderer
from morefollows.courier.message.thread_headers import threads
from morefollows.courier.refusals.brake import ReplyTally
from morefollows.courier.relays.accept_times import AcceptTimes, AllAcceptTimes
from morefollows.database.clock import now_ms
from morefollows.stories.models import Alert, Story, Update

log = logging.getLogger(__name__)

#: values for the placeholders → the message in pieces
Render = Callable[[Sequence[bytes]], Sequence[bytes]]
#: reader, recipient, earlier alerts of the story sent to this reader
Facts = tuple[Person, bytes, Sequence[int]]
#: facts of several readers → for each the return path, and the values for the placeholders
Fill = Callable[[Sequence[Facts]], list[tuple[bytes, Sequence[bytes]]]]


_FEW = 20  # mails that may fail to render before an alert is given up


class PreparedAlert:
    """What all batches of one alert share: its rendered parts, and whether it may be sent."""

    def __init__(
        self,
        alert: ActiveAlert,
        *,
        renderers: Mapping[str, Render],
        fill: Fill,
        on_put_back: Callable[[], None],
        hold_left: float = 0.0,
        earlier: Sequence[int] = (),
        signed: bool = False,
        accept_times: AllAcceptTimes | None = None,
    ) -> None:
        self.alert = alert  #: replaced by each survey, as its expiry may change
        self.id = alert.id
        self._hold_ends = time.monotonic() + hold_left
        self.renderers = renderers
        self.fill = fill
        self.signed = signed
        # called when a mail was put back, as another relay may take it
        self.on_put_back = on_put_back
        # alerts of the story's earlier updates, for References (RFC 5322, section 3.6.4)
        self.earlier = earlier
        self.sending = False  # false during the hold, and after the alert was stopped
        self.halted = False  # the last write found that it is not being sent; reset by each survey
        self.answers = ReplyTally()
        #: when mails were accepted; the sender reads it from time to time
        self.accept_times: AcceptTimes = (
            accept_times.of(alert.id) if accept_times else AllAcceptTimes().of(0)
        )
        self.made = self.unmade = 0  # numbers of mails
        self.broken = ""  # why too many of its mails can't be rendered; empty: they can

    def can_not_make(self, why: str) -> None:
        """Counts a mail that can't be rendered. Stops the alert if there are more than a few."""
        self.unmade += 1
        if self.unmade > max(_FEW, self.made // 20):
            self.broken, self.sending = why, False

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.alert.channel]

    def hold_left(self) -> float:
        """Seconds until the end of the hold; negative after it.

        A system clock that is set back does not prolong the hold, unless the alert has a chosen
        time.
        """
        left = (self.alert.held_until_ms - now_ms()) / 1000
        return left if self.alert.timed else min(self._hold_ends - time.monotonic(), left)


def prepare_alert(
    active: ActiveAlert,
    tokens: Tokens,
    on_put_back: Callable[[], None],
    accept_times: AllAcceptTimes | None = None,
) -> PreparedAlert:
    """Composes the alert, or loads its stored composition.

    An alert without a hold waits for this, so each row is read once. Raises `ValueError` if it
    can't be mailed.
    """
    signers = dkim.signers(settings.MOREFOLLOWS)
    alert = Alert.objects.select_related("update__story__topic", "topic").get(pk=active.id)
    head = Letterhead.new()
    return PreparedAlert(
        active,
        renderers=_renderers(alert, head, signers),
        fill=_filler(alert, head.sender, tokens),
        on_put_back=on_put_back,
        hold_left=claims.hold_left(alert),
        earlier=history.earlier_of_story(alert),
        signed=bool(signers),
        accept_times=accept_times,
    )


def warm_up() -> None:
    """Composes an alert for nobody. Called at the start, before there is one.

    What is loaded by that, such as templates and catalogues, would make the first alert wait for
    some tenths of a second if it has no hold. Raises nothing.
    """
    now = timezone.now()
    try:
        topic = Topic.objects.order_by("pk").first()
        if topic is None:
            return
        text = {"headline": "A headline", "text": "A text with a [link](https://host.example).\n"}
        story = Story(topic=topic, created_at=now, **text)
        alert = Alert(update=Update(story=story, **text), topic=topic, held_until_ms=now_ms())
        signers = dkim.signers(settings.MOREFOLLOWS)
        for language in settings.MOREFOLLOWS.languages:
            renderer(alerts.alert(alert, language), signers)
    except Exception as error:  # the first alert tells
        log.debug("no alert could be composed at the start: %s", type(error).__name__)


def _renderers(alert: Alert, head: Letterhead, signers: Sequence[Signer]) -> dict[str, Render]:
    """The rendering function for each language."""
    # `en` is for readers in a language that is no longer offered.
    languages = set(settings.MOREFOLLOWS.languages) | {settings.LANGUAGE_CODE}
    kept = claims.kept_compositions(alert.pk)
    new = {one: alerts.alert(alert, one, head) for one in languages - kept.keys()}
    if new:
        stored = {one: composed.to_bytes() for one, composed in new.items()}
        kept = claims.keep_compositions(alert.pk, stored)
        # Another process may have been first. Else what was just made need not be read again.
        new = {one: composed for one, composed in new.items() if kept[one] == stored[one]}
    return {
        one: renderer(new.get(one) or Composed.from_bytes(kept[one]), signers) for one in languages
    }


def _filler(alert: Alert, sender: Author, tokens: Tokens) -> Fill:
    """Returns the function that computes return paths and placeholder values.

    It runs for each mail.
    """
    story = alert.update.story
    listed = OFFERS if alert.topic is None else links.row(alert.topic)
    if alert.audience == Alert.Audience.DRILL:
        listed = DRILLS
    alert_row, story_row = (TokenRow(one.pk, one.uuid.bytes) for one in (alert, story))
    tokens_of = AlertTokens(tokens, alert_row, listed, story_row)
    return_path = return_paths(sender)
    thread = threads(alert, tokens.receipt, sender)
    alone = thread(TokenRow(0, b""), ())

    def fill(readers: Sequence[Facts]) -> list[tuple[bytes, Sequence[bytes]]]:
        made = zip(readers, tokens_of([person for person, _, _ in readers]), strict=True)
        filled: list[tuple[bytes, Sequence[bytes]]] = []
        for ((reader, uid, _), recipient, had), (receipt, leave, preferences, about_story) in made:
            references, reply = thread(TokenRow(reader, uid), had) if had else alone
            values = (
                recipient,
                leave,
                receipt,
                b"",
                b"",
                preferences,
                about_story,
                references,
                reply,
            )
            filled.append((return_path(receipt), values))
        return filled

    return fill
