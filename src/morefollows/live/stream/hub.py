"""The readers of every story's event stream, and what they are told. One for each web process.

The database is read in one thread, however many readers there are: when a word on the line says that something was
published, and once a second for the case that the word got lost. What has changed is made into bytes once, and
written to everybody. No Django here: `read` is what knows the database.
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

from morefollows.helpers.supervise import supervised
from morefollows.live.stream.connection import BEAT, Channel, Stream
from morefollows.live.stream.events import RESET, Frame, Told
from morefollows.notify import Listener

log = logging.getLogger(__name__)

Read = Callable[[Mapping[UUID, str]], Mapping[UUID, Told | None]]
"""Takes each story's mark, "" if it is not known yet. Returns those that have changed; None for what is not public."""

_HEARTBEAT = 15  # seconds between two comments on a stream; proxies close what is silent for longer
_BREATH = 0.05  # seconds between two looks into the database at the least
_SLICE = 500  # readers that are written to before others have a turn
_SLOW = 5.0  # seconds: a look into the database that takes longer is told in the log, and nobody waits for it

_OK_BUT_NOTHING = b"204 No Content"  # a browser does not come back after this (WHATWG HTML §9.2.2)
_NOT_FOUND = b"404 Not Found"
_TOO_MANY = b"429 Too Many Requests"
_FULL = b"503 Service Unavailable"


