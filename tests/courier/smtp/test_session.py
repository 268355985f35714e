"""The SMTP client against a scripted relay: bytes on the wire and what is reported."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.transactions import gathering
from tests.courier.smtp.support import QUICK, MemorySource, body, client, deliver, numbers, run
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

PLAIN = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")  # no PIPELINING


def send(
    script: Script, source: MemorySource | None = None, *, loop: str = "uvloop", **options: Any
) -> tuple[MemorySource, ScriptedRelay, list[str | None]]:
    """Sends the source's mails through a relay with this script. It must note no violation."""

    async def work() -> tuple[MemorySource, ScriptedRelay, list[str | None]]:
        given = source or MemorySource(5)
        async with ScriptedRelay(script) as relay:
            troubles = await deliver(relay, given, **options)
            assert relay.violations == []
            return given, relay, troubles

    return run(work, loop=loop)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("offers", [("PIPELINING", *PLAIN), PLAIN, ()])
@pytest.mark.parametrize("connections", [1, 7])
def test_it_hands_over_every_mail_once_and_byte_for_byte(
    offers: tuple[str, ...], connections: int, loop: str
) -> None:
    source, relay, troubles = send(
        Script(offers=offers), MemorySource(60, size=9000), connections=connections, loop=loop
    )
    assert source.codes() == [250] * 60
    assert sorted(numbers(relay)) == list(range(60))
    assert troubles == []
    for mail in relay.taken:
        number = int(mail.message_id[1:].split("@")[0])
        assert mail.sender == b"b+%d@bounces.example" % number
        assert mail.recipients == (b"cy%d@reader.example" % number,)
        assert mail.content == b"".join(body(number, 9000))
    assert relay.most_at_once <= connections


@pytest.mark.parametrize(("connections", "waits"), [(16, True), (4, False)])
def test_it_lets_replies_gather_only_while_many_connections_are_busy(
    connections: int, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(
        gathering, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=waited.append)
    )
    source, _, _ = send(
        Script(offers=("PIPELINING", *PLAIN)), MemorySource(100), connections=connections
    )
    assert source.codes() == [250] * 100
    assert bool(waited) == waits
    assert all(0 < wait <= 0.001 for wait in waited)


def test_it_takes_one_round_trip_a_mail_from_a_relay_that_pipelines() -> None:
    """The content of a mail, its final dot and the envelope of the next are one write."""

    async def first_words() -> list[bytes]:
        writes: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            await reader.readline()
            writer.write(b"250-relay.example\r\n250 PIPELINING\r\n")
            for replies in (
                b"250 ok\r\n250 ok\r\n354 go\r\n",
                b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n",
            ):
                writes.append(await reader.read(65536))
                writer.write(replies)
            writes.append(await reader.read(65536))
            writer.write(b"250 ok\r\n")
            await reader.readline()
            writer.write(b"221 bye\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        source = MemorySource(2)
        smtp = client(server.sockets[0].getsockname()[1], source)
        await smtp.open()
        smtp.wake()
        await source.settled()
        await smtp.close()
        server.close()
        return writes

    first, second, third = run(first_words)
    assert first.split(b"\r\n") == [
        b"MAIL FROM:<b+0@bounces.example>",
        b"RCPT TO:<cy0@reader.example>",
        b"DATA",
        b"",
    ]
    assert second.startswith(b"Message-ID: <0@")
    assert second.endswith(
        b"\r\n.\r\nMAIL FROM:<b+1@bounces.example>\r\nRCPT TO:<cy1@reader.example>\r\nDATA\r\n"
    )
    assert third.endswith(b"More follows.\r\n.\r\n")


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize("split", [1, 2, 3, 7])
@pytest.mark.parametrize("offers", [("PIPELINING",), ()])
def test_replies_split_anywhere_are_put_together(
    split: int, multiline: bool, offers: tuple[str, ...]
) -> None:
    rules = (Rule("rcpt", match="cy2@", reply="550 5.1.1 no such user"),)
    source, relay, _ = send(Script(offers=offers, split=split, multiline=multiline, rules=rules))
    assert source.codes() == [250, 250, 550, 250, 250]
    assert sorted(numbers(relay)) == [0, 1, 3, 4]


@pytest.mark.parametrize("offers", [("PIPELINING",), ()])
@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "content"])
@pytest.mark.parametrize(
    "reply", ["550 5.1.1 no such user", "451 4.7.1 greylisted", "552 5.2.2 full"]
)
def test_a_refusal_is_about_one_mail_and_the_next_ones_go_on(
    at: str, reply: str, offers: tuple[str, ...]
) -> None:
    rules = (Rule(at, every=2, reply=reply),)
    source, relay, _ = send(Script(offers=offers, rules=rules), MemorySource(9))
    code, status, text = reply.split(" ", 2)
    refused = [i for i in range(9) if source.codes()[i] != 250]
    assert len(refused) == 4
    reached = Reached[at.upper()]
    assert {source.replies[i][0] for i in refused} == {Reply(int(code), status, text, reached)}
    assert sorted(numbers(relay) + refused) == list(range(9))
    assert relay.connections == 1


