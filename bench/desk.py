"""`bench desk`: how long each page takes with a million readers, at the desk and in public."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench import large_newsroom, postgres
from bench.large_newsroom import Size
from bench.race import BenchFailed
from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.processes import bootstrap

_LIMIT_MS = 100.0
_YEAR_LIMIT_MS = 200.0  # growth of a year
_SENDS = 10  # drafts that are left for the last page, which sends one each time


class Page(NamedTuple):
    """One page, as it was measured."""

    name: str
    first_ms: float  #: the first request, when nothing of it has been read yet
    median_ms: float
    most_ms: float
    limit_ms: float


@click.command("desk")
@click.option(
    "--readers",
    type=click.IntRange(1_000, 10_000_000),
    default=1_000_000,
    show_default=True,
    help="Fictional ones; three of ten have the topic whose alerts are measured.",
)
@click.option("--postgres", "on_postgres", is_flag=True, help="On a PostgreSQL of its own.")
@click.option("--rounds", type=click.IntRange(1, 100), default=7, show_default=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the SQLite file there, and use the one that is there.",
)
@json_option
def bench_desk(
    readers: int, on_postgres: bool, rounds: int, folder: Path | None, as_json: bool
) -> None:
    """Make a newsroom of 200 topics, 2,000 stories and 60 alerts, and open each page in turn.

    In one process, without the web server before it. It fails if a page takes more than 100 ms in
    the median, growth of a year more than 200.
    """
    size = Size(readers=readers)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mf-")))
        place.mkdir(parents=True, exist_ok=True)
        url = stack.enter_context(postgres.server(place)) if on_postgres else ""
        try:
            pages = measure(size, place / "data", url, rounds, as_json)
        except BenchFailed as error:
            raise CommandFailed(str(error)) from None
        from django.db import connections

        connections.close_all()
    if as_json:
        tell_json({"readers": readers, "pages": [page._asdict() for page in pages]})
    slow = [page.name for page in pages if page.median_ms > page.limit_ms]
    if slow:
        raise CommandFailed(f"slower than their limit: {', '.join(slow)}")


def measure(size: Size, data: Path, url: str, rounds: int, quiet: bool) -> list[Page]:
    """Raises `BenchFailed` if a page is not answered."""
    for name in [name for name in os.environ if name.startswith(("MOREFOLLOWS_", "DJANGO_"))]:
        del os.environ[name]
    os.environ |= {
        "MOREFOLLOWS_DATA": str(data),
        "MOREFOLLOWS_URL": "http://localhost",
        "MOREFOLLOWS_RELAY": "smtp://127.0.0.1:9?tls=never",
        "MOREFOLLOWS_TEST_RELAY": "yes",
        "MOREFOLLOWS_RESOLVER": "off",
        "MOREFOLLOWS_LOG_LEVEL": "error",
        "MOREFOLLOWS_FOUR_EYES": "never",
        **({"DATABASE_URL": url} if url else {}),
    }
    made = not (data / "morefollows.sqlite3").exists()
    data.mkdir(parents=True, exist_ok=True)
    bootstrap.load_django()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)

    def tell(words: str) -> None:
        if not quiet:
            click.echo(f"filling the database: {words}", err=True)

    if made or url:
        large_newsroom.fill(size, tell)
    pages = []
    for name, ask, limit in _pages():
        pages.append(_page(name, ask, limit, rounds))
        if not quiet:
            _tell_page(pages[-1])
    return pages


def _page(name: str, ask: Callable[[], Any], limit: float, rounds: int) -> Page:
    times = []
    for _round in range(rounds + 1):
        began = time.perf_counter()
        answer = ask()
        times.append(1000 * (time.perf_counter() - began))
        if answer.status_code not in (200, 302, 404):
            raise BenchFailed(f"{name}: answered {answer.status_code}")
        for counting in threading.enumerate():  # see `audience.statistics.count_cache`
            if counting.name == "figures":
                counting.join()
    return Page(name, times[0], statistics.median(times[1:]), max(times[1:]), limit)


def _pages() -> Iterator[tuple[str, Callable[[], Any], float]]:
    """Each page's name, what asks for it, and how long it may take."""
    from django.test import Client

    from morefollows.accounts.models import Editor

    desk, public = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    desk.force_login(Editor.objects.get(email="ada@herald.example"))
    for path in _desk_paths():
        limit = _YEAR_LIMIT_MS if path.endswith("days=365") else _LIMIT_MS
        yield path, lambda path=path: desk.get(path), limit  # type: ignore[misc]
    for path in _public_paths():
        yield path, lambda path=path: public.get(path), _LIMIT_MS  # type: ignore[misc]
    yield from _posts(desk)


