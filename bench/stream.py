"""`bench stream`: how many readers one web process keeps up to date, how fast, at what cost."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.processes import sockets

if TYPE_CHECKING:
    from bench.stage import Stage
    from morefollows.stories.models import Story

_NOWHERE = ("127.0.0.1", 9)  # no mail is sent
_ROUNDS = 3  # updates
_POLL = 10.0  # seconds between two requests of one poller
_SETTINGS = {"MOREFOLLOWS_STREAMS": "100000", "MOREFOLLOWS_STREAMS_A_NETWORK": "100000"}


@click.command("stream")
@click.option(
    "--readers",
    type=click.IntRange(10, 60_000),
    default=10_000,
    show_default=True,
    help="Open pages.",
)
@click.option("--alone", is_flag=True, help="Leave the comparisons out.")
@json_option
def bench_stream(readers: int, alone: bool, as_json: bool) -> None:
    """Open the event streams of a live page, tell them updates, and kill the web process under
    them.

    Beside it, the same number of readers on a plain streaming view of Django, and asking every ten
    seconds. Who has not heard of an update after a minute and a half is not waited for. Memory is
    the web process's proportional set size, less what it took before; what the kernel keeps for a
    connection is not in it. Times are from the moment before an update is written to the database,
    to a reader's program having it.
    """
    from bench.race import BenchFailed
    from bench.stage import stage

    report: dict[str, Any] = {"readers": readers}
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    try:
        with tempfile.TemporaryDirectory(prefix="morefollows-") as folder:
            with stage(Path(folder), _NOWHERE, senders=1, settings=_SETTINGS) as product:
                report["ours"] = _ours(product, readers)
                if not alone:
                    report["polling"] = _polling(product, readers)
                    report["django"] = _django(product, readers)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(report)
    else:
        _table(report)


@contextlib.contextmanager
def open_streams(product: Stage, count: int) -> Iterator[None]:
    """Keeps that many pages of one story open. Raises `BenchFailed` if not all could be opened."""
    from bench.race import BenchFailed

    with _Readers(
        product.url, f"/story/{_story(product).uuid}/events/?after=1-1", count, "stream"
    ) as crowd:
        opened = crowd.ask("open")
        if opened["open"] < count:
            raise BenchFailed(f"only {opened['open']} of {count} pages could be opened")
        yield


def _ours(product: Stage, readers: int) -> dict[str, Any]:
    story = _story(product)
    path = f"/story/{story.uuid}/events/?after=1-1"
    with _Readers(product.url, path, readers, "stream") as crowd:
        report = _opened(crowd, readers, product.web, product.url)
        report |= _told(crowd, story)
        os.kill(product.web, signal.SIGKILL)
        id, _ = _tell(story)
        report["storm"] = crowd.ask("back", id)
    return report


def _polling(product: Stage, readers: int) -> dict[str, Any]:
    story = _story(product)
    with _Readers(product.url, f"/story/{story.uuid}/live.json?lang=en", readers, "poll") as crowd:
        crowd.ask("open")
        time.sleep(_POLL)  # until all have asked once, or the server is saturated
        before, began = crowd.ask("count")["answers"], time.monotonic()
        report = _told(crowd, story, rounds=1)
        report["answers_a_second"] = (crowd.ask("count")["answers"] - before) / (
            time.monotonic() - began
        )
    return report


def _django(product: Stage, readers: int) -> dict[str, Any]:
    story = _story(product)
    listening = sockets.listen("127.0.0.1", 0)
    command = [
        sys.executable,
        "-m",
        "bench.django_stream",
        str(listening.fileno()),
        str(story.uuid),
    ]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "morefollows.config.django"}
    server = subprocess.Popen(command, pass_fds=(listening.fileno(),), env=environment)  # noqa: S603 - our own command
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with _Readers(url, "/events/", 1, "stream") as first:  # so that the view is loaded
            first.ask("open")
        with _Readers(url, "/events/", readers, "stream") as crowd:
            return {**_opened(crowd, readers, server.pid, ""), **_told(crowd, story)}
    finally:
        server.kill()
        server.wait()
        listening.close()


def _opened(crowd: _Readers, readers: int, pid: int, url: str) -> dict[str, Any]:
    from bench.stage import memory_of

    if url:
        with _Readers(url, crowd.path, 1, "stream") as first:
            first.ask("open")
    before = memory_of(pid)
    opened = crowd.ask("open")
    return {
        "accepted_a_second": readers / opened["seconds"],
        "kib_each": (memory_of(pid) - before) / 1024 / readers,
    }


def _told(crowd: _Readers, story: Story, rounds: int = _ROUNDS) -> dict[str, Any]:
    """Publishes some updates. Returns the worst times."""
    spreads = []
    for _ in range(rounds):
        id, at = _tell(story)
        spreads.append(crowd.ask("event", f"{at:.6f}", id))
        if spreads[-1]["count"] < crowd.count:  # it is overloaded; another round would not help
            break
        time.sleep(0.5)
    return {
        name: max(spread.get(name, float("inf")) for spread in spreads)
        for name in ("p50", "p99", "last")
    } | {"heard": min(spread["count"] for spread in spreads)}


def _story(product: Stage) -> Story:
    from morefollows.stories.models import Story

    topic, editor = product.topic(), product.editor()
    story = Story.objects.create(
        headline="Lighthouse keeper found safe", text="x", topic=topic, author=editor
    )
    _tell(story)
    return story


def _tell(story: Story) -> tuple[str, float]:
    """Publishes an update. Returns the id of its event, and the time before it."""
    from django.conf import settings
    from django.utils import timezone

    from morefollows import notify
    from morefollows.live.stream import missed_events
    from morefollows.stories.models import Story, Update

    number = 1 + story.updates.count()
    at = time.time()
    text = (
        "The keeper of the Saltmarsh light was found **safe and well**, the harbour office said. "
        * 5
    )
    update = Update.objects.create(
        story=story, number=number, kind="update" if number > 1 else "first",
        headline=story.headline, text=text, language="en", author=story.author,
        published_at=timezone.now(),
    )  # fmt: skip
    Story.objects.filter(pk=story.pk).update(state=Story.State.DEVELOPING)
    notify.announce(settings.MOREFOLLOWS.data, "story")
    return missed_events.update_id(number, number, update.uid), at


class _Readers:
    """Runs `stream_readers` in a process of its own."""

    def __init__(self, url: str, path: str, count: int, kind: str) -> None:
        parts = urlsplit(url)
        self.path = path
        self.count = count
        words = [str(parts.hostname), str(parts.port), path, str(count), kind]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "bench.stream_readers", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        from bench.race import BenchFailed

        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise BenchFailed("the readers’ process ended")
        return dict(json.loads(answer))

    def __enter__(self) -> _Readers:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _table(report: dict[str, Any]) -> None:
    click.echo(
        f"{report['readers']:,} readers; seconds from publication until half, 99 % and all "
        f"of them have an update"
    )
    names = {
        "ours": "event streams",
        "django": "Django's streaming view",
        "polling": "polling every 10 s",
    }
    for key, name in names.items():
        if key in report:
            one = report[key]
            cost = (
                ""
                if key == "polling"
                else f"; {one['kib_each']:.1f} KiB each, {one['accepted_a_second']:,.0f} "
                f"accepted a second"
            )
            spread = f"{one['p50']:7.3f} {one['p99']:7.3f} {one['last']:7.3f}"
            click.echo(f"  {name:<24} {spread}   {one['heard']:,} heard it{cost}")
    if "polling" in report:
        click.echo(
            f"  polling was answered {report['polling']['answers_a_second']:,.0f} times a second"
        )
    storm = report["ours"]["storm"]
    click.echo(
        f"after a kill of the web process: half were back after {storm['p50']:.1f} s, all "
        f"after {storm['last']:.1f} s;"
        f" {storm['heard']:,} heard what they had missed"
    )
