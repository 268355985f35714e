"""The brake: many refusals at once count against the relay or mailbox provider, not the readers.

Each refused mail whose cause may not be the reader is stored as a `models.Refusal`. A relay or
provider may refuse max(20, 5 %) of the mails of an alert that it has answered. Beyond that a
`models.Brake` is put on: what was refused is deferred, and retried like other mails. Counts are in
the database, summed over all sender processes.

Refusals of up to `APART` providers with a brake do not count against the relay. While replies are
outstanding, the relay is judged without the two providers that refuse most, as their brakes may
follow. When all mails have replies, only providers with a brake are left out.

Invariant: brakes are judged with providers first, then relays.
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
from morefollows.stories.alerts.transition_table import ENDED
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)

FEW = 20  #: up to so many refusals of one relay or provider in an alert put no brake on
SHARE = 0.05  #: the share of answered mails that may be refused
#: if all mails that a relay answered were refused, so many are enough at the end of an alert
ALL = 5
#: policy refusals after DATA without an accepted mail, after which a provider is throttled
POLICY = 3
#: most providers whose refusals are not counted against the relay; with more of them, all count
APART = 2
_OFTEN_MS = 1000  # least time in ms between two writes that hold only accepted mails

Key = tuple[str, str]  #: scope and name: ("relay", …) or ("provider", …)


class RefusedMail(NamedTuple):
    """One refused mail.

    `place`: its index in the batch. `bounce`: the value of a `replies.BounceKind`.
    """

    batch: int
    place: int
    reader: int
    domain: str
    provider: str
    relay: str
    bounce: str
    code: int
    status: str
    at_ms: int  #: ms since 1970

    @property
    def keys(self) -> tuple[Key, Key]:
        return (Brake.Scope.RELAY, self.relay), (Brake.Scope.PROVIDER, self.provider)


class Counts(NamedTuple):
    """Numbers of mails of one relay or provider in an alert."""

    answered: int
    refused: int
    on_since_ms: int | None = None  #: ms since 1970, if the brake is on


class Noted(NamedTuple):
    """What one sender process has to write about one alert."""

    refused: list[RefusedMail]
    accepted: dict[Key, int]  #: since the last write
    on: set[Key]  #: brakes put on by the replies of this process alone


class ReplyTally:
    """Replies to one alert's mails in one sender process. Used only in the event loop's thread."""

    def __init__(self) -> None:
        self._accepted: Counter[tuple[str, str]] = Counter()
        self._uncounted: dict[str, list[str]] = {}  # relay → domains of mails that it accepted
        self.refused: list[RefusedMail] = []  #: since `take`
        self.on: set[Key] = set()  #: the brakes that are on, as known in this process
        self._ever: set[tuple[str, str]] = set()
        self._carried: set[str] = set()  # relays that have accepted a mail
        # (relay, provider) → mails refused by policy
        self._policy: Counter[tuple[str, str]] = Counter()
        self._sums: Counter[Key] = Counter()  # accepted mails that are not written
        # keys with a refusal: only for these are accepted mails written
        self._watched: set[Key] = set()
        self._taken_at = 0
        self._new: set[Key] = set()  # brakes put on in this process since `take`
        self._here: dict[Key, Counts] = {}  # this process's counts of keys with a refusal
        self._before: Counter[Key] = Counter()  # accepted mails up to the last `take`

    def accepted_by(self, relay: str) -> list[str]:
        """The list to which the caller appends the domain of each mail that this relay accepts.

        It is always the same list. Appending is the cheapest operation for each mail; `count` is
        called from time to time.
        """
        return self._uncounted.setdefault(relay, [])

    def count(self) -> None:
        """Counts the lists of `accepted_by`, and empties them."""
        for relay, domains in self._uncounted.items():
            if domains:
                self._carried.add(relay)
            for domain, mails in Counter(domains).items():
                self._accepted[relay, domain] += mails
            domains.clear()

    @property
    def accepted(self) -> Counter[tuple[str, str]]:
        """(relay, domain) → mails since `take`."""
        self.count()
        return self._accepted

    def has_accepted(self, relay: str, domain: str) -> bool:
        """Whether this relay has accepted a mail of the alert for this domain."""
        return (relay, domain) in self._ever or (relay, domain) in self.accepted

    def has_carried(self, relay: str) -> bool:
        """Whether this relay has accepted a mail of the alert."""
        return relay in self._carried or bool(self._uncounted.get(relay))

    def braked(self, relay: str, provider: str) -> bool:
        """Whether a brake is on for this relay or this provider."""
        return bool(self.on) and (
            (Brake.Scope.RELAY, relay) in self.on or (Brake.Scope.PROVIDER, provider) in self.on
        )

    def relay_braked(self, relay: str) -> bool:
        """Whether a brake is on for this relay: another may be able to send what it refuses."""
        return (Brake.Scope.RELAY, relay) in self.on

    def heard_refusal(self, one: RefusedMail, provider: Callable[[str], str]) -> bool:
        """Counts a refusal. Returns whether it puts a brake on, by this process's counts alone.

        `provider`: maps a domain to its mailbox provider, as far as it is known.
        """
        counts = [self._here.get(key, Counts(0, 0)) for key in one.keys]
        for key, (_, refused, _) in zip(one.keys, counts, strict=True):
            # Accepted mails are not counted here, only when a comparison is due: they are many.
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
        """The providers not counted against the relay, by this process's counts."""
        on = [key for key in self.on if key[0] == Brake.Scope.PROVIDER]
        if len(on) > APART:
            return []
        others = [
            key for key in self._here if key[0] == Brake.Scope.PROVIDER and key not in self.on
        ]
        return on + heapq.nlargest(APART - len(on), others, lambda key: self._here[key].refused)

    def _too_many_here(self, key: Key, accepted: Counter[Key], apart: Sequence[Key]) -> bool:
        """`too_many` by this process's counts, without the providers `apart`."""
        refused = self._here[key].refused
        refused -= sum(self._here[other].refused for other in apart if other in self._here)
        answered = refused + accepted[key] - sum(accepted[other] for other in apart)
        return too_many(refused, answered, so_far=True)

    def held_back(self, relay: str, provider: str) -> bool:
        """Counts a policy refusal of a provider that accepted no mail: is it to be throttled?"""
        self._policy[relay, provider] += 1
        return self._policy[relay, provider] >= POLICY

    @property
    def due(self) -> bool:
        """Whether there is something to write."""
        return bool(self.refused or self._new) or bool(
            self._watched and self.accepted and now_ms() - self._taken_at >= _OFTEN_MS
        )

    def take(self, provider: Callable[[str], str]) -> Noted:
        """Returns what is to be written now, and empties it.

        `provider`: maps a domain to its provider.
        """
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
        """Takes back what `take` returned, as the write failed."""
        self.refused = [*noted.refused, *self.refused]
        self._sums.update(noted.accepted)
        self._new |= noted.on