def test_only_the_dot_is_sent_when_nobody_is_left_and_the_relay_wants_content() -> None:
    """RFC 2920 §3.1. A rule for DATA answers 354 whatever became of the recipients."""
    rules = (Rule("rcpt", match="cy1@", reply="550 5.1.1 no"), Rule("data", reply="354 go ahead"))
    source, relay, _ = send(Script(rules=rules), MemorySource(3))
    assert source.codes() == [250, 550, 250]
    assert sorted(numbers(relay)) == [0, 2]
    assert relay.connections == 1


@pytest.mark.parametrize("offers", [("PIPELINING",), ()])
@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "content"])
def test_421_ends_the_connection_and_the_mail_can_be_offered_again(
    at: str, offers: tuple[str, ...]
) -> None:
    rules = (Rule(at, after=2, times=1, reply="421 4.3.2 shutting down"),)
    source, relay, _ = send(Script(offers=offers, rules=rules), MemorySource(6, again=True))
    assert source.codes() == [250] * 6
    assert sorted(numbers(relay)) == list(range(6))
    assert source.replies[2][0].code == 421
    assert relay.connections == 2


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_a_connection_dropped_before_the_content_says_nothing_about_the_mail(at: str) -> None:
    source, relay, _ = send(
        Script(rules=(Rule(at, after=1, times=1, do="drop"),)), MemorySource(4, again=True)
    )
    assert source.codes() == [250] * 4
    assert sorted(numbers(relay)) == list(range(4))
    assert [one.reached for one in source.replies[1]] == [Reached.RELAY, Reached.CONTENT]


@pytest.mark.parametrize(
    ("at", "do", "taken"),
    [
        ("mid-data", "drop", 3),
        ("content", "drop", 3),
        ("content", "take-and-drop", 4),
        ("content", "hang", 3),
    ],
)
def test_silence_after_the_final_dot_is_uncertain(at: str, do: str, taken: int) -> None:
    source, relay, _ = send(
        Script(rules=(Rule(at, match="cy1@", do=do),)),
        MemorySource(4, again=True),
        timeouts=QUICK._replace(content=0.2),
    )
    assert source.replies[1] == [Reply(0, "", "", Reached.CONTENT)]
    assert source.accepted() == {0, 2, 3}
    assert len(relay.taken) == taken


@pytest.mark.parametrize(
    "garbage",
    [
        "\x00\x01\x02\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "999 what\r\n",
        "25\r\n",
        "250x ok\r\n",
        "250-first\r\n251 second\r\n",
        "350 go\r\n",
        "150 well\r\n",
        "9" * 5000,
        "250-" + "x" * 5000 + "\r\n",
        "250-more\r\n" * 500,
    ],
)
@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "content"])
def test_garbage_ends_the_connection(at: str, garbage: str) -> None:
    source, relay, _ = send(
        Script(
            rules=(
                Rule(
                    at,
                    match="" if at in ("data",) else "[by][+0-9]*1@",
                    times=1,
                    do="garbage",
                    reply=garbage,
                ),
            )
        ),
        MemorySource(3, again=True),
        timeouts=QUICK._replace(command=0.3, data=0.3, content=0.3),
    )
    out_of_turn = garbage.startswith("350") and at in (
        "mail",
        "rcpt",
    )  # and so may have been the reply before it
    assert len(relay.taken) == (2 if at == "content" else 3)
    assert len(source.uncertain()) == (1 if at == "content" or out_of_turn else 0)
    assert len(source.accepted()) == 3 - len(source.uncertain())
    assert relay.connections == 2


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_a_relay_that_hangs_holds_a_mail_for_the_time_out_and_no_longer(at: str) -> None:
    source, relay, _ = send(
        Script(rules=(Rule(at, times=1, after=1, do="hang"),)),
        MemorySource(4, again=True),
        timeouts=QUICK._replace(command=0.2, data=0.2),
    )
    assert source.codes() == [250] * 4
    assert sorted(numbers(relay)) == list(range(4))


