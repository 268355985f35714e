"""Providers' APIs with composed mails, against servers that speak them over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from morefollows.courier.message.template import Composed, Placeholders, Slot
from morefollows.courier.relays.interface import Mail, Reached, Relay, Reply
from morefollows.courier.smtp.replies import About, verdict
from tests.courier.relays.support import make_relay
from tests.courier.smtp.support import run
from tests.support.provider_servers import ProviderServer

every_api = pytest.mark.parametrize("scheme", sorted(ProviderServer.MOST))


def _composed() -> Composed:
    marks = Placeholders()
    leave = f"https://herald.example/leave/{marks[Slot.LEAVE]}/"
    message = (
        'From: "The \\"Herald\\"" <news@herald.example>\r\n'
        f"To: <{marks[Slot.ADDRESS]}>\r\n"
        "Date: Sun, 29 Nov 2026 14:00:00 +0000\r\n"
        f"Message-ID: <{marks[Slot.RECEIPT]}@herald.example>\r\n"
        "Subject: =?utf-8?q?Keeper_found_{{safe}}_=E2=80=93_100=25?=\r\n"
        "Auto-Submitted: auto-generated\r\n"
        f"References: <story@herald.example>{marks[Slot.REFERENCES]}\r\n"
        f"List-Unsubscribe:\r\n <{leave}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="=_m"\r\n\r\n'
        "--=_m\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"Keeper found {{{{safe}}}} {{%x%}} =E2=80=93 %recipient.x\r\n{leave}\r\n"
        "--=_m\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\n"
        f'<p>Keeper found {{{{safe}}}}</p><a href=3D"{leave}">Leave</a>\r\n'
        "--=_m--\r\n"
    )
    return marks.cut(message.encode("ascii"))


class ComposedMails:
    """A `MailSource` of mails filled from one composition."""

    def __init__(self, count: int) -> None:
        self._composed = _composed()
        self._left = iter(range(count))
        self._count = count
        self._flying: set[int] = set()
        self._again: list[Mail] = []
        self.replies: dict[int, Reply] = {}
        self.done = asyncio.Event()
        self.relay: Relay | None = None

    def take(self) -> Mail | None:
        if self._again:
            mail = self._again.pop()
        else:
            i = next(self._left, None)
            if i is None:
                return None
            values = [b""] * len(Slot)
            values[Slot.ADDRESS] = b"cy%d@reader.example" % i
            values[Slot.LEAVE] = b"leave-%d" % i
            values[Slot.RECEIPT] = b"receipt-%d" % i
            values[Slot.REFERENCES] = b"\r\n <earlier-%d@herald.example>" % i
            content = self._composed.fill(values)
            mail = Mail(b"b+r@b.example", values[Slot.ADDRESS], content, self._settle, i)
        self._flying.add(mail.ticket)
        return mail

    def stuck(self, domains: Sequence[str]) -> None:
        """None is held back."""

    def _settle(self, mail: Mail, reply: Reply) -> None:
        self._flying.remove(mail.ticket)
        if reply.code == 0 and reply.reached is Reached.RELAY:
            self._again.append(mail)
            assert self.relay is not None
            asyncio.get_running_loop().call_soon(self.relay.wake)
            return
        self.replies[mail.ticket] = reply
        if len(self.replies) == self._count:
            self.done.set()


async def _send(
    server: ProviderServer, mails: ComposedMails, *, options: str = "", connections: int = 4
) -> list[str | None]:
    troubles: list[str | None] = []
    relay = mails.relay = make_relay(server.url + options, mails, troubles, connections=connections)
    await relay.open()
    relay.wake()
    await mails.done.wait()
    await relay.close()
    return troubles


@every_api
def test_each_reader_gets_the_mail_with_their_own_values(scheme: str) -> None:
    async def work() -> None:
        async with ProviderServer(scheme) as server:
            mails = ComposedMails(120)
            await _send(server, mails)
            assert server.violations == []
            assert {one.code for one in mails.replies.values()} == {250}
            assert max(server.calls) == min(ProviderServer.MOST[scheme], 120)
            assert len(server.taken) == 120
            mail = next(one for one in server.taken if one.recipient == "cy7@reader.example")
            assert "safe" in mail.subject and "– 100%" in mail.subject
            assert "https://herald.example/leave/leave-7/" in mail.text
            assert "https://herald.example/leave/leave-7/" in mail.html
            assert "{safe}" in mail.text and "– %recipient.x" in mail.text
            assert "zq" not in mail.text + mail.html, "no mark is left"
            assert mail.metadata.strip("<>") == "receipt-7@herald.example"
            assert mail.headers["List-Unsubscribe"] == "<https://herald.example/leave/leave-7/>"
            assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert mail.headers["References"] == (
                "<story@herald.example> <earlier-7@herald.example>"
            )
            if scheme not in ("ses", "brevo"):
                named = {name.lower(): value for name, value in mail.headers.items()}
                assert named["message-id"] == "<receipt-7@herald.example>"

    run(work)


@every_api
def test_one_reader_that_is_refused_costs_no_other_the_mail(scheme: str) -> None:
    async def work() -> None:
        planned = {"cy7@reader.example": "refused", "cy30@reader.example": "refused"}
        async with ProviderServer(scheme, planned) as server:
            mails = ComposedMails(40)
            await _send(server, mails)
            refused = {i for i, one in mails.replies.items() if verdict(one).outcome == "refused"}
            assert refused == {7, 30}
            assert server.count == 38

    run(work)


@every_api
def test_a_call_without_an_answer_is_uncertain_unless_repeats_count_once(scheme: str) -> None:
    async def work() -> None:
        async with ProviderServer(scheme) as server:
            server.statuses = [(502, {})]
            mails = ComposedMails(10)
            await _send(server, mails)
            outcomes = {verdict(one).outcome for one in mails.replies.values()}
            idempotent = scheme in ("resend", "brevo")
            assert outcomes == ({"accepted"} if idempotent else {"uncertain"})
            assert server.count == (10 if idempotent else 0)

    run(work)


@every_api
def test_it_waits_as_long_as_the_api_says(scheme: str) -> None:
    async def work() -> None:
        async with ProviderServer(scheme) as server:
            server.statuses = [(429, {"Retry-After": "1"}), (503, {})]
            mails = ComposedMails(10)
            begun = time.monotonic()
            troubles = await _send(server, mails)
            assert time.monotonic() - begun >= 1
            assert {one.code for one in mails.replies.values()} == {250}
            assert server.count == 10
            assert troubles[-1] is None and "answers 503" in str(troubles[1])

    run(work)


@every_api
def test_a_wrong_key_speaks_of_us_and_of_no_reader(scheme: str) -> None:
    async def work() -> None:
        async with ProviderServer(scheme) as server:
            server.statuses = [(401, {})] * 50
            mails = ComposedMails(10)
            await _send(server, mails)
            assert {verdict(one).about for one in mails.replies.values()} == {About.US}

    run(work)


def test_an_api_that_refuses_all_speaks_of_us() -> None:
    """A sender that is not verified, for instance: nobody may be suppressed for it."""

    async def work() -> None:
        async with ProviderServer("sendgrid") as server:
            server.statuses = [(400, {})] * 500
            mails = ComposedMails(100)
            await _send(server, mails, connections=1)
            found = [verdict(one) for one in mails.replies.values()]
            assert sum(one.about is About.US for one in found) >= 90

    run(work)
