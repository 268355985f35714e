"""One alert on its way out, as a sender process has it: its bytes in each language, and whether it may be sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from django.conf import settings

from morefollows.audience import links
from morefollows.audience.tokens import DRILLS, OFFERS, Person, Row, Tokens
from morefollows.courier.channels import CHANNELS, Channel
from morefollows.courier.ledger import claims, history
from morefollows.courier.ledger.claims import Running
from morefollows.courier.message import alert as alerts
from morefollows.courier.message import dkim
from morefollows.courier.message.content import return_paths
from morefollows.courier.message.template import Composed, Signer, press
from morefollows.courier.refusals.brake import Answers
from morefollows.database.clock import now_ms
from morefollows.stories.models import Alert

Press = Callable[
    [Sequence[bytes]], Sequence[bytes]
]  #: values for the holes → the message in pieces
#: reader, recipient, alerts of the story that the reader was sent before
Facts = tuple[Person, bytes, Sequence[int]]
#: the facts of several readers → for each the return path, and the values for the holes
Fill = Callable[[Sequence[Facts]], list[tuple[bytes, Sequence[bytes]]]]


_FEW = 20  # mails


class Release:
    """What one alert's rounds have in common: its bytes, and whether it may be sent."""

    def __init__(
        self,
        running: Running,
        *,
        presses: Mapping[str, Press],
        fill: Fill,
        on_put_back: Callable[[], None],
        hold_left: float = 0.0,
        earlier: Sequence[int] = (),
        signed: bool = False,
    ) -> None:
        self.running = running
        self.alert = running.id
        self._hold_ends = time.monotonic() + hold_left
        self.presses = presses
        self.fill = fill
        self.signed = signed
        self.on_put_back = on_put_back  # a mail came back, and another relay may have it
        self.earlier = earlier  # alerts of the story's earlier updates: what a mail may refer to
        self.sending = False  # false within the hold, and again once it was stopped
        self.halted = False  # a write has found that it does not go on, since the last look at what there is to do
        self.answers = Answers()
        self.made = self.unmade = 0  # mails
        self.broken = ""  # why so many of its mails can't be made that it is given up

    def can_not_make(self, why: str) -> None:
        """One mail can't be made. If it is not just a few, something is wrong with all."""
        self.unmade += 1
        if self.unmade > max(_FEW, self.made // 20):
            self.broken, self.sending = why, False

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.running.channel]

    @property
    def held_until(self) -> int:
        return self.running.held_until

    @property
    def expires_at(self) -> int:
        return self.running.expires_at

    def hold_left(self) -> float:
        """Seconds. A clock that is set back does not make the hold longer, unless a time was chosen."""
        if self.running.timed:
            return (self.held_until - now_ms()) / 1000
        return min(self._hold_ends - time.monotonic(), (self.held_until - now_ms()) / 1000)


def prepare(alert: Running, tokens: Tokens, on_put_back: Callable[[], None]) -> Release:
    """Composes the alert, or takes what was composed before. Raises `ValueError` for what can't be mailed."""
    signers = dkim.signers(settings.MOREFOLLOWS)
    return Release(
        alert,
        presses=_presses(alert.id, signers),
        fill=_filler(alert, tokens),
        on_put_back=on_put_back,
        hold_left=claims.hold_left(alert.id),
        earlier=history.earlier_of_story(alert.id),
        signed=bool(signers),
    )


def _presses(alert: int, signers: Sequence[Signer]) -> dict[str, Press]:
    """One for each language."""
    presses: dict[str, Press] = {}
    for language, _ in settings.LANGUAGES:
        parts = claims.kept_composition(alert, language)
        if parts is None:
            whole = Alert.objects.select_related("update__story", "topic").get(pk=alert)
            parts = claims.keep_composition(
                alert, language, alerts.alert(whole, language).to_bytes()
            )
        presses[language] = press(Composed.from_bytes(parts), signers)
    return presses


def _filler(running: Running, tokens: Tokens) -> Fill:
    """The hot function that gives readers' return paths and the values for the holes."""
    alert = Alert.objects.select_related("update__story", "topic").get(pk=running.id)
    story = alert.update.story
    listed = OFFERS if alert.topic is None else links.row(alert.topic)
    if running.audience == Alert.Audience.DRILL:
        listed = DRILLS
    tokens_of = tokens.of_alert(
        Row(alert.pk, alert.uuid.bytes), listed, Row(story.pk, story.uuid.bytes)
    )
    return_path = return_paths()
    thread = alerts.threads(alert, tokens.receipt)
    alone = thread(Row(0, b""), ())

    def fill(readers: Sequence[Facts]) -> list[tuple[bytes, Sequence[bytes]]]:
        made = zip(readers, tokens_of([person for person, _, _ in readers]), strict=True)
        filled: list[tuple[bytes, Sequence[bytes]]] = []
        for ((reader, uid, _), recipient, had), (receipt, leave, preferences, about_story) in made:
            references, reply = thread(Row(reader, uid), had) if had else alone
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