class Hub:
    """Takes streams in, and tells them. All of it runs in one event loop, except for `read`."""

    def __init__(
        self, read: Read, languages: Iterable[str], *, most: int, most_a_network: int
    ) -> None:
        """`most`: streams in all; `most_a_network`: from one IPv4 address or IPv6 /64. The first language is usual."""
        self._read = read
        self._languages = list(languages)
        self._most = most
        self._most_a_network = most_a_network
        self._channels: dict[UUID, Channel] = {}
        self._networks: Counter[str] = Counter()
        self._beats: list[set[Stream]] = [set() for _ in range(_HEARTBEAT)]
        self._thread = ThreadPoolExecutor(1, "live")
        self._listener: Listener | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """How many streams there are."""
        return self._networks.total()

    def join(self, stream: Stream) -> None:
        """Answers a new stream, at once or as soon as its story has been looked up."""
        if self._closed or self.count >= self._most:
            return stream.refuse(_FULL, random.randint(10, 60))  # noqa: S311 - only to spread them
        if self._networks[stream.network] >= self._most_a_network:
            return stream.refuse(_TOO_MANY, random.randint(10, 60))  # noqa: S311
        self._networks[stream.network] += 1
        channel = self._channels.get(stream.asked.story)
        if channel is None:
            channel = self._channels[stream.asked.story] = Channel(stream.asked.story)
        stream.channel = channel
        if channel.told is not None:
            self._admit(stream, channel.told)
        else:
            channel.waiting.add(stream)
            if self._listener is not None:
                self._listener.wake()
        return None

    def leave(self, stream: Stream) -> None:
        """The connection is gone."""
        channel, stream.channel = stream.channel, None
        if channel is None:
            return
        self._networks[stream.network] -= 1
        if not self._networks[stream.network]:
            del self._networks[stream.network]
        channel.waiting.discard(stream)
        channel.streams.discard(stream)
        self._beats[id(stream) // 16 % _HEARTBEAT].discard(stream)
        # The story may have another channel by now: this one's readers were refused, and somebody has asked again.
        if (
            not channel.waiting
            and not channel.streams
            and self._channels.get(channel.story) is channel
        ):
            del self._channels[channel.story]

    async def run(self, listener: Listener) -> None:
        """Tells every stream what happens, until it is cancelled. The listener must be open."""
        self._listener = listener
        beating = asyncio.create_task(supervised("event streams: the heartbeat", self._beat))
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
        """Ends all streams: the readers come back by themselves, and are told what they have missed."""
        self._closed = True
        for channel in list(self._channels.values()):
            for stream in (*channel.waiting, *channel.streams):
                stream.end()

    async def _look(self) -> None:
        """Asks for what has changed, and tells it.

        Who waits for a story that can't be read now is asked to come back.
        """
        marks = {
            story: channel.told.mark if channel.told else ""
            for story, channel in self._channels.items()
        }
        reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read, marks)
        changed: Mapping[UUID, Told | None] = {}
        try:
            if not (await asyncio.wait([reading], timeout=_SLOW))[0]:
                log.warning("event streams: the database has not answered for %.0f s", _SLOW)
            while not reading.done():  # who has come meanwhile does not wait for it either
                self._put_off(self._channels)
                await asyncio.wait([reading], timeout=1)
            changed = reading.result()
        except Exception:  # whatever is wrong with the database: it may be right again in a second
            log.exception("event streams: the database can't be read")
        for story, told in changed.items():
            found = self._channels.get(story)
            if found is None:
                continue
            try:
                await self._tell(found, told)
            except Exception:  # of one story: the others' readers are told all the same
                log.exception("event streams: story %s can't be told", story)
        self._put_off(story for story, mark in marks.items() if not mark and story not in changed)

    def _put_off(self, stories: Iterable[UUID]) -> None:
        """Refuses those who still wait to hear of these stories. They come back by themselves (RFC 9110 §10.2.3)."""
        for story in list(stories):
            channel = self._channels.get(story)
            if channel is not None and channel.told is None:
                for stream in list(channel.waiting):
                    channel.waiting.discard(stream)
                    stream.refuse(_FULL, random.randint(2, 10))  # noqa: S311 - only to spread them

    async def _tell(self, channel: Channel, told: Told | None) -> None:
        if told is None:
            channel.told = None
            # Its connections close a moment later; who asks until then gets a channel of their own.
            self._channels.pop(channel.story)
            for stream in (*channel.waiting, *channel.streams):
                stream.refuse(_NOT_FOUND) if stream in channel.waiting else stream.end()
            return
        news = told.after(channel.told.last) if channel.told else []
        bodies = {language: _bytes(news, language) for language in self._languages}
        channel.told = told
        waiting, streams = list(channel.waiting), list(channel.streams)
        channel.waiting.clear()
        for number, stream in enumerate((*streams, *waiting)):
            if stream.channel is not channel:  # gone meanwhile
                continue
            if number >= len(streams):
                self._admit(stream, told)
            else:
                stream.send(bodies[self._language(stream)])
                if told.withdrawn:
                    stream.end()
            if number % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)

    def _admit(self, stream: Stream, told: Told) -> None:
        """Nothing comes after a withdrawal. After a final update, one may: or a correction."""
        if self._closed:
            return stream.refuse(_FULL, random.randint(10, 60))  # noqa: S311
        seen = stream.asked.seen
        if told.end and told.withdrawn and seen == told.end.id:
            return stream.refuse(_OK_BUT_NOTHING)
        missed = told.after(seen) if seen is not None else [told.end] if told.end else []
        stream.open(_bytes(missed, self._language(stream)))
        if told.withdrawn:
            return stream.end()
        assert stream.channel is not None
        stream.channel.streams.add(stream)
        self._beats[id(stream) // 16 % _HEARTBEAT].add(stream)
        return None

    def _language(self, stream: Stream) -> str:
        wanted = stream.asked.language
        return wanted if wanted in self._languages else self._languages[0]

    async def _beat(self) -> None:
        """Each second a fifteenth of the streams: a comment (WHATWG HTML §9.2.7), by which the dead are found."""
        turn = 0
        while True:
            await asyncio.sleep(1)
            turn = (turn + 1) % _HEARTBEAT
            for stream in list(self._beats[turn]):
                stream.send(BEAT)


def _bytes(frames: list[Frame] | None, language: str) -> bytes:
    """Of these events; None: of a reset."""
    return RESET if frames is None else b"".join(frame.bodies[language] for frame in frames)
