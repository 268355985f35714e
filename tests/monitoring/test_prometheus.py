"""A real Prometheus scrapes a web process, and fires when the only sender is killed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.waiting import until

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"
TOKEN = "a word for the watchman"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts programs, and ends them after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: str, **options: Any) -> subprocess.Popen[bytes]:
        with (tmp_path / "output").open("ab") as output:
            started.append(
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options
                )
            )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
    print((tmp_path / "output").read_text(errors="replace")[-10_000:])


def fetched(url: str, token: str = "") -> Any:
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def configured(folder: Path, target: int) -> None:
    """The example configuration and rules, with short times and the token."""
    rules = (DEPLOY / "rules.yml").read_text()
    (folder / "rules.yml").write_text(re.sub(r"for: \d+[sm]", "for: 0s", rules))
    (folder / "token").write_text(TOKEN)
    config = (DEPLOY / "prometheus.yml").read_text()
    for old, new in (
        ("scrape_interval: 10s", "scrape_interval: 1s"),
        ("evaluation_interval: 10s", "evaluation_interval: 1s"),
        (
            "    # authorization:\n    #   credentials_file: /etc/prometheus/morefollows-token",
            f"    authorization:\n      credentials_file: {folder}/token",
        ),
        ("127.0.0.1:8025", f"127.0.0.1:{target}"),
    ):
        assert old in config, old
        config = config.replace(old, new)
    (folder / "prometheus.yml").write_text(config)


def test_a_sender_that_is_killed_sets_off_the_alert(
    build: Callable[..., Installation], start: Start, tmp_path: Path
) -> None:
    port, watcher = free_port(), free_port()
    installation = build(port=str(port), metrics_token=TOKEN)
    installation.prepare()
    morefollows = (sys.executable, "-m", "morefollows")
    environment = {"env": installation.environment}
    start(*morefollows, "web", **environment)
    sender = start(*morefollows, "send", **environment)
    configured(tmp_path, port)
    start(
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{watcher}",
    )

    def firing() -> set[str]:
        found = fetched(f"http://127.0.0.1:{watcher}/api/v1/alerts")
        alerts = found["data"]["alerts"] if found else []
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}

    def value(query: str) -> str:
        url = f"http://127.0.0.1:{watcher}/api/v1/query?query={query}"
        found = fetched(url)
        result = found["data"]["result"] if found else []
        return str(result[0]["value"][1]) if result else ""

    until("a sender that is seen alive", lambda: value("morefollows_senders_alive") == "1")
    until("quiet", lambda: "MoreFollowsNoSender" not in firing())
    assert fetched(f"http://127.0.0.1:{port}/readyz?full")["ready"] is True
    sender.kill()
    until("the alert", lambda: {"MoreFollowsNoSender", "MoreFollowsSenderLost"} <= firing())
    assert "MoreFollowsDatabaseDown" not in firing()


def test_the_rules_are_well_formed_and_do_what_they_say() -> None:
    for words in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ):
        done = subprocess.run(["promtool", *words], cwd=DEPLOY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboard_ask_for_figures_that_there_are() -> None:
    import inspect

    from morefollows.monitoring import metrics
    from morefollows.processes.web import application

    source = inspect.getsource(metrics) + inspect.getsource(application)
    made = {f"morefollows_{name}" for name in re.findall(r'"([a-z_]+)"', source)}
    made |= {f"morefollows_relay_{name}" for name in re.findall(r'\("([a-z_]+)", "', source)}
    made.add("morefollows_relay_mails_total")
    for file in (DEPLOY / "rules.yml", DEPLOY.parent / "grafana" / "dashboard.json"):
        asked = set(re.findall(r"\bmorefollows_[a-z_]+", file.read_text()))
        assert asked <= made, (file.name, asked - made)


def test_every_rule_is_explained() -> None:
    page = (DEPLOY.parents[1] / "docs" / "how-to" / "watch.md").read_text()
    for name in re.findall(r"- alert: (\w+)", (DEPLOY / "rules.yml").read_text()):
        assert f"`{name}`" in page, name
