"""What all tests share. Ada edits, Ben reports, Cy reads.

Run on SQLite as they stand, and on PostgreSQL with `TEST_DATABASE=postgres`. Nothing here may
import a model before `sandbox.set_up`: the settings are read once, and must find the test's own
folder and database.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests.support import prepared, sandbox

gc.disable()  # until all tests are loaded: what is loaded stays
sandbox.set_up()

# The same examples each time, however busy the machine is. `make histories` looks for new ones.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")

#: A test that asks for one of these reads or writes a database; `build` starts the product on one
#: of its own.
_DATABASE_FIXTURES = frozenset({"db", "transactional_db", "build"})

pytest_plugins = [
    *("tests.support.people", "tests.support.browser", "tests.support.installation"),
    "tests.security.scene",
]


def pytest_configure(config: pytest.Config) -> None:
    """Clears the environment for xdist's workers: each sets up a sandbox of its own."""
    if config.getoption("dist") != "no" and not hasattr(config, "workerinput"):
        sandbox.unset_environment()
    else:
        sandbox.cluster()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`TESTS=database` keeps only tests that use a database; `tools/test` runs the others once.

    With `TESTS=quick`, only those that neither use a database nor start a program: `make quick`.
    What is marked `postgres` is left out on SQLite.
    """
    wanted = {
        "all": lambda item: True,
        "database": _uses_database,
        "quick": lambda item: not _uses_database(item) and not _starts_programs(item),
    }[os.environ.get("TESTS", "all")]
    here = os.environ.get("TEST_DATABASE", "sqlite")
    left, out = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        elsewhere = here == "sqlite" and item.get_closest_marker("postgres")
        (left if wanted(item) and not elsewhere else out).append(item)
    config.hook.pytest_deselected(items=out)
    items[:] = left


def pytest_collection_finish() -> None:
    """Leaves what was loaded out of every later collection of garbage."""
    gc.enable()
    gc.collect()
    gc.freeze()


def _uses_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    marked = any(item.get_closest_marker(name) for name in ("django_db", "postgres"))
    return marked or not _DATABASE_FIXTURES.isdisjoint(fixtures)


def _starts_programs(item: pytest.Item) -> bool:
    module = getattr(item, "module", None)
    return any(
        hasattr(module, name)
        for name in ("subprocess", "Installation", "bench", "sync_playwright", "Page")
    )


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A cheap hash: the real one takes a third of a second by design. Journeys use the real one."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Each test client makes the middleware anew, which would read all static files again."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    find, found = WhiteNoiseMiddleware.add_files_from_finders, dict[str, Any]()

    def find_once(middleware: Any) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files = dict(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_clock() -> None:
    """Times in this process are by its own clock, which tests set."""
    from morefollows.database import clock

    clock.use_own = True


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page in another language leaves it active in its thread, here for the tests after it."""
    yield
    translation.deactivate()


@pytest.fixture
def data() -> Path:
    """The data folder that this test process's settings name."""
    from django.conf import settings

    path: Path = settings.MOREFOLLOWS.data
    return path


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The test database, a copy of one after all migrations. `emptying` clears up in it.

    SQLite's is a file with a write-ahead log, as in the field, not memory. It need not survive a
    power failure, so that no commit waits for the disk.
    """
    from django.db import connection

    from tests.support import emptying

    connection.close()
    if cluster := sandbox.cluster():
        cluster.create("test", "plain")
        connection.settings_dict["NAME"] = "test"
    else:
        file = sandbox.folder() / "test.sqlite3"
        shutil.copy(prepared.sqlite() / "plain" / "morefollows.sqlite3", file)
        connection.settings_dict["NAME"] = str(file)
        connection.settings_dict["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"
    with django_db_blocker.unblock():
        emptying.triggers_as_migrated()
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    """After a test that commits, the database is emptied by `emptying`, not by `flush`."""
    from tests.support import emptying

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: emptying.empty())
        yield
