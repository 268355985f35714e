"""The event streams: what a reader gets, who is dropped or refused; with a real database."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from django.db import transaction

from morefollows.live.stream.connection import MOST_UNSENT, Stream, stream_request
from morefollows.live.stream.hub import Hub
from morefollows.live.stream.journal import EventJournal
from morefollows.live.stream.missed_events import Frame, StoryEvents
from morefollows.notify import Listener
from morefollows.stories.models import Story, Update
from tests.live.support import publish
from tests.support.waiting import PATIENCE

STORY = UUID("6f1c0c0e-1f0d-4c39-9a0c-1d2f3a4b5c6d")


class Wire(asyncio.Transport):
    """Keeps what is written, as a socket would whose other end reads; or does not, when `stuck`.

    As with a real one, who closes it hears of that from the event loop, a moment later.
    """

    stream: Stream

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.stuck = False
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return MOST_UNSENT + 1 if self.stuck else 0

    def close(self) -> None:
        self._end("closed")

    def abort(self) -> None:
        self._end("aborted")

    def _end(self, how: str) -> None:
        if not self.ended:
            self.ended = how
            asyncio.get_running_loop().call_soon(self.stream.connection_lost, None)

    @property
    def status(self) -> int:
        return int(self.written.split(b" ", 2)[1])

    @property
    def events(self) -> list[tuple[str, str]]:
        """(id, event) of all that came."""
        found = re.findall(rb"^(?:id: (.*)\n)?event: (.*)\n", self.written, re.MULTILINE)
        return [(id.decode(), event.decode()) for id, event in found]


class Source:
    """Stands for the database: what it says is told at the next look."""

    def __init__(self) -> None:
        self.told: dict[UUID, StoryEvents | None] = {}

    def read(self, marks: dict[UUID, str]) -> dict[UUID, StoryEvents | None]:
        now = {story: self.told.get(story) for story in marks}
        return {
            story: told for story, told in now.items() if told is None or told.mark != marks[story]
        }

    def publish(self, count: int, end: str = "", first: int = 1) -> None:
        frames = [frame(f"{number}-{number}", "update") for number in range(first, count + 1)]
        last = (
            frame(f"{count}-{count}-{end}", "withdrawal" if end == "withdrawn" else end)
            if end
            else None
        )
        self.told[STORY] = StoryEvents(
            f"{count} {end}", f"{first - 1}-{first - 1}", () if end == "withdrawn" else frames, last
        )


def frame(id: str, event: str) -> Frame:
    return Frame(
        id,
        {
            language: f"id: {id}\nevent: {event}\ndata: {language}\n\n".encode()
            for language in ("en", "de")
        },
    )


class Room:
    """A hub at work, and readers who come to it."""

    def __init__(self, hub: Hub, source: Source, listener: Listener) -> None:
        self.hub, self.source, self.listener = hub, source, listener

    def reader(self, seen: str = "", *, network: str = "192.0.2.1", query: str = "") -> Wire:
        wire = Wire()
        headers = [(b"last-event-id", seen.encode())] if seen else []
        wanted = stream_request(f"/story/{STORY}/events/?{query}".encode(), headers)
        assert wanted is not None
        stream = Stream(self.hub, wire, wanted, network)
        wire.stream = stream
        self.hub.join(stream)
        return wire

    async def look(self) -> None:
        """Until the hub has looked, and told."""
        self.listener.wake()
        for _ in range(5):
            await asyncio.sleep(0.03)


@contextlib.asynccontextmanager
async def room(data: object, *, most: int = 100, most_a_network: int = 100) -> AsyncIterator[Room]:
    source = Source()
    hub = Hub(source.read, ["en", "de"], most=most, most_a_network=most_a_network)  # type: ignore[arg-type]
    listener = Listener(data)  # type: ignore[arg-type]
    await listener.open()
    running = asyncio.create_task(hub.run(listener))
    try:
        yield Room(hub, source, listener)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        listener.close()


def test_who_comes_back_gets_what_was_missed_and_nothing_twice(data: object) -> None:
    async def story() -> None:
        async with room(data) as live:
            live.source.publish(3)
            new, missed_two, german = (
                live.reader(),
                live.reader("1-1"),
                live.reader(query="lang=de&after=2-2"),
            )
            await live.look()
            assert new.events == []
            assert missed_two.events == [("2-2", "update"), ("3-3", "update")]
            assert b"data: de" in german.written and b"data: en" not in german.written
            live.source.publish(4)
            await live.look()
            assert new.events == [("4-4", "update")]
            assert missed_two.events[2:] == [("4-4", "update")]
            head = new.written.partition(b"\r\n\r\n")[0].decode()
            assert "text/event-stream" in head and "no-cache, no-transform" in head
            assert re.search(rb"\r\n\r\nretry: [1-6]\d\d\d\n\n", new.written)

    asyncio.run(story())


def test_a_gap_is_told_as_a_reset(data: object) -> None:
    async def story() -> None:
        async with room(data) as live:
            live.source.publish(60, first=11)
            for unknown in ("9-9", "61-61", "12-11", "nonsense", "60-60-final"):
                reader = live.reader(unknown)
                await live.look()
                assert reader.events == [("", "reset")], unknown
            edge = live.reader("10-10")
            await live.look()
            assert len(edge.events) == 50
            # A lower number was published late: what everybody has counted is no longer so.
            told = live.source.told[STORY]
            assert told is not None
            live.source.told[STORY] = told._replace(mark="other", frames=[frame("60-61", "update")])
            await live.look()
            assert edge.events[-1] == ("", "reset")

    asyncio.run(story())


def test_a_final_update_ends_no_stream_for_it_may_have_to_be_corrected_or_withdrawn(
    data: object,
) -> None:
    async def story() -> None:
        async with room(data) as live:
            live.source.publish(1)
            reader = live.reader("1-1")
            await live.look()
            live.source.publish(2, "final")
            await live.look()
            assert reader.events == [("2-2", "update"), ("2-2-final", "final")] and not reader.ended
            back, new, late = live.reader("2-2-final"), live.reader(), live.reader("2-2")
            await live.look()
            assert back.events == [] and new.events == late.events == [("2-2-final", "final")]
            live.source.publish(3, "final")  # a correction: what was final stays so
            await live.look()
            for one in (reader, back, new, late):
                assert (
                    one.events[-2:] == [("3-3", "update"), ("3-3-final", "final")] and not one.ended
                )
            live.source.publish(4, "withdrawn")
            await live.look()
            for one in (reader, back, new, late):
                assert one.events[-1] == ("4-4-withdrawn", "withdrawal") and one.ended == "closed"
            knows = live.reader("4-4-withdrawn")
            await live.look()
            assert knows.status == 204

    asyncio.run(story())


def test_of_a_withdrawn_story_only_the_withdrawal_is_told(data: object) -> None:
    async def story() -> None:
        async with room(data) as live:
            live.source.publish(1)
            reader = live.reader("1-1")
            await live.look()
            live.source.publish(3, "withdrawn")
            await live.look()
            assert reader.events == [("3-3-withdrawn", "withdrawal")] and reader.ended == "closed"
            late_ones = [live.reader("0-0"), live.reader(), live.reader("2-2")]
            knows = live.reader("3-3-withdrawn")
            await live.look()
            for late in late_ones:
                assert late.events == [("3-3-withdrawn", "withdrawal")] and late.ended == "closed"
            assert knows.status == 204

    asyncio.run(story())


def test_who_does_not_read_is_dropped_and_the_others_are_not(data: object) -> None:
    async def story() -> None:
        async with room(data) as live:
            live.source.publish(1)
            stuck, quick = live.reader(), live.reader()
            await live.look()
            stuck.stuck = True
            live.source.publish(2)
            await live.look()
            assert stuck.ended == "aborted" and not stuck.events
            assert quick.events == [("2-2", "update")] and not quick.ended

    asyncio.run(story())


def test_too_many_are_told_to_wait(data: object) -> None:
    async def story() -> None:
        async with room(data, most=3, most_a_network=2) as live:
            live.source.publish(1)
            first, second = live.reader(), live.reader()
            assert live.reader().status == 429
            third = live.reader(network="192.0.2.2")
            full = live.reader(network="192.0.2.3")
            assert full.status == 503 and b"Retry-After: " in full.written
            await live.look()
            assert [one.status for one in (first, second, third)] == [200] * 3
            second.abort()
            await asyncio.sleep(0)
            assert live.hub.count == 2
            live.reader()
            assert live.hub.count == 3

    asyncio.run(story())


def test_what_is_not_public_is_not_found_and_streams_end_with_the_server(data: object) -> None:
    async def story() -> None:
        async with room(data) as live:
            nobody = live.reader()
            await live.look()
            assert nobody.status == 404
            assert live.hub.count == 0
            live.source.publish(1)
            reader = live.reader()
            await live.look()
            live.hub.close()
            assert reader.ended == "closed" and live.reader().status == 503

    asyncio.run(story())


async def connect(hub: Hub, kind: type[Stream] = Stream) -> tuple[Stream, socket.socket]:
    """A stream on a real connection, that has not joined yet, and the reader's end of it."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
    wanted = stream_request(f"/story/{STORY}/events/".encode(), [])
    assert wanted is not None
    stream = kind(hub, transport, wanted, "192.0.2.1")
    transport.set_protocol(stream)
    return stream, theirs


