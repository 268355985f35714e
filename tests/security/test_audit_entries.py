"""What changes something leaves an entry in the activity log, or is listed here with the reason.

Routes and commands are run. Actions are read: one that writes has to reach `audit.actions.record`.
"""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from django.db import transaction

import morefollows
from morefollows.audience import sites
from morefollows.audience.models import Suppression
from morefollows.audit.models import AuditEntry
from morefollows.cli.main import cli, run
from tests.security.scene import Cell, Scene, request
from tests.security.test_permissions import documented
from tests.support.people import drill_reader
from tests.support.routes import routes

# -- routes ----------------------------------------------------------------------------------------

#: Routes that take POST and leave no entry, by the reason.
_NO_ENTRY = {
    "the reader's own action: the evidence of consent has it": (
        *("sign-up", "box", "follow", "mute", "confirm", "leave", "preferences", "erase"),
        *("drills-accept", "new-address", "manage"),
    ),
    "asks or shows, and keeps nothing that outlives the page": (
        *("story-here", "story-outside", "story-live", "story-live-mail", "api-not-found"),
    ),
    "a part of a draft: that it was saved is an entry": ("image-add",),
    "by a machine that proves itself, and kept as an incoming mail": ("hook",),
    "by a hub that proves itself, and kept as an item": ("websub",),
}
#: What a form needs beside `scene.request`.
_MORE_FIELDS: dict[str, dict[str, str]] = {
    "reader-withdraw": {"topic": "breaking"},
    "suppressions-lift": {"reason": "desk"},
    "story-withdraw": {"reason": "It was wrong.", "audience": "page"},
    "site-add": {"address": "https://new.example"},
}
_EXCEPTED = {name for names in _NO_ENTRY.values() for name in names}


@pytest.mark.django_db
def test_every_route_that_changes_something_leaves_an_entry(scene: Scene) -> None:
    drills = drill_reader("gus@reader.example")
    sites.add_site("https://other.example")
    posted = {name for name, method, _object in documented() if method == "POST"}
    silent = set()
    for route in routes():
        if route.name not in posted:
            continue
        object = "other’s" if "uuid" in route.parts else "–"
        address, form = request(scene, Cell(route, "POST", object, "administrator"))
        form |= _MORE_FIELDS.get(route.name, {})
        if route.name == "drill-remove":
            form["reader"] = str(drills.pk)
        with transaction.atomic():
            before = AuditEntry.objects.count()
            scene.clients["administrator"].post(address, form)
            if AuditEntry.objects.count() == before and not _may_record(route.view):
                silent.add(route.name)
            transaction.set_rollback(True)
        scene.clients["administrator"].force_login(scene.people["administrator"])
    assert silent - _EXCEPTED == set(), "these leave no entry"
    assert {name for name in _EXCEPTED if name in posted} - silent == set(), "these do leave one"


def _may_record(view: Callable[..., Any]) -> bool:
    """Whether the view's code reaches the log. No scene has all that every form asks for.

    The view has a name of a module's top level.
    """
    inner = inspect.unwrap(view)
    return _RECORD in _reached(f"{inner.__module__}.{inner.__name__}")


# -- commands --------------------------------------------------------------------------------------

_READ_ONLY = (
    *("editors list", "topics", "sites", "consent show", "suppressions list", "alerts show"),
    *("log list", "log verify", "doctor", "relays list", "dkim show", "settings get"),
    *("sources", "sources list", "sources check", "seeds"),
    *("settings list", "intake status", "relays test", "keys", "ghost", "nodes list"),
    "status",
)
_PROCESSES = (
    *("up", "demo", "migrate", "web", "desk", "send", "intake", "inbox", "prepare", "tidy"),
    "fork-server",
    *("intake judge", "intake pipe", "readers work-off", "ingest", "watcher"),
    "housekeeping",  # clears away what settings say; each change of those is an entry
)


