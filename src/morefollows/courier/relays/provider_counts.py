"""Stores how soon mailbox providers accepted mail, and TLS sessions with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db import connection, transaction
from django.utils import timezone

from morefollows.courier.mx.tls_results import TlsSession
from morefollows.courier.provider_models import ProviderTime
from morefollows.stories.models import Alert

_TLS = (
    "INSERT INTO courier_tlscount (day, domain, policy, host, result, sessions)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (day, domain, policy, host, result) DO UPDATE"
    " SET sessions = courier_tlscount.sessions + excluded.sessions"
)


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


def store_tls(sessions: Counter[TlsSession]) -> None:
    """Adds TLS sessions to the counts of today (UTC)."""
    if not sessions:
        return
    today = timezone.now().date()
    with transaction.atomic(), connection.cursor() as cursor:
        for one, count in sorted(sessions.items()):
            cursor.execute(_TLS, (today, *one, count))
