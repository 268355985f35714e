"""How soon each mailbox provider accepted the mails of an alert, in one sender process.

The sender notes each time; every few seconds the times are put into bins and stored, whole, as this
process has seen them so far. A bin is at most 3 % wide.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from django.db import transaction

from morefollows.courier.provider_models import ProviderTime
from morefollows.stories.models import Alert

_SMALL = 50  # mails; providers with fewer are summed up as ""
_MOST = 30  # providers with a row of their own
_FORGOTTEN = 900.0  # seconds without a mail


#: Domain → milliseconds from the end of the hold.
AcceptTimes = defaultdict[str, "array[int]"]


def time_bin(milliseconds: int) -> int:
    """The start of the bin that this time is in."""
    shift = max(0, milliseconds.bit_length() - 6)
    return milliseconds >> shift << shift


class AllAcceptTimes:
    """The times of all alerts that this process works on."""

    def __init__(self) -> None:
        self._new: dict[int, AcceptTimes] = {}
        self._sums: dict[int, dict[str, Counter[int]]] = {}
        self._changed_at: dict[int, float] = {}

    def of(self, alert: int) -> AcceptTimes:
        """Returns where the caller appends the times of this alert's mails: always the same."""
        return self._new.setdefault(alert, _accept_times())

    def take(self, provider: Callable[[str], str]) -> dict[int, dict[str, Counter[int]]]:
        """Returns alert → provider → bin → mails, for alerts with new times.

        `provider`: a function from a domain to its mailbox provider.
        """
        now, found = time.monotonic(), {}
        for alert, domains in self._new.items():
            sums = self._sums.setdefault(alert, {})
            changed = False
            for domain, times in domains.items():
                if times:
                    changed = True
                    sums.setdefault(provider(domain), Counter()).update(map(time_bin, times))
                    del times[:]
            if changed:
                self._changed_at[alert] = now
                found[alert] = _with_small_ones_summed(sums)
        for alert in [one for one, at in self._changed_at.items() if now - at > _FORGOTTEN]:
            # its `of` may still be in use: only what is counted is dropped
            del self._changed_at[alert]
            self._sums.pop(alert, None)
            if not any(self._new[alert].values()):
                self._new[alert].clear()
        return found


def store_times(worker: str, times: Mapping[int, Mapping[str, Counter[int]]]) -> None:
    """Stores one sender's times: alert → provider → bin → mails, each as known so far."""
    there = set(Alert.objects.filter(pk__in=times).values_list("pk", flat=True))
    for alert, providers in times.items():
        if alert not in there:
            continue
        rows = [
            ProviderTime(alert_id=alert, worker=worker, provider=name, bins=sorted(bins.items()))
            for name, bins in providers.items()
        ]
        with transaction.atomic():
            ProviderTime.objects.filter(alert=alert, worker=worker).delete()
            ProviderTime.objects.bulk_create(rows)


def _accept_times() -> AcceptTimes:
    return defaultdict(lambda: array("I"))


def _with_small_ones_summed(sums: dict[str, Counter[int]]) -> dict[str, Counter[int]]:
    named = sorted(sums, key=lambda one: -sums[one].total())[:_MOST]
    found: dict[str, Counter[int]] = {}
    for provider, bins in sums.items():
        name = provider if provider in named and bins.total() >= _SMALL else ""
        found.setdefault(name, Counter()).update(bins)
    return found