def _commands(command: click.Command, path: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        if command.invoke_without_command:
            yield path
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _commands(below, f"{path} {name}".strip())
    else:
        yield path


def _file(folder: Path, text: str) -> str:
    file = folder / "file"
    file.write_text(text)
    return str(file)


def _suppressed(_folder: Path) -> list[str]:
    run(["suppressions", "import", _file(_folder, "eve@reader.example\n"), "--reason", "desk"])
    assert Suppression.objects.exists()
    return ["suppressions", "lift", "eve@reader.example"]


def _with_seed(action: str) -> list[str]:
    """The command for a seed inbox that is made first."""
    assert run(["seeds", "add", "a@seed.example", _SEED_URL, "--name", "Seed"]) == 0
    return ["seeds", action, "Seed"]


def _with_source(action: str) -> list[str]:
    run(["sources", "add", "Wire", "--kind", "push"])
    return ["sources", action, "Wire"]


#: A command that changes something → its words, which work in a fresh newsroom.
_SEED_URL = "imap://seed:secret@127.0.0.1:1/INBOX"
_CHANGING: dict[str, Callable[[Path], list[str]]] = {
    "newsroom": lambda _: ["newsroom", "--name", "The Harbour Post"],
    "editors add": lambda _: ["editors", "add", "eli@herald.example", "--name", "Eli"],
    "editors invite": lambda _: ["editors", "invite", "eli@herald.example", "--name", "Eli"],
    "editors role": lambda _: ["editors", "role", "ada@herald.example", "reporter"],
    "editors rights": lambda _: ["editors", "rights", "ada@herald.example", "--offers", "yes"],
    "editors disable": lambda _: ["editors", "disable", "ada@herald.example"],
    "editors enable": lambda _: (
        run(["editors", "disable", "ada@herald.example"])
        or ["editors", "enable", "ada@herald.example"]
    ),
    "editors reset": lambda _: ["editors", "reset", "ada@herald.example"],
    "editors sessions": lambda _: ["editors", "sessions", "ada@herald.example", "--end"],
    "editors offers": lambda _: ["editors", "offers", "ada@herald.example"],
    "sources add": lambda _: ["sources", "add", "Wire", "--kind", "push"],
    "sources pause": lambda _: _with_source("pause"),
    "sources change": lambda _: [*_with_source("change"), "--every", "60"],
    "sources resume": lambda _: run(_with_source("pause")) or ["sources", "resume", "Wire"],
    "sources remove": lambda _: _with_source("remove"),
    "seeds add": lambda _: ["seeds", "add", "a@seed.example", _SEED_URL, "--name", "Seed"],
    "seeds pause": lambda _: _with_seed("pause"),
    "seeds resume": lambda _: run(_with_seed("pause")) or ["seeds", "resume", "Seed"],
    "seeds remove": lambda _: _with_seed("remove"),
    "topics add": lambda _: ["topics", "add", "sport", "--name", "Sport"],
    "sites add": lambda _: ["sites", "add", "https://herald.example"],
    "readers export": lambda folder: ["readers", "export", str(folder / "out.csv")],
    "readers import": lambda folder: [
        *("readers", "import", _file(folder, "email\neve@reader.example\n"), "--yes"),
    ],
    "suppressions import": lambda folder: [
        *("suppressions", "import", _file(folder, "eve@reader.example\n"), "--reason", "desk"),
    ],
    "suppressions lift": _suppressed,
    "topics change": lambda _: ["topics", "change", "politics", "--name", "City hall"],
    "topics order": lambda _: ["topics", "order", "weather", "politics", "breaking"],
    "topics retire": lambda _: ["topics", "retire", "weather"],
    "topics bring-back": lambda _: (
        run(["topics", "retire", "weather"]) or ["topics", "bring-back", "weather"]
    ),
    "topics merge": lambda _: ["topics", "merge", "weather", "politics", "--yes"],
    "topics invitation": lambda _: ["topics", "invitation", "politics", "--renew"],
    "settings set": lambda _: ["settings", "set", "hold", "12"],
    "settings unset": lambda _: (
        run(["settings", "set", "hold", "12"]) or ["settings", "unset", "hold"]
    ),
    "brand": lambda _: ["brand", "--main", "#8a1122"],
    "relays add": lambda _: ["relays", "add", "smtp://127.0.0.1:2599"],
    "relays remove": lambda _: (
        run(["relays", "add", "smtp://127.0.0.1:2599"]) or ["relays", "remove", "127.0.0.1:2599"]
    ),
    "dkim new": lambda _: ["dkim", "new"],
    "ghost add": lambda _: ["ghost", "add", "Our Ghost"],
    "keys add": lambda _: ["keys", "add", "Archive", "--scope", "stories:read"],
    "log export": lambda folder: ["log", "export", str(folder / "log.csv")],
}
#: Commands whose entries are held by a test elsewhere, as they need more than a fresh newsroom.
_ELSEWHERE = {
    "sites remove": "tests/desk/test_activity_log.py",
    "stories break": "tests/stories/test_transitions.py",
    "stories draft": "tests/cli/test_reading_files.py",
    "departures replay": "tests/audience/test_departures.py",
    "backup": "tests/backups/test_schedule.py",
    "restore": "tests/journeys/test_restore.py",
    "finish-restore": "tests/journeys/test_restore.py",
    "migrate-database": "tests/journeys/test_move_to_postgres.py",
    "restores go-on": "tests/courier/restore/test_detection.py",
    "nodes forget": "tests/nodes/test_registry.py",
    "secret rotate": "tests/config/test_keyring.py",
    "secret replace": "tests/config/test_keyring.py",
    "dkim use": "tests/setup",
    "keys revoke": "tests/api",
    "ghost remove": "tests/api/test_ghost.py",
    "ghost catch-up": "tests/api/test_ghost.py",
}


def test_every_command_is_known_to_change_something_or_not() -> None:
    known = {*_READ_ONLY, *_PROCESSES, *_CHANGING, *_ELSEWHERE}
    assert set(_commands(cli)) - known == set()
    assert known - set(_commands(cli)) == set()


@pytest.mark.parametrize("command", sorted(_CHANGING))
def test_every_command_that_changes_something_leaves_an_entry(
    command: str, cy: object, ada: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = _CHANGING[command](tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    before = AuditEntry.objects.count()
    assert run(words) == 0
    [*_, entry] = AuditEntry.objects.order_by("pk")[before:]
    assert entry.operator and entry.editor is None, "the operating-system user did it"


# -- actions ---------------------------------------------------------------------------------------

_RECORD = "morefollows.audit.actions.record"
_SOURCE = Path(morefollows.__file__).parent
_WRITES = {
    *("save", "create", "update", "delete", "get_or_create", "update_or_create"),
    *("bulk_create", "bulk_update"),
}
_QUIET = {
    "the reader's own action: the evidence of consent has it": (
        *("audience.consent.confirmation.confirm", "audience.consent.withdrawal.unsubscribe"),
        *("audience.consent.withdrawal.withdraw_consent", "audience.preferences.actions"),
        "audience.preferences.address_change",
        "stories.drafts.actions.set_story_preference",
    ),
    "of readers, by a caller that writes the entry or is a reader": (
        *("audience.erasure.erase", "audience.suppression.suppressing.suppress_readers"),
        *("audience.suppression.actions.suppress", "audience.suppression.actions.forgive"),
    ),
    "a part of other actions, which write the entry": (
        *("audience.topics.actions.write_topic", "setup.actions.note_change"),
        *("accounts.actions.add_editor", "stories.actions.free_number"),
    ),
    "housekeeping: by settings, each of whose changes is an entry": (
        *(
            "audience.consent.retention.expire_unconfirmed",
            "audience.consent.retention.shorten_client_addresses",
        ),
        "api.imports.actions.forget_imports",
        *(
            "audience.consent.retention.forget_broken_imports",
            "stories.images.actions.delete_unused",
        ),
    ),
    "the watcher's own book-keeping": ("feedback.arrival.actions",),
    "an import writes its entries itself": ("api.imports.actions.import_next",),
    "the senders' own book-keeping": (
        *("courier.relay_pauses.claim_trials", "courier.relay_pauses.try_soon"),
        *("courier.actions.note_trouble", "courier.relays.once_secured"),
        *("nodes.actions.register", "nodes.actions.write_heartbeat"),
        *("nodes.actions.write_steps", "nodes.actions.leave_registry"),
        "nodes.actions.forget_silent",
        *("live.feeds.ping_queue", "feedback.intake.actions", "stories.images.actions"),
        "courier.relay_pauses.resume_relay",
    ),
}


@cache
def _module(name: str) -> tuple[dict[str, ast.stmt], dict[str, str]]:
    """The functions and classes of a module, and what its imports name: name → dotted name."""
    path = _SOURCE / (name.removeprefix("morefollows.").replace(".", "/") + ".py")
    if not path.exists():
        path = path.with_suffix("") / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    functions: dict[str, ast.stmt] = {
        node.name: node for node in tree.body if isinstance(node, kinds)
    }
    named = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return functions, named


@cache
def _named_in(module: str, function: str) -> frozenset[str]:
    """Dotted names of what a function or class names; methods that it calls as ".name"."""
    functions, named = _module(module)
    found = set()
    for node in ast.walk(functions[function]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.add(f".{node.func.attr}")
        if isinstance(node, ast.Name):
            name = node.id
            found.add(f"{module}.{name}" if name in functions else named.get(name, name))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{named.get(node.value.id, '')}.{node.attr}")
    return frozenset(found)


def _reached(name: str) -> set[str]:
    """All that a function names, and those name, as far as they are of the package."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        module, _, function = one.rpartition(".")
        if one.startswith("morefollows.") and function in _module(module)[0]:
            waiting += _named_in(module, function)
    return seen


#: Modules of actions with a name of their own.
_MORE_ACTIONS = (
    *("audience/erasure.py", "audience/suppression/suppressing.py", "live/feeds/ping_queue.py"),
    *("courier/sender/sleep_gap.py", "stories/alerts/late_alerts.py"),
    *("courier/relays/once_secured.py", "courier/relay_pauses.py"),
    *(f"audience/consent/{name}.py" for name in ("confirmation", "retention", "withdrawal")),
    "audience/preferences/address_change.py",
)


def _actions() -> Iterator[str]:
    named = [_SOURCE / name for name in _MORE_ACTIONS]
    for path in (*sorted(_SOURCE.rglob("*actions.py")), *named):
        module = ".".join(("morefollows", *path.relative_to(_SOURCE).with_suffix("").parts))
        yield from (
            f"{module}.{name}"
            for name, node in _module(module)[0].items()
            if not name.startswith("_") and isinstance(node, ast.FunctionDef)
        )


def test_every_action_that_writes_reaches_the_log() -> None:
    excepted = {f"morefollows.{name}" for names in _QUIET.values() for name in names}
    silent = set()
    for name in _actions():
        reached = _reached(name)
        writes = any(f".{verb}" in reached for verb in _WRITES)
        if writes and _RECORD not in reached:
            silent.add(name)
    known = {name for name in silent if {name, name.rpartition(".")[0]} & excepted}
    assert silent - known == set(), "these write and leave no entry"
    needed = {one for name in known for one in (name, name.rpartition(".")[0])}
    assert excepted - needed == set(), "these are gone, write nothing, or leave an entry"
