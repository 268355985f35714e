"""Direct delivery to scripted providers, with a DNS server of our own."""

from __future__ import annotations

from morefollows.courier.smtp.replies import BounceKind, verdict
from tests.courier.mx.support import ReaderMails, providers, send
from tests.courier.smtp.support import run
from tests.support.scripted_relay import Rule, Script


def test_each_mail_goes_to_its_own_provider_and_gets_its_own_outcome() -> None:
    async def work() -> None:
        refusal = Rule("rcpt", match="gone", reply="550 5.1.1 no such user")
        grey = Rule("rcpt", match="grey", reply="450 4.2.0 greylisted")
        scripts = {"a.example": Script(rules=(refusal,)), "b.example": Script(rules=(grey,))}
        more = [
            "c.example. MX 5 mx.a.example.",  # hosted by the same provider
            "implicit.example. A 127.0.0.2",
            "null.example. MX 0 .",
            "ours.example. MX 10 courier.example.",
            "nowhere.example. TXT nothing",
            "alias.example. CNAME a.example.",
        ]
        async with providers(scripts, records=more) as (dns, relays):
            dns.fails.add("broken.example.")
            mails = ReaderMails(
                [
                    "x@a.example",
                    "gone@a.example",
                    "y@b.example",
                    "grey@b.example",
                    "z@c.example",
                    "i@implicit.example",
                    "n@null.example",
                    "o@ours.example",
                    "w@nowhere.example",
                    "l@alias.example",
                    "q@unknown-domain.test",
                    "d@broken.example",
                ]
            )
            await send(dns, relays, mails)
            assert mails.outcomes() == {
                "x@a.example": "250",
                "gone@a.example": "550 5.1.1",
                "y@b.example": "250",
                "grey@b.example": "450 4.2.0",
                "z@c.example": "250",
                "i@implicit.example": "250",
                "n@null.example": "556 5.1.10",
                "o@ours.example": "451 4.4.6",
                "w@nowhere.example": "550 5.1.2",
                "l@alias.example": "250",
                "q@unknown-domain.test": "550 5.1.2",
                "d@broken.example": "451 4.4.3",
            }
            found = {mails.recipients[i]: verdict(one) for i, one in mails.replies.items()}
            assert found["n@null.example"].bounce is BounceKind.HARD
            assert found["q@unknown-domain.test"].bounce is BounceKind.PERHAPS
            assert relays["a.example"].connections >= 1
            assert [one.recipients for one in relays["b.example"].taken] == [(b"y@b.example",)]

    run(work)


def test_the_next_host_takes_the_mail_if_the_first_does_not() -> None:
    """A host that is not there, and one that greets with 554."""

    async def work() -> None:
        scripts = {"a.example": Script(), "full.example": Script(greeting="554 no")}
        more = [
            "b.example. MX 1 dead.example.",
            "b.example. MX 5 mx.full.example.",
            "b.example. MX 9 mx.a.example.",
            "dead.example. A 127.0.0.99",
            "only.example. MX 1 dead.example.",
        ]
        async with providers(scripts, records=more) as (dns, relays):
            mails = ReaderMails([*(f"r{i}@b.example" for i in range(30)), "x@only.example"])
            await send(dns, relays, mails)
            outcomes = mails.outcomes()
            assert outcomes.pop("x@only.example") == "451 4.4.1"
            assert set(outcomes.values()) == {"250"}
            assert relays["a.example"].count == 30

    run(work)


def test_a_slow_provider_does_not_delay_another() -> None:
    async def work() -> None:
        slow = Script(rules=(Rule("content", delay=0.05, reply="250 2.0.0 ok"),))
        async with providers({"slow.example": slow, "fast.example": Script()}) as (dns, relays):
            mails = ReaderMails(
                [f"r{i}@slow.example" for i in range(600)]
                + [f"r{i}@fast.example" for i in range(200)]
            )
            await send(dns, relays, mails)
            assert set(mails.outcomes().values()) == {"250"}
            last_fast = max(mails.order.index(i) for i in range(600, 800))
            assert last_fast < 500, "the fast provider waited for the slow one"

    run(work)


def test_a_provider_that_closes_after_some_mails_gets_fewer_on_each_connection() -> None:
    async def work() -> None:
        closes = Rule("mail", reply="421 4.7.0 too many messages", after=10, times=1)
        async with providers({"a.example": Script(rules=(closes,))}) as (dns, relays):
            mails = ReaderMails([f"r{i}@a.example" for i in range(60)])
            await send(dns, relays, mails, connections=1)
            assert set(mails.outcomes().values()) == {"250"}
            assert relays["a.example"].count == 60
            assert relays["a.example"].connections >= 6

    run(work)


def test_many_domains_of_one_provider_share_its_connections() -> None:
    """Each has a host of its own, as at Microsoft. They take turns."""

    async def work() -> None:
        busy = Script(rules=(Rule("content", delay=0.01, reply="250 2.0.0 ok"),))
        more = [f"d{i}.test. MX 1 d{i}.hosted.example." for i in range(60)]
        more += [f"d{i}.hosted.example. A 127.0.0.2" for i in range(60)]
        async with providers({"hosted.example": busy}, records=more) as (dns, relays):
            mails = ReaderMails([f"r{i}@d{i % 60}.test" for i in range(240)])
            await send(dns, relays, mails)
            assert set(mails.outcomes().values()) == {"250"}
            assert relays["hosted.example"].most_at_once <= 20

    run(work)
