"""All event streams of one web process, and the sending of events to them.

One thread reads the database, on each notification and at least once a second. Changes are encoded
once and written to all readers. This module does not use Django: `read` queries the database.

Invariant: except for `read`, everything runs in one event loop, so no locks are needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from morefollows.helpers.background_tasks import supervised
from morefollows.live.stream.connection import StoryStream, Stream
from morefollows.live.stream.keep_alive import KeepAlive
from morefollows.live.stream.missed_events import RESET, Frame, StoryEvents
from morefollows.notify import Listener

log = logging.getLogger(__name__)

# Takes each story's mark, "" if it is not known yet. Returns the stories that have changed, with
# None for those that are not public.
Read = Callable[[Mapping[UUID, str]], Mapping[UUID, StoryEvents | None]]

_BREATH = 0.05  # minimum seconds between two reads of the database
_SLICE = 500  # readers written to before the event loop gets a turn
_SLOW = 5.0  # seconds; a slower read is logged, and waiting readers are asked to come back

_OK_BUT_NOTHING = b"204 No Content"  # makes browsers stop reconnecting (WHATWG HTML §9.2.2)
_NOT_FOUND = b"404 Not Found"
_TOO_MANY = b"429 Too Many Requests"
_FULL = b"503 Service Unavailable"


class Hub:
    """Accepts streams and sends them events. Everything but `read` runs in one event loop."""

    def __init__(
        self, read: Read, languages: Iterable[str], *, most: int, most_a_network: int
    ) -> None:
        """`most`: limit of streams; `most_a_network`: per IPv4 address or IPv6 /64.

        The first language is the default.
        """
        self._read = read
        self._languages = list(languages)
        self._most = most
        self._most_a_network = most_a_network
        self._channels: dict[UUID, StoryStream] = {}
        self._networks: Counter[str] = Counter()
        self._keep_alive = KeepAlive()
        self._thread = ThreadPoolExecutor(1, "live")
        self._listener: Listener | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """Number of open streams."""
        return self._networks.total()

    def join(self, stream: Stream) -> None:
        """Responds to a new stream: at once, or when its story has been read."""
        if self._closed or self.count >= self._most:
            return stream.refuse(_FULL, random.randint(10, 60))  # noqa: S311 - only to spread them
        if self._networks[stream.network] >= self._most_a_network:
            return stream.refuse(_TOO_MANY, random.randint(10, 60))  # noqa: S311
        self._networks[stream.network] += 1
        channel = self._channels.get(stream.asked.story)
        if channel is None:
            channel = self._channels[stream.asked.story] = StoryStream(stream.asked.story)
        stream.channel = channel
        if channel.events is not None:
            self._admit(stream, channel.events)
        else:
            channel.waiting.add(stream)
            if self._listener is not None:
                self._listener.wake()
        return None

    def leave(self, stream: Stream) -> None:
        """Removes a stream whose connection is closed."""
        channel, stream.channel = stream.channel, None
        if channel is None:
            return
        self._networks[stream.network] -= 1
        if not self._networks[stream.network]:
            del self._networks[stream.network]
        channel.waiting.discard(stream)
        channel.streams.discard(stream)
        self._keep_alive.discard(stream)
        # The story may have a new channel by now: see the removal of channels in `_tell`.
        if (
            not channel.waiting
            and not channel.streams
            and self._channels.get(channel.story) is channel
        ):
            del self._channels[channel.story]

    async def run(self, listener: Listener) -> None:
        """Sends events to all streams until it is cancelled. The listener must be open."""
        self._listener = listener
        beating = asyncio.create_task(
            supervised("event streams: the heartbeat", self._keep_alive.run)
        )
        try:
            await supervised(
                "event streams", functools.partial(self._look_on, listener), longest_wait=5
            )
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
            self._thread.shutdown(wait=False)

    async def _look_on(self, listener: Listener) -> None:
        while True:
            await listener.wait()
            if self._channels:
                await self._look()
                await asyncio.sleep(_BREATH)

    def close(self) -> None:
        """Ends all streams, at shutdown. Browsers reconnect and get the events they missed."""
        self._closed = True
        for channel in list(self._channels.values()):
            for stream in (*channel.waiting, *channel.streams):
                stream.end()

    async def _look(self) -> None:
        """Reads the changed stories and sends their events.

        Streams that wait for a story that can't be read now get a 503 with Retry-After.
        """
        marks = {
            story: channel.events.mark if channel.events else ""
            for story, channel in self._channels.items()
        }
        reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read, marks)
        changed: Mapping[UUID, StoryEvents | None] = {}
        try:
            # `wait` does not cancel the read at its time-out, and a thread can't be cancelled.
            # There is never a second read beside it.
            if not (await asyncio.wait([reading], timeout=_SLOW))[0]:
                log.warning("event streams: the database has not answered for %.0f s", _SLOW)
            while not reading.done():  # also refuse streams that joined meanwhile
                self._put_off(self._channels)
                await asyncio.wait([reading], timeout=1)
            changed = reading.result()
        except Exception:  # any database error may be temporary; the next read is in a second
            log.exception("event streams: the database can't be read")
        for story, events in changed.items():
            found = self._channels.get(story)
            if found is None:
                continue
            try:
                await self._tell(found, events)
            except Exception:  # in one story; the others must still get their events
                log.exception("event streams: story %s can't be told", story)
        self._put_off(story for story, mark in marks.items() if not mark and story not in changed)

    def _put_off(self, stories: Iterable[UUID]) -> None:
        """Refuses the streams that wait for these stories, with Retry-After (RFC 9110 §10.2.3)."""
        for story in list(stories):
            channel = self._channels.get(story)
            if channel is not None and channel.events is None:
                for stream in list(channel.waiting):
                    channel.waiting.discard(stream)
                    stream.refuse(_FULL, random.randint(2, 10))  # noqa: S311 - only to spread them

    async def _tell(self, channel: StoryStream, events: StoryEvents | None) -> None:
        """Sends the new events of a story. `events`: None if it is not public."""
        if events is None:
            channel.events = None
            # Its connections close later; a stream that joins until then gets a new channel.
            self._channels.pop(channel.story)
            for stream in (*channel.waiting, *channel.streams):
                stream.refuse(_NOT_FOUND) if stream in channel.waiting else stream.end()
            return
        news = events.after(channel.events.last) if channel.events else []
        bodies = {language: _bytes(news, language) for language in self._languages}
        channel.events = events
        # Copies, since streams join and leave whenever the loop below gives way.
        waiting, streams = list(channel.waiting), list(channel.streams)
        channel.waiting.clear()
        for number, stream in enumerate((*streams, *waiting)):
            if stream.channel is not channel:  # closed meanwhile
                continue
            if number >= len(streams):
                self._admit(stream, events)
            else:
                stream.send(bodies[self._language(stream)])
                if events.withdrawn:
                    stream.end()
            if number % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)

    def _admit(self, stream: Stream, events: StoryEvents) -> None:
        """Opens a stream with the events that it has missed.

        The stream of a withdrawn story is ended, as nothing follows. That of a final story stays
        open, because a correction or withdrawal may follow.
        """
        if self._closed:
            return stream.refuse(_FULL, random.randint(10, 60))  # noqa: S311
        seen = stream.asked.seen
        if events.end and events.withdrawn and seen == events.end.id:
            return stream.refuse(_OK_BUT_NOTHING)
        missed = events.after(seen) if seen is not None else [events.end] if events.end else []
        stream.open(_bytes(missed, self._language(stream)))
        if events.withdrawn:
            return stream.end()
        assert stream.channel is not None
        stream.channel.streams.add(stream)
        self._keep_alive.add(stream)
        return None

    def _language(self, stream: Stream) -> str:
        wanted = stream.asked.language
        return wanted if wanted in self._languages else self._languages[0]


def _bytes(frames: list[Frame] | None, language: str) -> bytes:
    """The bytes of these events; None: of a reset. In another language if there is none in this."""
    if frames is None:
        return RESET
    return b"".join(
        frame.bodies.get(language) or next(iter(frame.bodies.values())) for frame in frames
    )