_COUNT = """
INSERT INTO courier_brake (alert_id, scope, name, answered, refused) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (alert_id, scope, name) DO UPDATE SET
    answered = courier_brake.answered + excluded.answered,
    refused = courier_brake.refused + excluded.refused
RETURNING answered, refused, on_since_ms
"""


def write_counts(alert: int, noted: Noted) -> set[Key]:
    """Writes counts and refusals, and puts on brakes.

    Returns all that are on; logs the new ones.
    """
    refused = Counter(key for one in noted.refused for key in one.keys)
    counted: dict[Key, Counts] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        Refusal.objects.bulk_create(
            Refusal(alert_id=alert, **one._asdict()) for one in noted.refused
        )
        # rows are locked in one order, to avoid deadlocks between senders
        for key in sorted({*refused, *noted.accepted}):
            answered = refused[key] + noted.accepted.get(key, 0)
            cursor.execute(_COUNT, (alert, *key, answered, refused[key]))
            counted[key] = Counts(*cursor.fetchone())
        newly_braked = _put_on_where_too_many(alert, counted, so_far=True)
        for key in sorted(noted.on - brakes_on(alert)):
            _put_on(alert, key)
            newly_braked[key] = counted.get(key, Counts(0, 0))
        on = brakes_on(alert)
    _tell(alert, newly_braked)
    return on


