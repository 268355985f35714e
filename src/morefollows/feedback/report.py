"""A report on an alert: how many mails were sent, not sent, or uncertain, e.g. after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Batch
from morefollows.feedback.progress import Progress
from morefollows.stories.actions import may_go_on
from morefollows.stories.alerts import transition_table, transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert


@dataclass(frozen=True)
class AlertReport:
    """Counts are of readers."""

    sent: int
    twice: int  #: mails sent again after an uncertain outcome; these readers may have two
    to_come: int  #: not sent yet
    never: int  #: failed or cancelled; sent only if an editor retries
    uncertain: int
    repeats: bool  #: uncertain mails are sent again automatically
    deaths: list[datetime]  #: when a sender process died while sending the alert
    may_retry: bool  #: some failed, and the alert has ended
    may_repeat: bool  #: some are uncertain, and an editor may send them again

    @property
    def not_sent(self) -> int:
        return self.to_come + self.never

    @property
    def worth_showing(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.deaths or self.uncertain or self.twice or self.may_retry)


def report(alert: Alert, now: Progress) -> AlertReport:
    """Builds the report from the alert's current progress."""
    over = alert.state in transition_table.ENDED and alert.state != Alert.State.OVERTAKEN
    waiting = now["waiting"] + now["deferred"]
    failed = now["refused"] + now["expired"]
    died = (
        AuditEntry.objects.filter(alert=alert, what="sender died")
        .order_by("-at")
        .values_list("at", flat=True)
    )
    return AlertReport(
        sent=now["accepted"],
        twice=now["repeated"],
        to_come=0 if over else waiting,
        never=failed + (waiting if over else 0),
        uncertain=now["uncertain"],
        repeats=alert.repeat and not over,
        deaths=list(died[:5]),
        may_retry=transitions.possible(Event.RETRY, alert) and failed > 0 and may_go_on(alert),
        may_repeat=transitions.possible(Event.REPEAT, alert)
        and may_go_on(alert)
        and Batch.objects.filter(alert=alert, uncertain__gt=0).exists(),
    )
