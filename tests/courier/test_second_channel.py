"""docs/how-to/add-a-channel.md, done: a second channel with its own kind of relay.

The sender runs as it is. Two alerts with one update go out at once, one by each channel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

import morefollows.courier.ledger
from morefollows.audience.models import Bounce, Reader, Suppression
from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.config.addresses import relay_address
from morefollows.config.addresses.relay_address import (
    RelayAddress,
    RelayKind,
    kinds,
    register_kind,
    relays,
)
from morefollows.courier.channels import CHANNELS, Channel
from morefollows.courier.models import Outcome, ReplyCount
from morefollows.courier.refusals import bounces
from morefollows.courier.relays.interface import Mail, Reached, Relay, Reply
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.stories.models import Alert
from tests.courier.sender.test_worker import Slot, at_work, newsroom, until
from tests.courier.support import alert_again, alert_for, audience, states

__all__ = ("newsroom",)
pytestmark = pytest.mark.django_db(transaction=True)

REFUSED: list[BouncedMail] = []
PUSH = Channel(
    "push",
    address="'https://push.example/' || r.id, 'push.example'",
    allowed="r.language <> 'de'",
    envelope=lambda endpoint, host: (endpoint.encode(), False),
    on_refused=REFUSED.extend,
)


class PushService(Slot):
    """A relay of the kind `push` for endpoints. One browser has withdrawn its permission."""

    withdrawn = b""

    def wake(self) -> None:
        while self.on and (mail := self.source.take()) is not None:
            self.taken.append(mail)
            gone = mail.recipient == self.withdrawn
            mail.settle(
                mail,
                Reply(550, "5.1.1", "410 Gone", Reached.RCPT)
                if gone
                else Reply(201, "2.0.0", "Created", Reached.CONTENT),
            )


@pytest.fixture(autouse=True)
def push(monkeypatch: pytest.MonkeyPatch) -> None:
    REFUSED.clear()
    monkeypatch.setitem(CHANNELS, "push", PUSH)
    monkeypatch.setattr(relay_address, "_kinds", dict(kinds()))
    register_kind(
        RelayKind(
            schemes={"push": {"port": 443}},
            example="push://push.example",
            make=lambda address, source, setup: PushService(source),
            channel="push",
        )
    )


def endpoint(reader: Reader) -> bytes:
    return f"https://push.example/{reader.pk}".encode()


def recipients(mails: Sequence[Mail]) -> list[bytes]:
    return sorted(mail.recipient for mail in mails)


def test_one_update_goes_by_both_channels_each_over_its_own_relay(tmp_path: Path) -> None:
    by_mail = alert_for(4)
    by_push = alert_again(by_mail)
    Alert.objects.filter(pk=by_push.pk).update(channel="push")
    first, second, third, fourth = Reader.objects.filter(pk__in=audience(by_mail)).order_by("pk")
    Suppression.objects.create(key=first.key, reason="bounced", at=first.created_at)
    Reader.objects.filter(pk=fourth.pk).update(language="de")
    services: list[PushService] = []

    async def story(worker: Scheduler, mail: Slot) -> None:
        queue = RelayQueue(
            RelayAddress("push.example", 443, scheme="push"), worker.feeder.next_mail, senders=1
        )
        service = relay_address.kind_of("push").make(None, queue, None)
        queue.relay = cast(Relay, service)
        service.withdrawn = endpoint(second)
        services.append(service)
        worker.relays.add(queue)
        mail.on = service.on = True
        worker.relays.wake()
        await until(lambda: all_final(by_mail) and all_final(by_push))
        assert recipients(mail.taken) == sorted(
            reader.address.encode() for reader in (second, third, fourth)
        )

    at_work(tmp_path, story)
    assert recipients(services[0].taken) == [endpoint(one) for one in (first, second, third)]
    assert states(by_mail) == {
        first.pk: Outcome.SKIPPED,
        second.pk: Outcome.ACCEPTED,
        third.pk: Outcome.ACCEPTED,
        fourth.pk: Outcome.ACCEPTED,
    }
    assert states(by_push) == {
        first.pk: Outcome.ACCEPTED,
        second.pk: Outcome.REFUSED,
        third.pk: Outcome.ACCEPTED,
        fourth.pk: Outcome.SKIPPED,
    }
    assert list(ReplyCount.objects.values_list("alert", "domain")) == [(by_push.pk, "push.example")]

    Alert.objects.filter(pk=by_push.pk).update(state="sent")
    while bounces.count_bounces(str):
        pass
    assert [one.reader for one in REFUSED] == [second.pk]
    assert not Bounce.objects.exists(), "a browser's endpoint counts against the mail address"


def all_final(alert: Alert) -> bool:
    final = {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.SKIPPED}
    known = states(alert)
    return len(known) == 4 and set(known.values()) <= final


def test_a_relay_for_another_channel_does_not_stand_in_for_one_that_takes_mail() -> None:
    assert [one.scheme for one in relays("push://push.example?purpose=bulk smtp://a.example")]
    with pytest.raises(ValueError, match="no relay takes alerts"):
        relays("push://push.example smtp://a.example?purpose=bulk")


def test_the_ledger_speaks_of_no_mailbox() -> None:
    """The ledger keeps readers and outcomes. Only the channel knows addresses."""
    [folder] = cast(Any, morefollows.courier.ledger).__path__
    for path in sorted(Path(folder).glob("*.py")):
        found = re.findall(
            r"r\.address|r\.domain|audience_suppression|Suppression|courier\.smtp", path.read_text()
        )
        assert not found, f"{path.name}: {found}"
