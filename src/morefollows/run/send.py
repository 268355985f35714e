"""A sender process: takes alerts and letters from the database to the relay, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket

import django
import uvloop
from django.conf import settings

from morefollows.line import Listener


def run_sender(number: int) -> None:
    """Runs sender `number` (from 1) of `settings.senders` until SIGTERM or SIGINT."""
    django.setup()
    gc.freeze()
    uvloop.run(_send(number))


async def _send(number: int) -> None:
    from morefollows.courier.smtp import SmtpRelay
    from morefollows.courier.worker import Worker
    from morefollows.delivery import actions as delivery

    config = settings.MOREFOLLOWS
    address = config.relay_address
    listener = Listener(config.data)
    await listener.open()
    worker = Worker(worker_name(number), listener, config.relay_name, on_complete=delivery.close)
    worker.relay = SmtpRelay(
        address,
        worker,
        connections=max(1, config.relay_connections // config.sender_count),
        helo=config.helo or socket.getfqdn(),
        on_trouble=worker.note_trouble,
    )
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, worker.stop)
    try:
        await worker.run()
    finally:
        listener.close()


def worker_name(number: int) -> str:
    """What claims bear: the same for a process and the one that replaces it after a crash."""
    return f"{socket.gethostname()[:30]}/{number}"
