"""Many mails in flight with BDAT (RFC 3030): bytes on the wire, and the right reply for each."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.smtp.transactions.flow_control import Window
from tests.courier.smtp.support import QUICK, MemorySource, body, client, deliver, numbers, run
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

CHUNKING = ("CHUNKING", "PIPELINING", "SMTPUTF8")


def send(
    script: Script, source: MemorySource, *, loop: str = "uvloop", **options: object
) -> ScriptedRelay:
    async def work() -> ScriptedRelay:
        async with ScriptedRelay(script) as relay:
            await deliver(relay, source, **options)
            assert relay.violations == []
            return relay

    return run(work, loop=loop)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize(("connections", "split"), [(1, 0), (7, 0), (2, 1)])
def test_it_hands_over_every_mail_once_and_byte_for_byte(
    connections: int, split: int, loop: str
) -> None:
    source = MemorySource(200, size=9000)
    relay = send(
        Script(offers=CHUNKING, split=split, multiline=bool(split)),
        source,
        connections=connections,
        loop=loop,
    )
    assert source.codes() == [250] * 200
    assert sorted(numbers(relay)) == list(range(200))
    for mail in relay.taken:
        number = int(mail.message_id[1:].split("@")[0])
        assert mail.sender == b"b+%d@bounces.example" % number
        assert mail.recipients == (b"cy%d@reader.example" % number,)
        assert mail.content == b"".join(body(number, 9000))
    assert relay.commands["BDAT"] == 200
    assert relay.commands["DATA"] == 0


def test_without_pipelining_a_chunk_would_gain_nothing() -> None:
    source = MemorySource(5)
    relay = send(Script(offers=("CHUNKING",)), source)
    assert source.codes() == [250] * 5
    assert relay.commands["BDAT"] == 0


def test_mails_leave_back_to_back_before_the_first_reply() -> None:
    async def first_read() -> bytes:
        got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            await reader.readline()
            writer.write(b"250-relay.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
            said = b""
            while said.count(b"BDAT") < 3 or not said.endswith(b"RSET\r\n"):
                said += await reader.read(65536)
            got.set_result(said)
            writer.write(b"250 ok\r\n" * 12)
            await reader.readline()
            writer.write(b"221 bye\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        source = MemorySource(3)
        await_all = client(server.sockets[0].getsockname()[1], source)
        await await_all.open()
        await_all.wake()
        await source.settled()
        await await_all.close()
        server.close()
        assert source.codes() == [250] * 3
        return await got

    expected = b"".join(
        b"MAIL FROM:<b+%d@bounces.example>\r\nRCPT TO:<cy%d@reader.example>\r\nBDAT %d LAST\r\n"
        b"%bRSET\r\n" % (i, i, len(b"".join(body(i))), b"".join(body(i)))
        for i in range(3)
    )
    assert run(first_read) == expected


@pytest.mark.parametrize("at", ["mail", "rcpt", "content"])
@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "451 4.7.1 greylisted"])
def test_a_refusal_is_about_one_mail_and_never_about_those_behind_it(at: str, reply: str) -> None:
    """The relay keeps a failed transaction: without RSET the next mail gets its return path."""
    source = MemorySource(40)
    relay = send(Script(offers=CHUNKING, rules=(Rule(at, every=3, reply=reply),)), source)
    code, status, text = reply.split(" ", 2)
    refused = [i for i in range(40) if source.codes()[i] != 250]
    assert refused == list(range(2, 40, 3))
    reached = Reached[at.upper()]
    assert {source.replies[i][0] for i in refused} == {Reply(int(code), status, text, reached)}
    assert [mail.sender for mail in relay.taken] == [
        b"b+%d@bounces.example" % i for i in numbers(relay)
    ]
    assert relay.connections == 1


@pytest.mark.parametrize("at", ["mail", "rcpt", "content"])
def test_after_421_nothing_behind_it_is_in_doubt(at: str) -> None:
    source = MemorySource(30, again=True)
    relay = send(
        Script(offers=CHUNKING, rules=(Rule(at, after=9, times=1, reply="421 4.3.2 closing"),)),
        source,
    )
    assert sorted(numbers(relay)) == list(range(30))
    assert source.replies[9][0].code == 421
    assert source.uncertain() == set()
    assert relay.connections == 2


@pytest.mark.parametrize("do", ["drop", "take-and-drop", "hang"])
def test_a_connection_that_breaks_leaves_no_more_in_doubt_than_were_in_flight(do: str) -> None:
    async def work() -> None:
        script = Script(offers=CHUNKING, rules=(Rule("content", after=50, times=1, do=do),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(200)
            smtp = client(relay.port, source, timeouts=QUICK._replace(content=0.3))
            most = 0
            take = source.take

            def counted() -> object:
                nonlocal most
                mail = take()
                most = max(most, len(source.in_flight))
                return mail

            source.take = counted  # type: ignore[method-assign, assignment]
            await smtp.open()
            smtp.wake()
            await source.settled()
            await smtp.close()
            assert 1 <= len(source.uncertain()) <= most <= 250
            assert set(numbers(relay)) >= source.accepted()
            assert set(numbers(relay)) - source.accepted() <= source.uncertain()
            assert source.accepted() | source.uncertain() == set(range(200))

    run(work)


STATUSES = (*CHUNKING, "ENHANCEDSTATUSCODES")


@pytest.mark.parametrize(
    ("offers", "words", "too_many"),
    [
        (STATUSES, ("250 2.1.0 ok", "250 2.1.5 ok", "250 2.0.0 ok", "250 2.0.0 ok"), (0,)),
        (STATUSES, ("250 2.1.0 ok", "250 2.1.5 ok", "250 2.0.0 ok", "250 2.0.0 ok"), (3, 3)),
        (STATUSES, ("250 2.1.0 ok", "250 2.1.5 ok", "250 2.0.0 ok", "250 2.0.0 ok"), (3, 3, 3)),
        (CHUNKING, ("250 ok", "250 ok", "250 ok", "250 ok"), (0,)),
    ],
    ids=["its own", "two", "three", "without statuses"],
)
@pytest.mark.parametrize("place", [0, 1, 2, 3], ids=["mail", "rcpt", "content", "rset"])
def test_a_word_too_many_is_never_taken_for_another_mails(
    offers: tuple[str, ...], words: tuple[str, ...], too_many: tuple[int, ...], place: int
) -> None:
    """An extra reply, and each third content refused: both sides' records must agree."""
    at = ("mail", "rcpt", "content", "rset")
    said = [words[place], *(words[(place + other) % 4] for other in too_many)]
    rules = [Rule(at[place], after=20, times=1, reply="\r\n".join(said))]
    rules += [Rule("content", every=3, reply="554 5.6.0 not this one")]
    rules += [Rule(where, reply=word) for where, word in zip(at, words, strict=True)]
    source = MemorySource(90)

    async def work() -> ScriptedRelay:
        async with ScriptedRelay(Script(offers=offers, rules=tuple(rules))) as relay:
            await deliver(relay, source)
            return relay

    took = set(numbers(run(work)))
    assert len(took) > 10  # of the 20 before; how many are in flight then depends on the machine
    assert source.accepted() <= took
    refused = {i for i in range(90) if source.codes()[i] == 554}
    assert len(refused) > 5
    assert not refused & took
    assert source.accepted() | refused | source.uncertain() == set(range(90))
    assert 1 <= len(source.uncertain()) <= 70


