"""The relay that hands mails to a provider's HTTP API, many in one call.

As many calls run at once as the relay has connections. A call leaves when it is full, or when there
is no more mail for a moment. What the API says of a mail, or of the whole call, becomes each mail's
`Reply`.

A call that was sent and got no answer is uncertain, unless the API counts repeats of it once. If an
API takes all mails of a call or none, and refuses, the call is halved until the mail is found that
it refuses.

Invariant: each mail taken from the source is settled exactly once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime

from morefollows.courier.message.template import FilledMessage
from morefollows.courier.provider_apis.contract import ApiMail, ProviderApi
from morefollows.courier.provider_apis.http_client import (
    AnswerLost,
    HttpAnswer,
    HttpClient,
    NotSent,
)
from morefollows.courier.provider_apis.message_parts import MessageReader, with_values
from morefollows.courier.relays.interface import (
    Circuit,
    Mail,
    MailSource,
    Reached,
    Relay,
    RelaySetup,
    Reply,
)
from morefollows.helpers.background_tasks import watched

log = logging.getLogger(__name__)

_LINGER = 0.02  # seconds for which a call that is not full waits for more mail
_REPEATS = (0.2, 1.0, 3.0)  # seconds before a call is repeated, where repeats count once
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # seconds without calls after 429, 503 or no connection
_MOST_REFUSED = 8  # mails of one call refused alone, with none taken: then it refuses us
_UNCERTAIN = Reply(0, "", "", Reached.CONTENT)
_NOT_OFFERED = Reply(0, "", "", Reached.RELAY)
_NEEDS_UTF8 = Reply(
    550, "5.6.7", "The API does not take internationalised addresses.", Reached.ENVELOPE
)


class ApiRelay(Relay):
    """`interface.Relay` over a `ProviderApi`. `most`: mails in one call."""

    def __init__(
        self,
        name: str,
        api: ProviderApi,
        client: HttpClient,
        source: MailSource,
        setup: RelaySetup,
        most: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._api = api
        self._client = client
        self._source = source
        self._setup = setup
        self._connections = setup.connections
        self._most = most
        self._now = now
        self._reader = MessageReader()
        self._open = False
        self._calls: set[asyncio.Task[None]] = set()
        self._gathered: deque[Mail] = deque()
        self._octets = 0
        self._linger: asyncio.TimerHandle | None = None
        self._resume_at = 0.0
        self._failures = 0  # calls in a row that the API did not take
        self._trouble = False

    # -- interface.Relay

    @property
    def connections(self) -> int:
        """The number of calls under way; at least one while it is open."""
        return max(len(self._calls), int(self._open))

    @property
    def able(self) -> bool:
        """Whether calls may be made now."""
        return self._open and self._now() >= self._resume_at

    def can_carry(self, utf8: bool, size: int) -> bool | None:
        """Whether it can carry such a mail."""
        return not utf8 and size < self._api.most_octets // 4

    @property
    def circuit(self) -> Circuit:
        """Closed: in use. Open: failed, no calls now. Half-open: tried again."""
        if not self._failures:
            return "closed"
        return "open" if self._now() < self._resume_at else "half-open"

    async def open(self) -> None:
        """Ready at once: connections are made by calls."""
        self._open = True
        if not self._trouble:
            self._setup.on_trouble(None)

    def wake(self) -> None:
        """Called when there may be mail."""
        self._pump()

    def limit(self, connections: int) -> None:
        """See `interface.Relay`."""
        self._connections = connections

    async def close(self) -> None:
        """Waits for the calls under way."""
        self._open = False
        if self._linger is not None:
            self._linger.cancel()
        if self._gathered:
            self._launch()
        while self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)
        await self._client.close()

    # -- gathering

    def _pump(self) -> None:
        """Takes mails while a call is free for them."""
        while self._open and len(self._calls) < self._limit():
            if self._now() < self._resume_at:
                self._wait(self._resume_at - self._now())
                return
            mail = self._source.take()
            if mail is None:
                break
            if mail.utf8:
                mail.settle(mail, _NEEDS_UTF8)
                continue
            # Some APIs take one body and each reader's values: then a call has mails of one
            # composition.
            if self._gathered and self._api.alike and not _alike(self._gathered[0], mail):
                self._launch()
            self._gathered.append(mail)
            self._octets += sum(map(len, mail.content))
            if len(self._gathered) >= self._most or self._octets >= self._api.most_octets:
                self._launch()
        if self._gathered:
            if self._calls:
                self._wait(_LINGER)
            else:
                self._launch()

    def _limit(self) -> int:
        # After a failure one call tries whether the API works again.
        return 1 if self._failures else self._connections

    def _wait(self, seconds: float) -> None:
        if self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(seconds, self._waited)

    def _waited(self) -> None:
        self._linger = None
        if self._gathered and self._now() >= self._resume_at:
            self._launch()
        self._pump()

    def _launch(self) -> None:
        mails, self._octets = list(self._gathered), 0
        self._gathered.clear()
        task = watched("a call of a provider’s API", self._call(mails))
        self._calls.add(task)
        task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._pump()

    # -- calls

    async def _call(self, mails: list[Mail]) -> None:
        """Hands over these mails, and settles all of them."""
        left = deque(mails)
        try:
            read = [self._read(mail) for mail in mails]
            parts = deque([list(zip(mails, read, strict=True))])
            taken = alone = 0
            while parts:
                part = parts.popleft()
                replies = await self._ask([one for _, one in part])
                if replies is None and len(part) > 1:
                    half = len(part) // 2
                    # One bad address has the whole call refused by some APIs. Halving finds it in
                    # few calls.
                    parts.extendleft((part[half:], part[:half]))
                    continue
                if replies is None:
                    alone += 1
                    replies = [self._refusal]
                    if alone > _MOST_REFUSED and not taken:
                        self._refuse_us(left)
                        return
                else:
                    taken += 1
                for (mail, _), reply in zip(part, replies, strict=True):
                    left.remove(mail)
                    mail.settle(mail, reply)
        except BaseException:
            while left:
                mail = left.popleft()
                # Whether the call was made is not known.
                mail.settle(mail, _UNCERTAIN)
            raise

    def _refuse_us(self, left: deque[Mail]) -> None:
        """The API refuses one mail after the other: that speaks of us."""
        error_text = self._refusal.text
        while left:
            mail = left.popleft()
            mail.settle(mail, Reply(550, "5.7.1", error_text, Reached.MAIL))

    def _read(self, mail: Mail) -> ApiMail:
        read = self._reader.read(mail.content)
        message_id = with_values(read.parts.message_id, read.values).strip("<>")
        return ApiMail(mail.recipient.decode("ascii", "replace"), message_id, read)

    async def _ask(self, mails: Sequence[ApiMail]) -> Sequence[Reply] | None:
        """Makes one call. Returns the reply for each mail, or None if it refuses the whole call."""
        named = "\n".join(f"{one.receipt} {one.recipient}" for one in mails)
        # The same mails have the same key, also when another process sends them again.
        key = hashlib.sha256(named.encode()).hexdigest()
        call = self._api.call(mails, key)
        for wait in (*_REPEATS, None):
            try:
                answer = await self._client.post(call.path, call.headers, call.body)
            except NotSent as error:
                self._fails(str(error), 0.0)
                return [_NOT_OFFERED] * len(mails)
            except AnswerLost:
                answer = None
            if answer is not None and not self._is_unclear(answer):
                return self._judged(answer, len(mails))
            if not self._api.idempotent or wait is None:
                break
            await asyncio.sleep(wait)
        log.warning("The relay %s gave no answer to a call with %d mails", self._name, len(mails))
        return [_UNCERTAIN] * len(mails)

    def _is_unclear(self, answer: HttpAnswer) -> bool:
        """Whether the API may or may not have done it: an error within, or of a gateway.

        409: a call with the same key is still being worked on.
        """
        return answer.status in (500, 502, 504) or (answer.status == 409 and self._api.idempotent)

    def _judged(self, answer: HttpAnswer, count: int) -> Sequence[Reply] | None:
        try:
            body = json.loads(answer.body) if answer.body else {}
        except ValueError:
            body = {}
        status = answer.status
        if 200 <= status < 300:
            try:
                replies = self._api.replies(body, count)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                return [_UNCERTAIN] * count
            self._works()
            return replies
        error_text = f"{status} {self._api.error_text(body)}".strip()
        # The API says that it has not done it: these mails may be sent again at once.
        if status in (408, 425, 429, 503):
            self._fails(f"answers {error_text}", _retry_after(answer))
            return [_NOT_OFFERED] * count
        # The key, the account or the address of the API is wrong: it speaks of us and of no reader.
        if status in (401, 402, 403, 404, 405):
            return [Reply(535, "5.7.8", error_text, Reached.MAIL)] * count
        self._works()
        self._refusal = Reply(550, "", error_text, Reached.RCPT)
        return None

    _refusal = Reply(550, "", "", Reached.RCPT)  # the last one of a whole call

    def _works(self) -> None:
        self._failures = 0
        if self._trouble:
            self._trouble = False
            self._setup.on_trouble(None)

    def _fails(self, why: str, retry_after: float) -> None:
        """The API takes nothing now. `retry_after`: seconds, as it says; 0 if it does not."""
        # Calls that ran beside the first failure count with it.
        if self._now() < self._resume_at and not retry_after:
            return
        self._failures += 1
        wait = retry_after or _FIRST_WAIT * 2.0 ** min(self._failures - 1, 10)
        self._resume_at = self._now() + min(wait, _LONGEST_WAIT)
        if not self._trouble and self._failures > 1:
            self._trouble = True
            self._setup.on_trouble(f"The relay {self._name} {why}.")
        log.info("The relay %s %s", self._name, why)


def _alike(one: Mail, other: Mail) -> bool:
    """Whether two mails come of the same composition."""
    first, second = one.content, other.content
    return (
        isinstance(first, FilledMessage)
        and isinstance(second, FilledMessage)
        and first.composed is second.composed
    )


def _retry_after(answer: HttpAnswer) -> float:
    """Seconds of the field Retry-After (RFC 9110 §10.2.3); 0 if there is none."""
    value = answer.headers.get("retry-after", "")
    if value.isdigit() and len(value) < 6:
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
