"""A sender process: sends alerts and letters from the database through the relays until SIGTERM."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import signal
import socket
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import django
import uvloop
from django.conf import settings
from django.db import connection

from morefollows.database import connections
from morefollows.notify import Listener

if TYPE_CHECKING:
    from morefollows.config.addresses.relay_address import RelayAddress
    from morefollows.config.settings import Settings
    from morefollows.courier.sender.scheduler import Scheduler

log = logging.getLogger(__name__)

_GARBAGE = 20_000  # new containers after which the garbage collector looks for cycles


def run_sender(number: int) -> None:
    """Runs sender `number` (from 1) of `settings.senders` until SIGTERM or SIGINT."""
    django.setup()
    connections.set_sender_timeouts()
    gc.freeze()
    gc.set_threshold(_GARBAGE)  # reference counts free what a mail needs; few cycles are made here
    uvloop.run(_send(number))


async def _send(number: int) -> None:
    from morefollows.api.imports.worker import run_imports
    from morefollows.api.webhooks.delivery import run_webhooks
    from morefollows.audit import forwarding
    from morefollows.courier.relays.providers import Providers
    from morefollows.courier.relays.relay_pool import RelayPool
    from morefollows.courier.restore import detection
    from morefollows.courier.sender.scheduler import Scheduler
    from morefollows.helpers.telemetry import tracing
    from morefollows.live.feeds import hub_ping
    from morefollows.nodes import identity, leader
    from morefollows.nodes.heartbeat import NodeHeartbeat
    from morefollows.nodes.models import NodeProcess
    from morefollows.processes.probe_server import process_watched

    config = settings.MOREFOLLOWS
    listener = Listener(config.data)
    await listener.open()
    relays = RelayPool(Providers(_resolver(config)))
    watch = detection.RestoreWatch(detection.state_path(config.data, number))
    process = identity.this_process(config.data, number)
    tracing.begin_tracing(config.derived_key("traces"), f"sender {number}")
    scheduler = Scheduler(process, listener, relays, on_complete=_close, restores=watch)
    _add_relays(config, scheduler, await _once_secured(config.relays_or_inbox))
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, scheduler.stop)
    _watch_settings(loop, scheduler)
    leads = leader.stand("pings, webhooks, forwarding", alone=number == 1)
    works = (hub_ping.run_pings, forwarding.run_forwarding, run_webhooks, run_imports)
    working = asyncio.create_task(leader.lead(leads, *works))

    def stop() -> None:
        loop.call_soon_threadsafe(scheduler.stop)

    beating = NodeHeartbeat(process, NodeProcess.Role.SEND, stop).start()
    try:
        async with process_watched(f"sender {number} sends"):
            await scheduler.run()
    finally:
        working.cancel()
        beating.end()
        watch.keep()
        listener.close()
        await asyncio.to_thread(tracing.flush_traces)


def _close(alert: int) -> None:
    """Ends an alert whose outcomes are all final, in the database and in its trace."""
    from morefollows.courier.alert_trace import trace_alert
    from morefollows.feedback import actions as feedback

    feedback.close(alert)
    trace_alert(alert)


def _watch_settings(loop: asyncio.AbstractEventLoop, scheduler: Scheduler) -> None:
    """Takes changed settings. For those that only a new process takes, ends this one in order.

    `up`, or what else runs senders, starts it again.
    """
    from morefollows.config.editable import EDITABLE
    from morefollows.setup import in_force

    def changed(names: set[str]) -> None:
        if any(EDITABLE[name].acts == "senders" for name in names):
            log.info("the sender starts again, to take the changed settings")
            loop.call_soon_threadsafe(scheduler.stop)

    in_force.watch(changed)


def _resolver(config: Settings) -> Callable[[str], list[str]] | None:
    """Returns the MX lookup, as for sign-ups; None while no mail leaves this machine."""
    if config.resolver == "off" or (config.inbox and not config.resolver):
        return None
    from morefollows.courier.relays.providers import mx_hosts

    return mx_hosts(config.resolver)


async def _once_secured(relays: Collection[RelayAddress]) -> set[str]:
    """Returns the names of those of these relays with which STARTTLS has succeeded before.

    Waits for the database: without it nothing may be sent anyway.
    """
    from django.db import Error as AnyDatabaseError

    from morefollows.courier.relays.once_secured import once_secured

    def ask() -> set[str]:
        try:
            return once_secured(relays)
        finally:
            connection.close()

    while True:
        try:
            return await asyncio.to_thread(ask)
        except AnyDatabaseError as error:
            log.error("the database can't be used: %s", type(error).__name__)
            await asyncio.sleep(1)


def _add_relays(config: Settings, scheduler: Scheduler, secured: Collection[str]) -> None:
    """Adds a queue for each relay. Limits of a relay are divided among the sender processes.

    `secured`: see `_once_secured`.
    """
    from morefollows.config.addresses.relay_address import kind_of
    from morefollows.courier.relays.interface import RelaySetup
    from morefollows.courier.relays.relay_queue import RelayQueue
    from morefollows.courier.relays.relay_weights import RelayWeights

    weighed = any(address.weight for address in config.relays_or_inbox)
    weights = RelayWeights(asyncio.get_running_loop().call_soon) if weighed else None
    reports = scheduler.reports
    for address in config.relays_or_inbox:
        queue = RelayQueue(
            address,
            scheduler.feeder.next_mail,
            senders=config.sender_count,
            connections=address.connections or config.relay_connections,
            on_refused_us=reports.refused_us,
            on_takes_mail=reports.takes_mail,
            weights=weights,
            providers=scheduler.relays.providers,
        )
        setup = RelaySetup(
            connections=max(
                # The relay's limit is for all senders of this machine together.
                1,
                (address.connections or config.relay_connections) // config.sender_count,
            ),
            helo=config.helo or socket.getfqdn(),
            on_trouble=functools.partial(reports.note_trouble, address.name),
            secured=address.name in secured,
            on_secured=functools.partial(reports.note_secured, address.name, address.host_and_port),
            others=len(config.relays_or_inbox) > 1,
            senders=config.sender_count,
            resolver="" if config.resolver == "off" else config.resolver,
            data=config.data,
            on_provider=scheduler.relays.providers.learned,
        )
        queue.attach(kind_of(address.scheme).make(address, queue, setup))
        scheduler.relays.add(queue)
        reports.note_trouble(address.name, None)  # the last sender may have left a note
