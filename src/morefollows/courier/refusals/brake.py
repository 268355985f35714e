"""The brake: what is said of many readers at once counts against the relay or the mailbox provider, not against them.

Each mail that is refused for a reason that may lie elsewhere is kept as a `models.Refusal`. Beyond max(20, 5 %) of an
alert's mails that one relay, or one provider, has answered, a `models.Brake` is on: what was refused is deferred, and
tried again like any other. Counts are in the database, and so are those of all sender processes.

What one or two providers under a brake of their own refuse does not count against the relay, in whatever order it
comes. While more is to come the relay is judged without the two that refuse the most: their own brakes may go on with
the next refusal. When all mails are answered, only those with a brake are left out.
"""

from __future__ import annotations

import heapq
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from morefollows.courier.models import Brake, Refusal
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert
from morefollows.stories.transitions import ENDED

log = logging.getLogger(__name__)

FEW = 20  #: refusals of one relay or provider in an alert that are never too many
SHARE = 0.05  #: of the mails that it answered: as many are not too many either
POLICY = 3  #: mails refused by policy after their content, none accepted: that provider is left alone for a while
APART = 2  #: providers under a brake whose refusals do not count against the relay; when more are, all count
_OFTEN_MS = 1000  # between two writes of nothing but what was accepted

Key = tuple[str, str]  #: scope and name: ("relay", …) or ("provider", …)


class Refused(NamedTuple):
    """One mail that was refused. `bounce`: a `replies.Bounce`'s value."""

    batch: int
    place: int
    reader: int
    domain: str
    provider: str
    relay: str
    bounce: str
    code: int
    status: str
    at: int  #: ms since 1970

    @property
    def keys(self) -> tuple[Key, Key]:
        return (Brake.Scope.RELAY, self.relay), (Brake.Scope.PROVIDER, self.provider)


class Counts(NamedTuple):
    answered: int
    refused: int
    on_since: int | None = None  #: ms since 1970, if the brake is on


class Noted(NamedTuple):
    """What one sender process has to write of one alert."""

    refused: list[Refused]
    accepted: dict[Key, int]  #: since the last time
    on: set[Key]  #: brakes that were put on by what this process alone has heard