def _desk_paths() -> list[str]:
    from django.urls import reverse

    from morefollows.audience.models import Reader
    from morefollows.stories.models import Alert, Story

    draft = Story.objects.filter(state=Story.State.DRAFT).latest("pk")
    live = Story.objects.filter(state=Story.State.LIVE, updates__alerts__isnull=False).latest("pk")
    running = Alert.objects.filter(state=Alert.State.SENDING).latest("pk")
    sent = Alert.objects.filter(state=Alert.State.SENT).latest("pk")
    reader = Reader.objects.filter(state="confirmed", subscriptions__topic=live.topic).latest("pk")
    plain = (
        "desk", "home-parts", "go", "story-new", "offers", "drills", "wire", "came-back",
        "replies", "log", "sites", "audience", "suppressions", "settings-newsroom",
        "settings-brand", "settings-topics", "settings-delivery", "settings-rules",
        "settings-sign-ups", "settings-retention", "sources", "api-keys", "webhooks", "words",
        "machines", "relays", "people", "account", "deleted-drafts",
    )  # fmt: skip
    return [
        *(reverse(name) for name in plain),
        reverse("desk") + "?q=harbour",
        reverse("desk") + "?q=number+1999",
        reverse("desk") + "?state=corrected",
        reverse("go") + "?q=harbour",
        reverse("audience") + "?days=90",
        reverse("audience") + "?days=365",
        reverse("settings-topic", args=[running.topic.slug if running.topic else ""]),
        reverse("story-edit", args=[draft.uuid]),
        reverse("story-check", args=[draft.uuid]),
        reverse("story-mail", args=[draft.uuid]),
        reverse("story-develop", args=[live.uuid]),
        reverse("story-withdraw", args=[live.uuid]),
        reverse("alert", args=[running.uuid]),
        reverse("alert", args=[sent.uuid]),
        reverse("alert-figures", args=[sent.uuid]),
        reverse("alert-curve", args=[sent.uuid]),
        reverse("alert-compare", args=[sent.uuid]),
        reverse("reader", args=[reader.pk]),
        reverse("reader-evidence", args=[reader.pk]),
    ]


def _public_paths() -> list[str]:
    from django.urls import reverse

    from morefollows.stories.models import Alert

    sent = Alert.objects.filter(state=Alert.State.SENT).latest("pk")
    story, topic = sent.update.story, sent.topic
    slug = topic.slug if topic else ""
    feeds = ("atom", "rss", "json", "ninjs")
    return [
        "/",
        reverse("stories"),
        reverse("stories") + "?q=harbour",
        reverse("stories") + "?q=nothing+has+this",
        reverse("manage"),
        reverse("sign-up", args=[slug]),
        reverse("privacy"),
        reverse("story", args=[story.uuid]),
        reverse("story-json", args=[story.uuid]),
        reverse("ninjs", args=[story.uuid, 1]),
        *(reverse("topic-feed", args=[slug, name]) for name in feeds if _has_feed(name)),
        *(reverse("story-feed", args=[story.uuid, name]) for name in feeds if _has_feed(name)),
        reverse("news-sitemap"),
    ]


def _has_feed(name: str) -> bool:
    from morefollows.live.feeds.entries import FORMATS

    return name in FORMATS


def _posts(desk: Any) -> Iterator[tuple[str, Callable[[], Any], float]]:
    from django.urls import reverse

    from morefollows.stories.models import Story

    drafts = list(Story.objects.filter(state=Story.State.DRAFT).order_by("pk"))
    typed = {
        "uuid": str(drafts[0].uuid),
        "headline": "Harbour bridge closed after ferry collision",
        "text": "The bridge was closed at 19:52.",
        "topic": str(drafts[0].topic_id),
        "language": "en",
        "revision": "1",
        "audience": "topic",
    }
    found = {"address": "nobody@reader.example"}
    yield "what is typed", lambda: desk.post(reverse("story-live"), typed), _LIMIT_MS
    yield (
        "find a reader, whom nobody is",
        lambda: desk.post(reverse("reader-find"), found),
        _LIMIT_MS,
    )

    def send() -> Any:
        uuid = drafts.pop().uuid
        answer = desk.post(reverse("story-send", args=[uuid]), typed)
        if "/desk/alert/" not in answer.get("Location", ""):
            raise BenchFailed(f"Send: answered {answer.status_code} {answer.get('Location', '')}")
        return answer

    if len(drafts) > _SENDS:
        yield "Send", send, _LIMIT_MS


def _tell_page(page: Page) -> None:
    mark = " *" if page.median_ms > page.limit_ms else ""
    click.echo(
        f"{page.name[:60]:<60} first {page.first_ms:>6.0f} ms, median {page.median_ms:>6.0f} ms,"
        f" at most {page.most_ms:>6.0f} ms{mark}"
    )
