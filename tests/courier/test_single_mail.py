"""One mail by each kind of relay, for forwarded replies and alarms."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from pathlib import Path

import pytest

from morefollows.config.addresses.relay_address import relays
from morefollows.courier import single_mail
from morefollows.courier.single_mail import MailNotTaken
from tests.courier.relays.support import start_backend

_SCHEMES = ("smtp", "mx", "mailgun", "postmark", "ses")


def send(scheme: str, planned: dict[int, str], folder: Path) -> set[int]:
    """Sends one mail, and returns which the backend took."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "alerts@herald.example", "cy0@reader.example"
    mail["Subject"], mail["Message-ID"] = "Grüße", "<0@herald.example>"
    mail.set_content(".one\n..two\n", cte="base64")

    async def work() -> set[int]:
        async with start_backend(scheme, planned, folder) as backend:
            [address] = relays(backend.url)
            await single_mail._send(address, mail, "cy0@reader.example", "")
            return backend.took()

    return asyncio.run(work())


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_it_is_taken(scheme: str, tmp_path: Path) -> None:
    assert send(scheme, {}, tmp_path) == {0}


@pytest.mark.parametrize("scheme", ("smtp", "mx"))
def test_why_it_is_not_taken(scheme: str, tmp_path: Path) -> None:
    with pytest.raises(MailNotTaken, match=r"550 5\.1\.1"):
        send(scheme, {0: "refused"}, tmp_path)


def test_a_relay_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_mail, "_SECONDS", 0.5)
    mail = EmailMessage()
    mail.set_content("x", cte="base64")
    [address] = relays("smtp://127.0.0.1:1?tls=never")
    with pytest.raises(MailNotTaken):
        asyncio.run(single_mail._send(address, mail, "cy@reader.example", ""))
