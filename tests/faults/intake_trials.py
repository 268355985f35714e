"""Trials of the intake process: what it acknowledges is stored, whenever it is killed."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
from urllib.parse import urlsplit

from tests.faults.trial import Trial
from tests.support.ports import free_port
from tests.support.waiting import until

DOMAIN = "bounces.herald.example"
_ADDRESS = f"b+{'0a' * 23}@{DOMAIN}"
_MAILS = 60
_KILLED_AT = {15: "half", 30: "dot", 45: "answer"}  # mail → after what of it


def settings() -> dict[str, str]:
    """What the newsroom needs to take mail in."""
    return {"intake": f"lmtp://127.0.0.1:{free_port()}", "bounce_domain": DOMAIN}


def killed_intake(trial: Trial) -> None:
    """kill -9 in the middle of a mail, after it, and at its answer: each mail is stored once."""
    environment = trial.testbed.installation.environment
    port = urlsplit(environment["MOREFOLLOWS_INTAKE"]).port or 0
    tries = 0
    for number in range(_MAILS):
        kill_when = _KILLED_AT.get(number, "")
        while not _hand_over(trial, port, number, kill_when):
            kill_when, tries = "", tries + 1
    trial.expect(tries >= 2, f"only {tries} mails had to be sent again")
    until("all to be judged", lambda: _stored(waiting=True) == [])
    stored = _stored()
    trial.seen.append(f"{len(stored)} mails stored, {tries} sent again")
    trial.expect(stored == list(range(_MAILS)), f"stored: {stored}")


def _hand_over(trial: Trial, port: int, number: int, kill_when: str) -> bool:
    """Sends one mail, as a relay does. False: not acknowledged, so it has to be sent again."""
    until("the listener", lambda: _listens(port))
    pid = trial.testbed.pids()["intake"]
    try:
        with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo("relay.example")
            client.mail("")
            client.rcpt(_ADDRESS)
            client.docmd("DATA")
            assert client.sock is not None
            lines = f"Subject: mail {number}\r\n\r\n" + "It is.\r\n" * 2000
            client.sock.sendall(lines[: len(lines) // 2].encode())
            if kill_when == "half":
                os.kill(pid, signal.SIGKILL)
            client.sock.sendall(lines[len(lines) // 2 :].encode() + b".\r\n")
            if kill_when == "dot":
                os.kill(pid, signal.SIGKILL)
            code, _text = client.getreply()
            if kill_when == "answer":
                os.kill(pid, signal.SIGKILL)
    except (OSError, smtplib.SMTPException):
        return False
    return code == 250


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def _stored(*, waiting: bool = False) -> list[int]:
    """The numbers of the mails that are stored, each as often as it is."""
    from morefollows.feedback.intake import actions
    from morefollows.feedback.models import IncomingMail

    rows = IncomingMail.objects.order_by("pk")
    if waiting:
        rows = rows.filter(state=IncomingMail.State.WAITING)
    opened = [actions.opened(row) for row in rows]
    raws = [one.raw for one in opened if one is not None]
    return sorted(int(raw.partition(b"Subject: mail ")[2].split()[0]) for raw in raws)