def test_a_stalled_connection_never_holds_the_others() -> None:
    """One of four connections waits for a final reply. The envelope behind it is given back."""

    async def work() -> None:
        script = Script(rules=(Rule("content", after=20, times=1, delay=5),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(200, again=True)
            smtp = client(
                relay.port, source, connections=4, timeouts=QUICK._replace(ahead=0.2, content=10)
            )
            await smtp.open()
            smtp.wake()
            while len(source.accepted()) < 199:
                await asyncio.sleep(0.01)
            assert len(source.accepted()) == 199, "nobody waited for the one that is slow"
            await source.settled()
            assert len(source.accepted()) == 200
            assert sorted(numbers(relay)) == list(range(200))
            await smtp.close()

    run(work)


def test_close_lets_mails_in_flight_come_to_their_reply() -> None:
    async def work() -> None:
        script = Script(rules=(Rule("content", delay=0.05),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(50)
            smtp = client(relay.port, source, connections=3)
            await smtp.open()
            smtp.wake()
            while len(relay.taken) < 5:
                await asyncio.sleep(0.01)
            await smtp.close()
            assert not source.in_flight
            assert source.uncertain() == set()
            assert sorted(numbers(relay)) == sorted(source.accepted())
            assert source.waiting
            assert relay.commands["QUIT"] >= 3
            assert relay.violations == []

    run(work)


def test_close_ends_connections_that_have_only_begun_to_open() -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            smtp = client(relay.port, MemorySource(1), connections=3)
            smtp.wake()
            await smtp.close()
            while relay.at_once:
                await asyncio.sleep(0.01)

    run(work, within=5)


def test_close_when_cancelled_settles_everything_at_once() -> None:
    async def work() -> None:
        async with ScriptedRelay(Script(rules=(Rule("content", do="hang"),))) as relay:
            source = MemorySource(10)
            smtp = client(relay.port, source, connections=2, timeouts=QUICK._replace(content=600))
            await smtp.open()
            smtp.wake()
            while relay.commands["DATA"] < 2:
                await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await smtp.close()
            assert not source.in_flight
            assert len(source.uncertain()) == 2
            assert {
                replies[-1].reached
                for i, replies in source.replies.items()
                if i not in source.uncertain()
            } <= {
                Reached.RELAY,
                Reached.QUEUED,
            }

    run(work)


def test_idle_connections_say_quit_and_come_back_when_there_is_mail() -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            source = MemorySource(1)
            smtp = client(relay.port, source, connections=3, timeouts=QUICK._replace(idle=0.2))
            await smtp.open()
            smtp.wake()
            await source.settled()
            while relay.at_once:
                await asyncio.sleep(0.02)
            assert relay.commands["QUIT"] == relay.connections
            more = MemorySource(1)
            source.waiting = [more.waiting[0]._replace(settle=source.settle, ticket=7)]
            smtp.wake()
            while 7 not in source.replies:
                await asyncio.sleep(0.01)
            assert source.replies[7][0].code == 250
            await smtp.close()

    run(work)


def test_open_returns_with_a_ready_connection_and_opens_the_rest_meanwhile() -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            smtp = client(relay.port, MemorySource(0), connections=8)
            await smtp.open()
            assert relay.commands["EHLO"] >= 1
            while relay.at_once < 8:
                await asyncio.sleep(0.01)
            await smtp.close()
            assert relay.commands["MAIL"] == 0

    run(work)


@pytest.mark.parametrize(
    "address",
    [
        b"cy@reader.example\r\nDATA",
        b"cy@reader.example>\r\nRCPT TO:<eve@evil.example",
        b"cy\0@reader.example",
        b"cy smith@reader.example",
        b"<cy@reader.example>",
        b"cy@reader.example\x7f",
        b"cy\t@reader.example",
        b"",
        b"c" * 300 + b"@reader.example",
        "cy\u2028@reader.example".encode(),
        "cy\x85@reader.example".encode(),
        b"cy\xff@reader.example",
        b"cy\xed\xa0\x80@reader.example",
    ],
)
def test_an_address_that_can_not_be_written_never_touches_the_wire(address: bytes) -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            for utf8 in (False, True):
                fine = MemorySource(3).waiting[1]._replace(utf8=utf8)
                for broken, status in (
                    (fine._replace(recipient=address), "5.1.3"),
                    (fine._replace(sender=address), "5.1.7"),
                ):
                    if broken.sender == b"":
                        continue  # the null return path
                    source = MemorySource(3)
                    source.waiting[1] = broken._replace(settle=source.settle)
                    await deliver(relay, source)
                    assert source.codes() == [250, 553, 250]
                    assert source.replies[1][0].status == status
            assert relay.violations == []
            assert all(mail.recipients[0].startswith((b"cy0@", b"cy2@")) for mail in relay.taken)

    run(work)


def test_the_null_return_path_is_fine() -> None:
    source = MemorySource(1)
    source.waiting[0] = source.waiting[0]._replace(sender=b"")
    _, relay, _ = send(Script(), source)
    assert relay.taken[0].sender == b""


@pytest.mark.parametrize(
    "content", [[], [b""], [b"Subject: x\r\n\r\nno line end"], [b"x\r\n", b"\n"]]
)
def test_content_without_a_last_line_end_never_swallows_the_next_command(
    content: list[bytes],
) -> None:
    source = MemorySource(3)
    source.waiting[1] = source.waiting[1]._replace(content=content)
    source, relay, _ = send(Script(), source)
    assert source.codes() == [250, 554, 250]
    assert sorted(numbers(relay)) == [0, 2]


ASA = "åsa@läsare.example".encode()


def test_internationalised_addresses_go_only_to_relays_that_take_them() -> None:
    for offers, code in (
        (("PIPELINING", "SMTPUTF8"), 250),
        (("SMTPUTF8",), 250),
        (("PIPELINING",), 550),
    ):
        source = MemorySource(2)
        source.waiting[0] = source.waiting[0]._replace(recipient=ASA, utf8=True)
        source, relay, _ = send(Script(offers=offers), source)
        assert source.codes() == [250, code]
        assert [line.endswith(b" SMTPUTF8") for line in relay.envelopes] == [False, True][
            : len(relay.envelopes)
        ]
        if code == 250:
            assert relay.taken[1].recipients == (ASA,)
        else:
            assert source.replies[1] == [
                Reply(
                    550,
                    "5.6.7",
                    "The relay does not take internationalised addresses.",
                    Reached.ENVELOPE,
                )
            ]
            assert len(relay.envelopes) == 1


def test_utf8_in_an_envelope_that_is_not_marked_so_is_not_sent() -> None:
    source = MemorySource(1)
    source.waiting[0] = source.waiting[0]._replace(recipient=ASA)
    source, relay, _ = send(Script(), source)
    assert source.replies[0][0].status == "5.6.7"
    assert relay.envelopes == []


def test_the_size_is_declared_where_the_relay_asks_for_it() -> None:
    _, relay, _ = send(Script(size=100_000), MemorySource(1))
    assert relay.envelopes == [b"MAIL FROM:<b+0@bounces.example> SIZE=%d" % sum(map(len, body(0)))]
    _, relay, _ = send(Script(size=0), MemorySource(1, size=200_000))
    assert len(relay.taken) == 1
    source, relay, _ = send(Script(size=100_000), MemorySource(1, size=200_000))
    assert source.codes() == [552]
    assert source.replies[0][0].status == "5.3.4"
    assert relay.envelopes == []


def test_a_big_mail_waits_for_a_slow_reader_without_losing_its_place() -> None:
    source, relay, _ = send(Script(), MemorySource(3, size=10_000_000))
    assert source.codes() == [250] * 3
    assert [len(mail.content) for mail in relay.taken] == [len(b"".join(body(0, 10_000_000)))] * 3


def test_helo_is_said_where_ehlo_is_not_known() -> None:
    source, relay, _ = send(Script(offers=(), rules=(Rule("ehlo", reply="502 5.5.1 not known"),)))
    assert source.codes() == [250] * 5
    assert relay.commands["HELO"] == 1


def test_an_owner_that_fails_loses_its_connection_and_no_mail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            source = MemorySource(6, again=True)
            settled: list[int] = []

            def clumsy(mail: Mail, reply: Reply) -> None:
                settled.append(mail.ticket)
                source.settle(mail, reply)
                raise RuntimeError("the owner's own error")

            source.waiting[3] = source.waiting[3]._replace(settle=clumsy)
            await deliver(relay, source)
            assert settled == [2]
            assert sorted(numbers(relay)) == list(range(6))

    run(work)
    assert "is given up" in caplog.text


def test_a_source_that_fails_is_not_the_end(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            source = MemorySource(4, again=True)
            good, calls = source.take, iter(range(1000))

            def take() -> Mail | None:
                if next(calls) == 2:
                    raise RuntimeError("the source's own error")
                return good()

            source.take = take  # type: ignore[method-assign]
            await deliver(relay, source)
            # What was in flight behind the error is uncertain; nothing is lost.
            assert source.accepted() | source.uncertain() == set(range(4))
            assert sorted(numbers(relay))[0] == 0

    run(work)
    assert "is given up" in caplog.text


def test_nothing_about_a_reader_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    rules = (
        Rule("rcpt", match="cy1@", reply="550 5.1.1 <cy1@reader.example>: no"),
        Rule("rcpt", match="cy2@", times=1, reply="421 4.7.0 <cy2@reader.example> too much"),
    )
    send(Script(rules=rules), MemorySource(5, again=True))
    assert "421" in caplog.text or "closes the connection" in caplog.text
    assert "cy" not in caplog.text.replace("policy", "")


def test_the_record_is_written_before_the_reply(tmp_path: Path) -> None:
    """Of the scripted relay itself: the kill tests compare the product's books with this file."""

    async def work() -> None:
        record = tmp_path / "taken.jsonl"
        async with ScriptedRelay(record=record) as relay:
            source = MemorySource(5)
            await deliver(relay, source)
            assert len(record.read_text().splitlines()) == 5

    run(work)


@pytest.mark.parametrize("too_many", ["250 ok", "250 ok\r\n250 ok", "550 5.1.1 no such user"])
@pytest.mark.parametrize("after", [20, 21])
@pytest.mark.parametrize("place", ["data", "content"])
def test_a_word_too_many_is_never_taken_for_another_mails(
    place: str, too_many: str, after: int
) -> None:
    """An extra reply, and each third content refused: both sides' records must agree."""
    rules = (
        Rule(
            place, after=after, times=1, reply=f"{354 if place == 'data' else 250} ok\r\n{too_many}"
        ),
        Rule("content", every=3, reply="554 5.6.0 not this one"),
    )
    source, relay, _ = send(Script(rules=rules), MemorySource(60, again=True))
    took = set(numbers(relay))
    refused = {i for i in range(60) if source.codes()[i] >= 500}
    assert source.accepted() <= took
    assert not refused & took
    assert len(refused) > 10
    assert len(source.uncertain()) <= 2


@pytest.mark.parametrize(
    "offers", [("DSN", "PIPELINING"), ("DSN",), ("DSN", "PIPELINING", "CHUNKING")]
)
def test_a_relay_that_reports_is_told_what_about_and_under_which_name(
    offers: tuple[str, ...],
) -> None:
    """RFC 3461: asks for failure and delay reports, headers only. ENVID names no reader."""
    _, relay, _ = send(Script(offers=offers), MemorySource(2))
    assert relay.envelopes == [
        b"MAIL FROM:<b+%d@bounces.example> RET=HDRS ENVID=b+2B%d" % (i, i) for i in range(2)
    ]
    assert relay.rcpts == [
        b"RCPT TO:<cy%d@reader.example> NOTIFY=FAILURE,DELAY" % i for i in range(2)
    ]


def test_a_relay_that_does_not_report_is_not_asked_to() -> None:
    for offers in (("PIPELINING",), (), ("PIPELINING", "CHUNKING")):
        _, relay, _ = send(
            Script(offers=offers), MemorySource(2)
        )  # which itself fails on what was not offered
        assert relay.envelopes == [b"MAIL FROM:<b+%d@bounces.example>" % i for i in range(2)]
        assert relay.rcpts == [b"RCPT TO:<cy%d@reader.example>" % i for i in range(2)]


def test_a_name_in_xtext_hides_its_own_marks() -> None:
    source = MemorySource(1)
    source.waiting = [source.waiting[0]._replace(sender=b"a+b=c@bounces.example")]
    _, relay, _ = send(Script(offers=("DSN", "PIPELINING")), source)
    assert relay.envelopes == [b"MAIL FROM:<a+b=c@bounces.example> RET=HDRS ENVID=a+2Bb+3Dc"]


@pytest.mark.parametrize("offers", [Script().offers, (*Script().offers, "CHUNKING")])
@pytest.mark.parametrize("lines", [1, 150])
def test_a_long_reply_is_a_reply(offers: tuple[str, ...], lines: int) -> None:
    """10 kB in one line or very many lines: the code counts and the connection stays open."""

    def long(code: int) -> str:
        more = "".join(f"{code}-2.0.0 {'y' * 70}\r\n" for _ in range(lines - 1))
        return f"{more}{code} {code // 100}.0.0 {'x' * 10_000}"

    async def work() -> None:
        rules = (
            Rule("content", match="cy3@", reply=long(250)),
            Rule("rcpt", match="cy5@", reply=long(450)),
            Rule("content", match="cy7@", reply=long(554)),
        )
        async with ScriptedRelay(Script(offers=offers, rules=rules)) as relay:
            source = MemorySource(20)
            await deliver(relay, source)
            assert source.codes() == [{5: 450, 7: 554}.get(number, 250) for number in range(20)]
            assert relay.connections == 1

    run(work)


@pytest.mark.parametrize("offers", [("PIPELINING", *PLAIN), PLAIN])
def test_content_that_must_not_be_sent_any_more_does_not_leave(offers: tuple[str, ...]) -> None:
    """The mail's owner lost it while its envelope was out. All others arrive once."""
    source = MemorySource(4, again=True)
    asked: list[int] = []

    def hand_over(i: int, content: bool) -> bool:
        asked.extend([i] if content else [])
        return not content or i != 1 or asked.count(1) > 1

    source.waiting = [mail._replace(hand_over=hand_over) for mail in source.waiting]
    _, relay, troubles = send(Script(offers=offers), source)
    assert sorted(asked) == [0, 1, 1, 2, 3]
    assert [source.replies[i][-1].code for i in range(4)] == [250] * 4
    assert sorted(list(mail.recipients) for mail in relay.taken) == [
        [b"cy%d@reader.example" % i] for i in range(4)
    ]
    assert not any(troubles), "it is no fault of the relay"


@pytest.mark.parametrize("offers", [("PIPELINING", *PLAIN), PLAIN])
def test_it_tells_a_mail_whose_content_may_have_left_from_one_that_was_only_offered(
    offers: tuple[str, ...],
) -> None:
    told: dict[int, list[bool]] = {}
    source = MemorySource(3)
    source.waiting = [
        mail._replace(hand_over=lambda i, content: told.setdefault(i, []).append(content) or True)
        for mail in source.waiting
    ]
    refused = Rule("data", match="", reply="451 4.3.0 not now", after=1, times=1)
    send(Script(offers=offers, rules=(refused,)), source)
    assert told == {0: [False, True], 1: [False], 2: [False, True]}
    assert [source.replies[i][-1].code for i in range(3)] == [250, 451, 250]
