"""What all tests share. Ada edits, Ben reports, Cy reads.

Run on SQLite as they stand, and on PostgreSQL with `TEST_DATABASE=postgres`. Nothing here may import a model
before `ground.lay`: the settings are read once, and must find the test's own folder and database.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.test import override_settings

from tests.support import ground

ground.lay()

# The same examples each time, however busy the machine is. `make histories` looks for new ones.
hypothesis.settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")

pytest_plugins = ["tests.support.people", "tests.support.browser", "tests.support.house"]


def pytest_configure(config: pytest.Config) -> None:
    """The processes that xdist starts lay a ground of their own: they must not find ours in the environment."""
    if config.getoption("dist") != "no" and not hasattr(config, "workerinput"):
        ground.leave()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """SQLite's test database is a file with a write-ahead log, as in the field, not memory."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(ground.folder() / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A cheap hash: the real one takes a third of a second by design. Journeys use the real one."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def own_clock() -> None:
    """Times in this process are by its own clock, which tests set."""
    from morefollows import database_clock

    database_clock.use_own = True


@pytest.fixture
def data() -> Path:
    """The data folder that this test process's settings name."""
    from django.conf import settings

    path: Path = settings.MOREFOLLOWS.data
    return path


@pytest.fixture(scope="session", autouse=True)
def evidence_may_be_cleared_away() -> Iterator[None]:
    """Between two tests, and by nobody else: what keeps evidence is taken away while the tables are emptied."""
    from django.db import connection

    from morefollows import append_only

    flush = connection.ops.execute_sql_flush

    def unprotected(sql_list: list[str]) -> None:
        append_only.take_away("default", plan=["flush"])
        flush(sql_list)
        append_only.make("default")

    connection.ops.execute_sql_flush = unprotected  # type: ignore[method-assign,assignment]
    yield
    connection.ops.execute_sql_flush = flush  # type: ignore[method-assign]