class Answers:
    """What relays and providers answered to one alert's mails, in one sender process. For the event loop's thread."""

    def __init__(self) -> None:
        self._accepted: Counter[tuple[str, str]] = Counter()
        self._uncounted: dict[str, list[str]] = {}  # relay → domains of mails that it accepted
        self.refused: list[Refused] = []  #: since `take`
        self.on: set[Key] = set()  #: the brakes that are on, as far as this process knows
        self._ever: set[tuple[str, str]] = set()
        self._policy: Counter[tuple[str, str]] = (
            Counter()
        )  # (relay, provider) → mails refused by policy
        self._sums: Counter[Key] = Counter()  # accepted, and not written
        self._watched: set[Key] = (
            set()
        )  # those with a refusal: only for them acceptances are written
        self._taken_at = 0
        self._new: set[Key] = set()  # brakes that were put on here since `take`
        self._here: dict[Key, Counts] = {}  # what this process has heard of those with a refusal
        self._before: Counter[Key] = Counter()  # accepted until `take`

    def accepted_by(self, relay: str) -> list[str]:
        """The list to add the domain of each mail to that this relay accepts; always the same one.

        A list, as that is the quickest for what happens with each mail: `count` is called now and then.
        """
        return self._uncounted.setdefault(relay, [])

    def count(self) -> None:
        """Counts what is in the lists of `accepted_by`, and empties them."""
        for relay, domains in self._uncounted.items():
            for domain, mails in Counter(domains).items():
                self._accepted[relay, domain] += mails
            domains.clear()

    @property
    def accepted(self) -> Counter[tuple[str, str]]:
        """(relay, domain) → mails since `take`."""
        self.count()
        return self._accepted

    def has_accepted(self, relay: str, domain: str) -> bool:
        """This relay has accepted a mail of the alert for this domain."""
        return (relay, domain) in self._ever or (relay, domain) in self.accepted

    def braked(self, relay: str, provider: str) -> bool:
        return bool(self.on) and (
            (Brake.Scope.RELAY, relay) in self.on or (Brake.Scope.PROVIDER, provider) in self.on
        )

    def relay_braked(self, relay: str) -> bool:
        """It refuses many, whichever their providers: another relay may have what it refuses."""
        return (Brake.Scope.RELAY, relay) in self.on

    def heard_refusal(self, one: Refused, provider: Callable[[str], str]) -> bool:
        """A mail was refused. Returns whether that puts on a brake, before any other process is asked.

        `provider`: that of a domain, as far as it is known.
        """
        counts = [self._here.get(key, Counts(0, 0)) for key in one.keys]
        for key, (_, refused, _) in zip(one.keys, counts, strict=True):
            self._here[key] = Counts(0, refused + 1)
        due = [key for key in one.keys if _is_due(self._here[key].refused)]
        if not due:
            return False
        accepted = self._before.copy()
        for (relay, domain), mails in self.accepted.items():
            accepted[Brake.Scope.RELAY, relay] += mails
            accepted[Brake.Scope.PROVIDER, provider(domain)] += mails
        new = {
            key
            for key in due
            if key[0] == Brake.Scope.PROVIDER and self._too_many_here(key, accepted, ())
        }
        self.on |= new
        apart = self._apart()
        for key in due:
            if key[0] == Brake.Scope.RELAY and self._too_many_here(key, accepted, apart):
                new.add(key)
        self.on |= new
        self._new |= new
        self._watched |= new
        return bool(new)

    def _apart(self) -> list[Key]:
        """The providers whose refusals do not count against the relay."""
        on = [key for key in self.on if key[0] == Brake.Scope.PROVIDER]
        if len(on) > APART:
            return []
        others = [
            key for key in self._here if key[0] == Brake.Scope.PROVIDER and key not in self.on
        ]
        return on + heapq.nlargest(APART - len(on), others, lambda key: self._here[key].refused)

    def _too_many_here(self, key: Key, accepted: Counter[Key], apart: Sequence[Key]) -> bool:
        refused = self._here[key].refused
        refused -= sum(self._here[other].refused for other in apart if other in self._here)
        answered = refused + accepted[key] - sum(accepted[other] for other in apart)
        return too_many(refused, answered, so_far=True)

    def held_back(self, relay: str, provider: str) -> bool:
        """A mail was refused by the provider's policy, and none accepted. Whether it is time to leave it alone."""
        self._policy[relay, provider] += 1
        return self._policy[relay, provider] >= POLICY

    @property
    def due(self) -> bool:
        """There is something to write."""
        return bool(self.refused or self._new) or bool(
            self._watched and self.accepted and now_ms() - self._taken_at >= _OFTEN_MS
        )

    def take(self, provider: Callable[[str], str]) -> Noted:
        """What is to be written now. `provider`: that of a domain, as far as it is known."""
        for (relay, domain), mails in self.accepted.items():
            for key in (
                (Brake.Scope.RELAY.value, relay),
                (Brake.Scope.PROVIDER.value, provider(domain)),
            ):
                self._sums[key] += mails
                self._before[key] += mails
        self._ever.update(self._accepted)
        self._accepted.clear()
        refused, self.refused, self._taken_at = self.refused, [], now_ms()
        self._watched.update(key for one in refused for key in one.keys)
        accepted = {key: self._sums.pop(key) for key in self._watched if key in self._sums}
        new, self._new = self._new, set()
        return Noted(refused, accepted, new)

    def put_back(self, noted: Noted) -> None:
        """It could not be written."""
        self.refused = [*noted.refused, *self.refused]
        self._sums.update(noted.accepted)
        self._new |= noted.on


_COUNT = """
INSERT INTO courier_brake (alert_id, scope, name, answered, refused) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (alert_id, scope, name) DO UPDATE SET
    answered = courier_brake.answered + excluded.answered, refused = courier_brake.refused + excluded.refused
RETURNING answered, refused, on_since
"""


def note(alert: int, noted: Noted) -> set[Key]:
    """Writes what was answered. Returns the brakes that are on; logs those that it puts on."""
    refused = Counter(key for one in noted.refused for key in one.keys)
    counted: dict[Key, Counts] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        Refusal.objects.bulk_create(
            Refusal(alert_id=alert, **one._asdict()) for one in noted.refused
        )
        for key in sorted(
            {*refused, *noted.accepted}
        ):  # in one order, so that no two wait for each other
            answered = refused[key] + noted.accepted.get(key, 0)
            cursor.execute(_COUNT, (alert, *key, answered, refused[key]))
            counted[key] = Counts(*cursor.fetchone())
        told = _put_on_where_too_many(alert, counted, so_far=True)
        for key in sorted(noted.on - brakes_on(alert)):
            _put_on(alert, key)
            told[key] = counted.get(key, Counts(0, 0))
        on = brakes_on(alert)
    _tell(alert, told)
    return on