def test_a_relay_that_varies_its_statuses_is_no_liar() -> None:
    rules = (
        Rule("rcpt", every=7, reply="250 2.1.9 forwarded"),
        Rule("content", every=5, reply="250 2.6.0 queued"),
    )
    source = MemorySource(60)
    relay = send(Script(offers=STATUSES, rules=rules), source)
    assert source.codes() == [250] * 60
    assert (relay.connections, relay.commands["BDAT"]) == (1, 60)


def test_a_relay_that_offers_what_it_does_not_know_is_spoken_to_with_data() -> None:
    source = MemorySource(30, again=True)

    async def work() -> ScriptedRelay:
        async with ScriptedRelay(Script(offers=CHUNKING, rules=(Rule("bdat"),))) as relay:
            await deliver(relay, source)
            return relay

    relay = run(work)
    assert sorted(numbers(relay)) == list(range(30))
    assert relay.commands["DATA"] == 30
    assert source.uncertain() == set()


def test_a_stalled_connection_never_holds_the_others() -> None:
    async def work() -> None:
        script = Script(offers=CHUNKING, rules=(Rule("content", after=20, times=1, do="hang"),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(400)
            smtp = client(relay.port, source, connections=4, timeouts=QUICK._replace(content=30))
            await smtp.open()
            smtp.wake()
            while source.waiting:
                await asyncio.sleep(0.01)
            while len(source.in_flight) > 60:
                await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await smtp.close()
            assert len(source.accepted()) >= 340

    run(work)


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 400), max_size=12),
    replies=st.lists(
        st.sampled_from(
            (
                b"250 2.0.0 ok\r\n",
                b"250 ok\r\n",
                b"250-first\r\n250 second\r\n",
                b"451 4.7.1 later\r\n",
                b"550 5.1.1 no such user\r\n",
                b"503 5.5.1 bad sequence\r\n",
            )
        ),
        min_size=11,
        max_size=11,
    ),
    end=st.integers(0, 11),
)
def test_replies_in_any_pieces_and_of_any_kind_are_each_matched_to_their_mail(
    cuts: list[int], replies: list[bytes], end: int
) -> None:
    """A model predicts each mail's reply: three mails, eleven replies, only `end` of them sent."""
    replies = [reply if i not in (3, 7) else b"250 reset\r\n" for i, reply in enumerate(replies)]
    whole = b"".join(replies[:end])

    async def work() -> MemorySource:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            await reader.readline()
            writer.write(b"250-relay.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
            said = b""
            while said.count(b" LAST\r\n") < 3 or not said.endswith(b"RSET\r\n"):
                said += await reader.read(65536)
            at = 0
            for cut in sorted({*cuts, len(whole)}):
                writer.write(whole[at:cut])
                at = max(at, cut)
                await asyncio.sleep(0)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        source = MemorySource(3)
        smtp = client(server.sockets[0].getsockname()[1], source)
        await smtp.open()
        smtp.wake()
        await source.settled()
        server.close()
        await smtp.close()
        return source

    source = run(work, within=5)
    said = [
        reply[-reply[::-1].find(b"\n", 1) or 0 :] if reply.count(b"\n") > 1 else reply
        for reply in replies
    ]
    for i in range(3):
        of_mail, of_rcpt, of_bdat = (int(said[4 * i + k][:3]) for k in range(3))
        complete = end > 4 * i + 2
        mail_no = of_mail >= 400 and end > 4 * i
        rcpt_no = of_rcpt >= 400 and end > 4 * i + 1
        rcpt_yes = of_rcpt < 400 and end > 4 * i + 1
        if rcpt_no and not mail_no:
            expected = (of_rcpt, Reached.RCPT)
        elif mail_no and not rcpt_yes:
            expected = (of_mail, Reached.MAIL)
        elif complete:
            expected = (of_bdat, Reached.CONTENT)
        else:  # handed over, perhaps behind another that the relay failed at
            expected = (
                0,
                Reached.BEHIND
                if source.replies[i][0].reached is Reached.BEHIND
                else Reached.CONTENT,
            )
            assert expected[1] is Reached.CONTENT or i
        assert [(one.code, one.reached) for one in source.replies[i]] == [expected]


def _ride(way: float, work: float, mails: int = 5000) -> Window:
    """A send window before a relay with a round trip of `way` seconds and `work` s a mail."""
    now = 0.0
    window = Window(lambda: now)
    due: deque[float] = deque()
    last = 0.0
    for _ in range(mails):
        while window.admits(len(due), 0):
            last = max(now + way, last) + work
            due.append(last)
            window.sent(len(due))
        now = due.popleft()
        window.answered(250)
    return window


def test_the_window_opens_for_a_relay_far_away_and_stays_small_for_one_beside_us() -> None:
    assert _ride(0.0001, 0.001).mails <= 20
    far_away = _ride(0.08, 0.001)
    assert 80 <= far_away.mails <= 110
    for _ in range(10):
        far_away.answered(452)
    assert far_away.mails == 2
    assert _ride(5.0, 0.001).mails == 250
    assert not Window().admits(1, 5 << 20)
