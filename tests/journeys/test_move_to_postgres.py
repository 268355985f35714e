"""From SQLite to PostgreSQL with readers, consent, seals and links in mail: all of it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.faults.visitors import find_link, press_button, sign_up
from tests.support.installation import Installation

pytestmark = pytest.mark.postgres

ANN, BOB, CY = "ann@reader.example", "bob@reader.example", "cy@reader.example"
_SEAL = """
from datetime import timedelta
from morefollows.processes import bootstrap
bootstrap.start_django()
from morefollows.audience.consent import seals
seals.seal(settled=timedelta(0))
print(seals.seal(settled=timedelta(0)))
"""


def link(installation: Installation, address: str) -> str:
    return find_link(installation.wait_for_mails(address, seconds=60)[-1].content, "/confirm/")


def test_everything_goes_on_in_postgresql(build: Callable[..., Installation]) -> None:
    installation = build(bare=True)
    url = installation.environment.pop("DATABASE_URL")
    installation.start("--sample")
    for address in (ANN, BOB, CY):
        assert sign_up(installation.url, address, "10.0.0.1")
    assert press_button(installation.url, link(installation, ANN)) == 200
    waiting = link(installation, BOB)
    last = installation.query("SELECT seq FROM sqlite_sequence WHERE name = 'audience_reader'")
    busy = installation.command("migrate-database", url, check=False)
    assert busy.returncode == 1 and "already runs" in busy.stderr
    installation.stop()
    sealed = subprocess.run(
        [sys.executable, "-c", _SEAL], env=installation.environment, text=True, capture_output=True
    )
    assert sealed.returncode == 0 and int(sealed.stdout) > 0, sealed.stderr

    told = installation.command("migrate-database", "-", "--json", input=url + "\n").stdout
    tables = json.loads(told)["tables"]
    assert tables["audience_reader"]["rows"] == 3 and tables["audience_seal"]["rows"] > 0
    for words in (("migrate",), ("send",), ("migrate-database", url)):
        refused = installation.command(*words, check=False)
        assert refused.returncode == 1 and "moved to PostgreSQL" in refused.stderr, refused

    installation.environment["DATABASE_URL"] = url
    checks = json.loads(installation.command("doctor", "--evidence", "--json", check=False).stdout)
    evidence = [one for one in checks["checks"] if one["check"] == "evidence"]
    assert [one["state"] for one in evidence] == ["ok"], evidence
    assert "0 seals" not in evidence[0]["message"]
    assert installation.query("SELECT 1 FROM audit_auditentry WHERE what = 'move database'")
    installation.start()
    assert press_button(installation.url, waiting) == 200, "a link of before is good"
    assert sign_up(installation.url, "new@reader.example", "10.0.0.2")
    [(newest,)] = installation.query("SELECT max(id) FROM audience_reader")
    assert newest > last[0][0], "no row number is used twice"