def _put_on_where_too_many(
    alert: int, counted: Mapping[Key, Counts], *, so_far: bool
) -> dict[Key, Counts]:
    """Providers first: what one or two of them refuse says nothing about the relay. Returns what is newly on."""
    new: dict[Key, Counts] = {}
    for key, counts in sorted(counted.items()):  # "provider" comes before "relay"
        if counts.on_since is not None:
            continue
        if key[0] == Brake.Scope.RELAY:
            apart = _apart(alert, so_far=so_far)
            rest = Counts(
                counts.answered - sum(one.answered for one in apart),
                counts.refused - sum(one.refused for one in apart),
            )
        else:
            rest = counts
        if too_many(rest.refused, rest.answered, so_far=so_far):
            _put_on(alert, key)
            new[key] = counts
    return new


def _apart(alert: int, *, so_far: bool) -> list[Brake]:
    """The providers whose refusals do not count against the relay."""
    providers = Brake.objects.filter(alert=alert, scope=Brake.Scope.PROVIDER)
    on = list(providers.filter(on_since__isnull=False)[: APART + 1])
    if len(on) > APART:
        return []
    return on + list(
        providers.filter(on_since=None).order_by("-refused")[: APART - len(on)] if so_far else []
    )


def _is_due(refused: int) -> bool:
    """Whether to count at this refusal: it costs a look at all that was accepted."""
    return refused > FEW and (refused == FEW + 1 or refused % 10 == 0)


def too_many(refused: int, answered: int, *, so_far: bool = False) -> bool:
    """`so_far`: more is to come, so chance is allowed for: three standard deviations of a Poisson distribution."""
    share = SHARE * max(answered, 0)
    return refused > max(FEW, share + 3 * math.sqrt(share) if so_far else share)


def _put_on(alert: int, key: Key) -> None:
    scope, name = key
    brake, _made = Brake.objects.get_or_create(alert_id=alert, scope=scope, name=name)
    if brake.on_since is None:
        Brake.objects.filter(pk=brake.pk).update(on_since=now_ms())


def _tell(alert: int, brakes: Mapping[Key, Counts]) -> None:
    for (scope, name), counts in brakes.items():
        by = "by the relay" if scope == Brake.Scope.RELAY else "for"
        words = "alert %d: %d of the %d mails answered %s %s were refused: nobody is suppressed, they are tried again"
        log.warning(words, alert, counts.refused, counts.answered, by, name)


def put_on(alert: int, relay: str) -> None:
    """The relay refuses us: what it has refused in this alert is to be tried again."""
    with transaction.atomic():
        if Refusal.objects.filter(alert=alert, relay=relay).exists():
            _put_on(alert, (Brake.Scope.RELAY, relay))


def let_go(relay: str) -> None:
    """The relay is resumed: in alerts on their way it is judged from the beginning."""
    running = Alert.objects.exclude(state__in=ENDED)
    Brake.objects.filter(scope=Brake.Scope.RELAY, name=relay, alert__in=running).delete()


#: States in which nothing more of an alert is sent.


def brakes_on(alert: int) -> set[Key]:
    """The brakes that are on in this alert."""
    return set(_on(alert).values_list("scope", "name"))


def _on(alert: int) -> QuerySet[Brake]:
    return Brake.objects.filter(alert=alert, on_since__isnull=False)


def judge(alert: int, provider: Callable[[str], str]) -> set[Key]:
    """Every mail of the alert is answered: puts on the brakes that its counts ask for. Returns all that are on.

    By now the providers of more domains are known than when their mails were answered.
    """
    sums: dict[Key, Counts] = {}
    names: dict[Key, list[str]] = {}
    for brake in Brake.objects.filter(alert=alert):
        key = (
            brake.scope,
            provider(brake.name) if brake.scope == Brake.Scope.PROVIDER else brake.name,
        )
        before = sums.get(key, Counts(0, 0))
        sums[key] = Counts(before.answered + brake.answered, before.refused + brake.refused)
        names.setdefault(key, []).append(brake.name)
    on = brakes_on(alert)
    sums = {
        key: counts
        for key, counts in sums.items()
        if not all((key[0], name) in on for name in names[key])
    }
    with transaction.atomic():
        told = _put_on_where_too_many(alert, sums, so_far=False)
        for key in told:
            for name in names[key]:
                _put_on(alert, (key[0], name))
    _tell(alert, told)
    return brakes_on(alert)


def refusals_under(on: set[Key], refusals: Sequence[Refusal]) -> list[Refusal]:
    """Those of these refusals for which a brake is on."""
    return [
        one
        for one in refusals
        if (Brake.Scope.RELAY, one.relay) in on or (Brake.Scope.PROVIDER, one.provider) in on
    ]