async def join(hub: Hub) -> socket.socket:
    stream, connection = await connect(hub)
    hub.join(stream)
    return connection


async def answer(connection: socket.socket) -> int:
    """The status that a connection is answered with. Waits for it."""
    async with asyncio.timeout(120):
        got = await asyncio.get_running_loop().sock_recv(connection, 4096)
    return int(got.split(b" ", 2)[1])


def test_who_asks_while_a_refused_connection_closes_is_answered(data: object) -> None:
    async def story() -> None:
        async with room(data) as live:

            class Refused(Stream):
                """Another reader connects after the refusal, before that connection is closed."""

                __slots__ = ()

                def refuse(self, status: bytes, retry_after: int = 0) -> None:
                    super().refuse(status, retry_after)
                    live.source.publish(1)
                    live.hub.join(late)

            late, second = await connect(live.hub)
            early, first = await connect(live.hub, Refused)
            live.hub.join(early)
            assert await answer(first) == 404
            assert await answer(second) == 200
            live.source.publish(2)
            live.listener.wake()
            async with asyncio.timeout(120):
                assert b"id: 2-2" in await asyncio.get_running_loop().sock_recv(second, 4096)
            for connection in (first, second):
                connection.close()

    asyncio.run(story())


def test_a_database_that_does_not_answer_keeps_nobody_waiting(
    data: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("morefollows.live.stream.hub._SLOW", 0.05)

    async def story() -> None:
        async with room(data) as live:
            answers = threading.Event()
            read = live.source.read

            def hang(marks: dict[UUID, str]) -> dict[UUID, StoryEvents | None]:
                assert answers.wait(PATIENCE)
                return read(marks)

            monkeypatch.setattr(live.hub, "_read", hang)
            try:
                first = await join(live.hub)
                live.listener.wake()
                assert await answer(first) == 503
                second = await join(live.hub)
                assert await answer(second) == 503
            finally:
                answers.set()
            live.source.publish(1)
            third = await join(live.hub)
            assert await answer(third) == 200
            for connection in (first, second, third):
                connection.close()

    asyncio.run(story())
    assert "the database has not answered" in caplog.text


def test_one_story_that_can_not_be_told_silences_no_other(
    data: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with room(data) as live:
            live.source.publish(1)
            reader = live.reader()
            await live.look()
            broken = live.source.told[STORY]
            assert broken is not None
            bad = broken._replace(mark="bad", frames=[*broken.frames, Frame("2-2", {})])
            live.source.told[STORY] = bad
            new = live.reader()
            await live.look()
            assert new.status == 200, "from what is known"
            live.source.publish(2)
            await live.look()
            assert reader.events == new.events == [("2-2", "update")]

    asyncio.run(story())
    assert "can't be told" in caplog.text


class TestJournal:
    def read(self, story: Story, mark: str = "") -> StoryEvents | None:
        return EventJournal().read({story.uuid: mark}).get(story.uuid)

    def test_ids_follow_from_the_database_alone(self, story: Story) -> None:
        assert self.read(story) is None
        publish(story, "first")
        update = publish(
            story, headline="Bridge open again", text="Trains <run> again.\nAll of them."
        )
        told = self.read(story)
        assert told is not None and told == self.read(story)
        first = story.updates.get(number=1)
        ids = [f"1-1-{first.uid.hex()[:12]}", f"2-2-{update.uid.hex()[:12]}"]
        assert [frame.id for frame in told.frames] == ids and told.last == ids[1]
        body = told.frames[1].bodies["de"].decode()
        assert "\ndata: {" in body and body.count("\n") == 4, "the data of an event is one line"
        assert "Trains &lt;run&gt; again." in body and "Bridge open again" in body
        assert EventJournal().read({story.uuid: told.mark}) == {}
        Update.objects.create(
            story=story,
            number=3,
            kind="update",
            headline="Held",
            text="x",
            language="en",
            author=story.author,
        )
        assert self.read(story, told.mark) is None, "not before it is published"
        assert told.after(ids[0]) == [told.frames[1]]

    def test_an_update_that_is_published_late_shifts_the_ids(self, story: Story) -> None:
        publish(story, "first")
        late = Update.objects.create(
            story=story,
            number=2,
            kind="update",
            headline="Late",
            text="x",
            language="en",
            author=story.author,
        )
        publish(story)
        before = self.read(story)
        assert before is not None and before.last.startswith("3-2-")
        late.published_at = late.created_at
        late.save()
        now = self.read(story, before.mark)
        assert now is not None and now.last.startswith("3-3-") and now.after(before.last) is None

    def test_another_update_with_the_number_of_a_lost_one_is_not_taken_for_it(
        self, story: Story
    ) -> None:
        publish(story, "first")
        with transaction.atomic():
            publish(story)
            before = self.read(story)
            transaction.set_rollback(True)  # as in a failover that loses the last transactions
        assert before is not None
        publish(story, text="Something else.")
        now = self.read(story, before.mark)
        assert now is not None and now.after(before.last) is None

    @pytest.mark.parametrize(("kind", "last"), [("final", "-final"), ("withdrawal", "-withdrawn")])
    def test_an_end(self, story: Story, kind: str, last: str) -> None:
        publish(story, "first", text="The error.")
        publish(story, kind, text="What we know.")
        told = self.read(story)
        assert told is not None and told.end is not None
        assert told.last.startswith("2-2-") and told.last.endswith(last)
        whole = b"".join(one.bodies["en"] for one in (*told.frames, told.end)).decode()
        assert ("The error." in whole) == (kind == "final") and "What we know." in whole
