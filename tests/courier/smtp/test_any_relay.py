"""Whatever a relay does: each mail is settled exactly once, none lost, none invented."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morefollows.courier.relays.interface import Reached
from tests.courier.smtp.support import QUICK, MemorySource, body, client, run
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

COMMANDS = ("mail", "rcpt", "data", "content", "rset")
REPLIES = (
    "250 ok",
    "250 2.0.0 ok",
    "421 4.3.2 closing",
    "450 4.2.0 later",
    "452 full",
    "550 5.1.1 no",
    "554 no",
    "354 go",
)
GARBAGE = (
    "\x00\xff\r\n",
    "25",
    "250",
    "250-\r\n",
    "600 x\r\n",
    "250 ok\r\n250 ok\r\n",
    "\r\n",
    "354 go\r\n" * 3,
)

rules = st.lists(
    st.builds(
        Rule,
        at=st.sampled_from((*COMMANDS, "mid-data", "connect", "ehlo", "quit")),
        do=st.sampled_from(("reply", "reply", "reply", "drop", "hang", "garbage", "take-and-drop")),
        reply=st.sampled_from(REPLIES),
        every=st.integers(1, 4),
        times=st.integers(1, 3),
        after=st.integers(0, 6),
    ).map(
        lambda rule: Rule(
            rule.at,
            do=rule.do if rule.do != "take-and-drop" or rule.at == "content" else "drop",
            reply=rule.reply if rule.do == "reply" else "",
            every=rule.every,
            times=rule.times,
            after=rule.after,
        )
    )
    | st.builds(
        Rule,
        at=st.sampled_from(COMMANDS),
        do=st.just("garbage"),
        reply=st.sampled_from(GARBAGE),
        times=st.just(1),
        after=st.integers(0, 6),
    ),
    max_size=5,
).map(tuple)


def _miscounts(rule: Rule) -> bool:
    """An unsolicited reply: with many mails in flight each later one would be misattributed."""
    return rule.at == "mid-data" and rule.do == "reply"


def _lies(rule: Rule, *, chunking: bool) -> bool:
    """Would accept what it has not taken; so does any extra 250 with many mails in flight."""
    if chunking and (rule.do == "garbage" or _miscounts(rule)):
        return True
    return (rule.at == "content" and (rule.do == "garbage" or rule.reply[:1] == "3")) or (
        rule.at == "mid-data" and rule.do == "reply" and rule.reply[:1] == "2"
    )


@settings(max_examples=90, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=rules,
    offers=st.sampled_from([("CHUNKING", "PIPELINING"), ("PIPELINING", "SMTPUTF8"), ()]),
    split=st.integers(0, 3),
    multiline=st.booleans(),
    connections=st.integers(1, 3),
    count=st.integers(1, 12),
)
def test_every_mail_is_settled_exactly_once_and_only_what_was_taken_is_accepted(
    rules: tuple[Rule, ...],
    offers: tuple[str, ...],
    split: int,
    multiline: bool,
    connections: int,
    count: int,
) -> None:
    async def work() -> None:
        script = Script(offers=offers, split=split, multiline=multiline, rules=rules)
        async with ScriptedRelay(script) as relay:
            source = MemorySource(count, again=True)
            timeouts = QUICK._replace(
                connect=1,
                command=0.05,
                data=0.05,
                content=0.05,
                quit=0.05,
                ahead=0.02,
                first_retry=0.001,
                longest_retry=0.01,
            )
            smtp = client(relay.port, source, connections=connections, timeouts=timeouts)
            await smtp.open()
            smtp.wake()
            await source.settled()  # `MemorySource` itself fails on a second settlement
            await smtp.close()

        assert not source.in_flight
        assert not source.waiting
        assert set(source.replies) == set(range(count))
        taken: dict[int, int] = {}
        for mail in relay.taken:
            number = int(mail.message_id[1:].split("@")[0])
            # Never two contents in one transaction, never another's content, nothing injected.
            assert mail.content == b"".join(body(number))
            assert mail.recipients == (b"cy%d@reader.example" % number,)
            taken[number] = taken.get(number, 0) + 1
        chunking = "CHUNKING" in offers
        if not any(_lies(rule, chunking=chunking) for rule in rules):
            assert source.accepted() <= set(taken)
        if chunking and any(map(_miscounts, rules)):
            return
        for number, times in taken.items():
            # Taken without an acceptance, or more than once, only if it was uncertain or refused
            # after the dot.
            doubts = sum(
                1
                for reply in source.replies[number]
                if reply.reached in (Reached.CONTENT, Reached.BEHIND)
                and not 200 <= reply.code < 300
            )
            assert times <= doubts + (number in source.accepted())

    run(work, within=5)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["greeting", "ehlo", "mail"]))
def test_any_bytes_at_all_never_pass_for_an_acceptance(noise: bytes, when: str) -> None:
    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                if when != "greeting":
                    writer.write(b"220 hello\r\n")
                    await reader.readline()
                if when == "mail":
                    writer.write(b"250-relay\r\n250 PIPELINING\r\n")
                    await reader.readline()
                writer.write(noise)
                await writer.drain()
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        source = MemorySource(1)
        smtp = client(
            server.sockets[0].getsockname()[1],
            source,
            timeouts=QUICK._replace(command=0.05, quit=0.05),
        )
        await smtp.open()
        smtp.wake()
        await asyncio.sleep(0.01)
        await smtp.close()
        assert not source.accepted()
        assert not source.in_flight
        server.close()

    run(work, within=5)
