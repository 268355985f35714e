"""A sender with several real relays: one dies, refuses us, is slow, or is for other mail."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from morefollows.audience.models import Letter
from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier import actions, relay_pauses
from morefollows.courier.ledger import retries
from morefollows.courier.models import Outcome, Relay
from morefollows.courier.relays import once_secured
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.relays.relay_weights import RelayWeights
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.courier.smtp.connection_pool import SmtpRelay
from morefollows.courier.smtp.timeouts import Timeouts
from morefollows.nodes.identity import this_process
from morefollows.notify import Listener
from morefollows.stories.models import Alert
from tests.courier.outbox import test_digests
from tests.courier.sender import test_worker
from tests.courier.sender.test_worker import all_accepted, asked, until
from tests.courier.support import alert_for, audience, states
from tests.support import sandbox
from tests.support.scripted_relay import Rule, Script, ScriptedRelay
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
newsroom = test_worker.newsroom

QUICK = Timeouts(command=2, data=2, quit=1, ahead=1, first_retry=0.05, longest_retry=0.2)
Story = Callable[[Scheduler, list[ScriptedRelay]], Awaitable[None]]


def at_work(
    folder: Path, scripts: list[Script], story: Story, *terms: dict[str, Any]
) -> list[ScriptedRelay]:
    """A sender with these relays. `delivery_rules`: the settings of each."""

    async def both() -> list[ScriptedRelay]:
        async with AsyncExitStack() as stack:
            relays = [await stack.enter_async_context(ScriptedRelay(script)) for script in scripts]
            listener = Listener(folder)
            listener.patience_seconds = 0.05
            await listener.open()
            worker = Scheduler(
                this_process(sandbox.folder(), 1),
                listener,
                RelayPool(),
                on_complete=lambda alert: None,
            )
            weights = (
                RelayWeights(asyncio.get_running_loop().call_soon)
                if any("weight" in one for one in terms)
                else None
            )
            for number, relay in enumerate(relays):
                said = terms[number] if terms else {}
                address = RelayAddress(
                    "127.0.0.1", relay.port, starttls="never", label=f"relay {number}", **said
                )
                queue = RelayQueue(
                    address,
                    worker.feeder.next_mail,
                    senders=1,
                    on_refused_us=worker.reports.refused_us,
                    on_takes_mail=worker.reports.takes_mail,
                    weights=weights,
                )
                told = functools.partial(worker.reports.note_trouble, queue.name)
                queue.relay = SmtpRelay(
                    address,
                    queue,
                    connections=4,
                    helo="courier.example",
                    on_trouble=told,
                    timeouts=QUICK,
                )
                worker.relays.add(queue)
            running = asyncio.create_task(worker.run())
            try:
                async with asyncio.timeout(
                    4 * PATIENCE
                ):  # each wait of the story's has a limit of its own
                    await story(worker, relays)
            finally:
                worker.stop()
                await running
                listener.close()
            assert [relay.violations for relay in relays] == [[] for _ in relays]
            return relays

    return asyncio.run(both())


def times_taken(*relays: ScriptedRelay) -> Counter[str]:
    """How often each mail was taken, by its Message-ID."""
    return sum((relay.message_ids for relay in relays), Counter())


def test_what_a_dying_relay_had_not_taken_goes_to_another_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "_MINUTES", (60,))  # what waits for a second try does not come
    alert = alert_for(600)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        async with asyncio.timeout(120):
            while relays[0].count < 60:
                await asyncio.sleep(0)
        await relays[0].stop()
        # In flight at that moment, and unanswered: at most two mails a connection, which wait for a
        # second try.
        await until(lambda: list(states(alert).values()).count(Outcome.WAITING) == 0)
        await until(lambda: Relay.objects.filter(name="relay 0").exclude(trouble="").exists())
        assert {queue.name: queue.relay.able for queue in worker.relays} == {
            "relay 0": False,
            "relay 1": True,
        }

    dying, well = at_work(tmp_path, [Script(), Script()], story)
    found = Counter(states(alert).values())
    assert found[Outcome.ACCEPTED] + found[Outcome.UNCERTAIN] == 600
    assert found[Outcome.UNCERTAIN] <= 4
    times = times_taken(dying, well)
    assert max(times.values()) == 1
    assert len(times) >= found[Outcome.ACCEPTED]


def test_one_that_never_takes_a_mail_does_not_keep_any(tmp_path: Path) -> None:
    """A relay accepts the session and drops each mail: one probe, then all mail goes elsewhere."""
    alert = alert_for(300)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: all_accepted(alert))

    bad, good = at_work(
        tmp_path, [Script(rules=(Rule("mail", reply="421 4.3.2 no"),)), Script()], story
    )
    assert not bad.taken
    assert set(times_taken(good).values()) == {1}
    assert bad.most_at_once <= 4


def test_one_that_falls_silent_holds_only_what_it_had(tmp_path: Path) -> None:
    alert = alert_for(300)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: all_accepted(alert))

    silent, well = at_work(
        tmp_path, [Script(rules=(Rule("rcpt", do="hang", after=5),)), Script()], story
    )
    assert set(times_taken(silent, well).values()) == {1}
    assert len(well.taken) > len(silent.taken)


def test_a_refusal_by_policy_pauses_that_relay_only_and_an_editor_resumes_it(
    tmp_path: Path,
) -> None:
    alert = alert_for(300)
    refusing = Script(rules=(Rule("mail", reply="550 5.7.1 not on our list"),))

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: Relay.objects.filter(name="relay 0", paused_at__isnull=False).exists())
        await until(lambda: list(states(alert).values()).count(Outcome.WAITING) == 0)
        assert {queue.name: queue.paused for queue in worker.relays} == {
            "relay 0": True,
            "relay 1": False,
        }
        assert "not on our list" in await asked(lambda: Relay.objects.get(name="relay 0").reason)
        assert await asked(lambda: list(states(alert).values()).count(Outcome.DEFERRED)) <= 3
        before = len(relays[0].taken)
        assert before <= 2 * 4  # what was in flight
        more = await asked(lambda: alert_for(200))
        await until(lambda: all_accepted(more))
        assert len(relays[0].taken) == before  # paused means paused
        relays[0].follow()
        await asked(lambda: relay_pauses.resume_relay("relay 0"))
        last = await asked(lambda: alert_for(200))
        await until(lambda: all_accepted(last))
        assert len(relays[0].taken) > before

    relays = at_work(tmp_path, [refusing, Script()], story)
    assert set(times_taken(*relays).values()) == {1}


def test_a_slow_relay_does_not_hold_up_a_quick_one(tmp_path: Path) -> None:
    alert = alert_for(400)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: all_accepted(alert))

    slow, quick = at_work(tmp_path, [Script(rules=(Rule("content", delay=0.5),)), Script()], story)
    assert set(times_taken(slow, quick).values()) == {1}
    assert len(quick.taken) > 8 * len(slow.taken) > 0


def test_weights_are_kept_between_relays_that_are_well(tmp_path: Path) -> None:
    alert = alert_for(600)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: all_accepted(alert))

    small, large = at_work(tmp_path, [Script(), Script()], story, {"weight": 1}, {"weight": 3})
    assert len(small.taken) + len(large.taken) == 600
    assert len(large.taken) / len(small.taken) == pytest.approx(3, rel=0.2)


def test_a_relay_for_bulk_takes_no_alert_and_goes_on_when_alerts_cannot(tmp_path: Path) -> None:
    alert, offer = alert_for(50), alert_for(80)
    Alert.objects.filter(pk=offer.pk).update(lane="bulk")

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: Relay.objects.filter(name="relay 0").exclude(trouble="").exists())
        await until(lambda: all_accepted(offer))
        assert set(await asked(lambda: states(alert).values())) <= {Outcome.WAITING}

    for_alerts = Script(rules=(Rule("connect", do="drop"),))
    _, bulk = at_work(
        tmp_path, [for_alerts, Script()], story, {"purpose": "alerts"}, {"purpose": "bulk"}
    )
    assert len(bulk.taken) == 80


@pytest.mark.parametrize("why", ["paused", "down"])
def test_digests_go_like_offers_when_alerts_cannot(tmp_path: Path, why: str) -> None:
    alert, told = alert_for(50), test_digests.missed(1)
    [reader] = audience(told)
    digest = test_digests.owed_correction(reader)
    if why == "paused":
        Relay.objects.create(name="relay 0", paused_at=timezone.now(), reason="not on our list")

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: Letter.objects.get(pk=digest.pk).state == Letter.State.ACCEPTED)
        assert set(await asked(lambda: states(alert).values())) <= {Outcome.WAITING}

    script = Script(rules=(Rule("connect", do="drop"),) if why == "down" else ())
    for_alerts, bulk = at_work(
        tmp_path, [script, Script()], story, {"purpose": "alerts"}, {"purpose": "bulk"}
    )
    assert (len(for_alerts.taken), len(bulk.taken)) == (0, 1)


def test_a_rate_holds_one_relay_and_not_the_others(tmp_path: Path) -> None:
    alert = alert_for(300)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: all_accepted(alert))

    held, free = at_work(tmp_path, [Script(), Script()], story, {"rate": 10.0}, {})
    seconds = held.taken[-1].time - held.taken[0].time
    assert 1 <= len(held.taken) <= 2 + 10 * (seconds + 0.1)
    assert len(held.taken) + len(free.taken) == 300


def test_that_a_relay_speaks_tls_is_remembered_for_its_address() -> None:
    """And so it is not believed any more under the same name at another one."""
    here = RelayAddress("mail.example.org", 587, label="main")
    moved = RelayAddress("mail.example.net", 587, label="main")
    once_secured.note_secured(here.name, here.host_and_port)
    actions.note_trouble("other", "The relay other can't be reached.")
    assert once_secured.once_secured([here]) == {"main"}
    assert once_secured.once_secured([moved]) == set()
    once_secured.note_secured(moved.name, moved.host_and_port)
    assert once_secured.once_secured([here]) == set()
    assert once_secured.once_secured([moved]) == {"main"}