def _put_on_where_too_many(
    alert: int, counted: Mapping[Key, Counts], *, so_far: bool
) -> dict[Key, Counts]:
    """Puts on the brakes that these counts ask for. Returns the new ones.

    Providers are judged first, as the refusals of a braked provider do not count against the relay.
    """
    new: dict[Key, Counts] = {}
    for key, counts in sorted(counted.items()):  # "provider" comes before "relay"
        if counts.on_since_ms is not None:
            continue
        if key[0] == Brake.Scope.RELAY:
            apart = _apart(alert, so_far=so_far)
            rest = Counts(
                counts.answered - sum(one.answered for one in apart),
                counts.refused - sum(one.refused for one in apart),
            )
        else:
            rest = counts
        all_of_them = key[0] == Brake.Scope.RELAY and counts.refused == counts.answered >= ALL
        if too_many(rest.refused, rest.answered, so_far=so_far) or (all_of_them and not so_far):
            _put_on(alert, key)
            new[key] = counts
    return new


def _apart(alert: int, *, so_far: bool) -> list[Brake]:
    """The providers not counted against the relay. `so_far`: replies are outstanding."""
    providers = Brake.objects.filter(alert=alert, scope=Brake.Scope.PROVIDER)
    on = list(providers.filter(on_since_ms__isnull=False)[: APART + 1])
    if len(on) > APART:
        return []
    return on + list(
        providers.filter(on_since_ms=None).order_by("-refused")[: APART - len(on)] if so_far else []
    )


def _is_due(refused: int) -> bool:
    """Whether to compare counts at this refusal.

    Each comparison goes through all accepted mails.
    """
    return refused > FEW and (refused == FEW + 1 or refused % 10 == 0)


def too_many(refused: int, answered: int, *, so_far: bool = False) -> bool:
    """Whether so many refusals of so many answered mails put a brake on.

    `so_far`: replies are outstanding. The limit is then higher by three standard deviations of a
    Poisson distribution, to allow for chance.
    """
    # A Poisson distribution with mean m has the standard deviation sqrt(m).
    share = SHARE * max(answered, 0)
    return refused > max(FEW, share + 3 * math.sqrt(share) if so_far else share)


def _put_on(alert: int, key: Key) -> None:
    """Puts this brake on, unless it is on."""
    scope, name = key
    brake, _made = Brake.objects.get_or_create(alert_id=alert, scope=scope, name=name)
    if brake.on_since_ms is None:
        Brake.objects.filter(pk=brake.pk).update(on_since_ms=now_ms())


def _tell(alert: int, brakes: Mapping[Key, Counts]) -> None:
    """Logs these new brakes."""
    for (scope, name), counts in brakes.items():
        by = "by the relay" if scope == Brake.Scope.RELAY else "for"
        text = (
            "alert %d: %d of the %d mails answered %s %s were refused: "
            "nobody is suppressed, they are tried again"
        )
        log.warning(text, alert, counts.refused, counts.answered, by, name)


def put_on(alert: int, relay: str) -> None:
    """Puts a brake on for a relay that refuses this service, if it refused mails of this alert."""
    with transaction.atomic():
        if Refusal.objects.filter(alert=alert, relay=relay).exists():
            _put_on(alert, (Brake.Scope.RELAY, relay))


def let_go(relay: str) -> None:
    """Deletes the relay's counts and brakes in alerts on their way. Called when it is resumed."""
    running = Alert.objects.exclude(state__in=ENDED)
    Brake.objects.filter(scope=Brake.Scope.RELAY, name=relay, alert__in=running).delete()


def brakes_on(alert: int) -> set[Key]:
    """The brakes that are on in this alert."""
    return set(_on(alert).values_list("scope", "name"))


def _on(alert: int) -> QuerySet[Brake]:
    return Brake.objects.filter(alert=alert, on_since_ms__isnull=False)


def judge_alert(alert: int, provider: Callable[[str], str]) -> set[Key]:
    """Judges an alert whose mails all have replies. Returns all brakes that are on.

    Counts are summed again by provider, as by now the providers of more domains are known.
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
        newly_braked = _put_on_where_too_many(alert, sums, so_far=False)
        for key in newly_braked:
            for name in names[key]:
                _put_on(alert, (key[0], name))
    _tell(alert, newly_braked)
    return brakes_on(alert)


def refusals_under(on: set[Key], refusals: Sequence[Refusal]) -> list[Refusal]:
    """Those of these refusals for which a brake is on."""
    return [
        one
        for one in refusals
        if (Brake.Scope.RELAY, one.relay) in on or (Brake.Scope.PROVIDER, one.provider) in on
    ]
