"""`up` starts, supervises and stops all processes; with real ones and a data folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from morefollows.cli.demo.visitor import Visitor
from morefollows.processes import lock
from tests.support.installation import Installation
from tests.support.waiting import until

Build = Callable[..., Installation]


@pytest.fixture(scope="module")
def standing() -> Iterator[Installation]:
    """One for all tests here that leave it as it was."""
    installation = Installation(hold="2").start("--sample")
    yield installation
    installation.clear()
    assert "Traceback (most recent call last)" not in installation.output


def processes(installation: Installation) -> dict[str, int]:
    told = lock.running_up(installation.data)
    assert told is not None
    found: dict[str, int] = told["processes"]
    return found


def alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_the_first_start_has_all_that_is_needed(standing: Installation) -> None:
    assert set(processes(standing)) == {"web", "desk", "sender 1", "inbox"}
    assert "nothing leaves this machine" in standing.output
    assert f"{standing.url}/desk/" in standing.output
    assert urllib.request.urlopen(standing.invitation).status == 200
    assert urllib.request.urlopen(f"{standing.url}/inbox/").status == 200
    topics = json.loads(standing.command("topics", "--json").stdout)
    assert topics[0]["slug"] == "breaking"


def test_the_link_is_printed_until_somebody_has_used_it(build: Build) -> None:
    installation = build().start("--administrator", "Ada@Herald.example")
    assert (
        json.loads(installation.command("editors", "list", "--json").stdout)[0]["email"]
        == "ada@herald.example"
    )
    installation.stop()
    installation.log.unlink()
    installation.start()
    assert urllib.request.urlopen(installation.invitation).status == 200


def test_an_administrator_without_an_address_is_refused(build: Build) -> None:
    done = build().command("up", "--administrator", "ada", check=False)
    assert done.returncode == 2
    told = [
        line for line in done.stderr.splitlines() if "is still being" not in line
    ]  # busy machines
    assert len(told) == 1 and told[0].startswith("--administrator: "), done.stderr


def test_a_second_one_on_the_same_folder_says_so_and_does_not_start(standing: Installation) -> None:
    second = standing.command("up", check=False)
    assert second.returncode == 1
    told = lock.running_up(standing.data)
    assert told is not None
    assert f"process {told['pid']}, {standing.url}" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert urllib.request.urlopen(f"{standing.url}/desk/sign-in/").status == 200


def test_a_sender_of_its_own_does_not_run_beside_it(standing: Installation) -> None:
    sender = standing.command("send", "--number", "2", check=False)
    assert sender.returncode == 1
    assert "MOREFOLLOWS_SENDERS" in sender.stderr


def test_default_ports_in_use_are_named_and_others_taken(build: Build) -> None:
    with contextlib.ExitStack() as taken:
        for port in (8025, 2525):
            with contextlib.suppress(OSError):  # whoever has it: it is in use
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        links = {"port_8025_tcp": "tcp://10.0.0.1:8025", "port": "tcp://10.0.0.1:8025"}
        installation = build(**{**links, "inbox_port": None}).start()
        for port, name in ((8025, "MOREFOLLOWS_PORT"), (2525, "MOREFOLLOWS_INBOX_PORT")):
            assert re.search(
                rf"Port {port} is in use by another program; taking \d+ instead. \({name}",
                installation.output,
            )
        assert ":8025" not in installation.url
        assert (
            "Kubernetes or Docker tells: MOREFOLLOWS_PORT, MOREFOLLOWS_PORT_8025_TCP"
            in installation.output
        )
        assert urllib.request.urlopen(f"{installation.url}/desk/sign-in/").status == 200


@pytest.mark.parametrize("name", ["port", "inbox_port"])
def test_a_port_that_somebody_has_chosen_is_not_swapped(build: Build, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        done = build(**{name: str(port)}).command("up", check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"MOREFOLLOWS_{name.upper()}: port {port} is in use by another program; end that one, or "
        "choose another port"
    )


def test_a_default_port_that_links_lead_to_is_not_swapped(build: Build) -> None:
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):
            taken.enter_context(socket.create_server(("127.0.0.1", 8025)))
        done = build(port=None, url="https://alerts.herald.example").command("up", check=False)
    assert (done.returncode, "MOREFOLLOWS_PORT: port 8025 is in use" in done.stderr) == (2, True)


def test_a_url_of_this_machine_names_the_port(build: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    installation = build(port=None, url=f"http://localhost:{port}").start()
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/desk/sign-in/").status == 200
    assert f"http://localhost:{port}/desk/" in installation.output


def test_on_a_database_of_a_newer_version_nothing_starts(build: Build, tmp_path: Path) -> None:
    installation = build()
    installation.prepare()
    (tmp_path / "story.md").write_text("Headline\n\nText.\n")
    story = str(tmp_path / "story.md")
    commands = [
        "up",
        "migrate",
        "web",
        "send",
        "tidy",
        "topics",
        f"stories break {story} --yes",
        "doctor",
    ]
    installation.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('stories', '9999_later', "
        "'2099-01-01')"
    )
    for command in commands:
        done = installation.command(*command.split(), check=False)
        said = done.stdout if command == "doctor" else done.stderr
        assert done.returncode == 1 and "stories.9999_later" in said and "newer version" in said, (
            command,
            said,
        )
        assert "Traceback" not in done.stderr
    installation.execute(
        "UPDATE django_migrations SET app = 'satellites' WHERE name = '9999_later'"
    )
    assert "satellites.9999_later" in installation.command("topics", check=False).stderr


def test_a_database_from_before_the_first_release_is_refused(build: Build) -> None:
    installation = build()
    installation.prepare()
    installation.execute("UPDATE django_migrations SET app = 'bulletin' WHERE app = 'stories'")
    for command in ("up", "migrate", "web", "send", "topics", "doctor"):
        done = installation.command(command, check=False)
        said = done.stdout if command == "doctor" else done.stderr
        assert (
            done.returncode == 1 and "before its first release" in said and "readers export" in said
        ), (command, said)
        assert "Traceback" not in done.stderr


def test_what_a_sender_told_of_its_relay_is_forgotten_when_it_is_gone(build: Build) -> None:
    installation = build(relay="smtp://127.0.0.1:9")
    installation.start("--sample")
    until("the sender to note its relay", lambda: installation.query("SELECT 1 FROM courier_relay"))
    installation.stop()
    installation.execute(
        "UPDATE courier_relay SET trouble = 'It can''t be reached.', trouble_since = '2026-01-01 "
        "00:00:00+00:00'"
    )
    assert installation.query("SELECT trouble FROM courier_relay") == [("It can't be reached.",)]
    installation.start()
    until(
        "the warning to go",
        lambda: (
            installation.query("SELECT trouble FROM courier_relay") != [("It can't be reached.",)]
        ),
        60,
    )


def test_links_made_beside_it_have_the_address_that_it_really_has(standing: Installation) -> None:
    added = json.loads(
        standing.command("editors", "add", "ben@herald.example", "--name", "Ben", "--json").stdout
    )
    assert added["link"].startswith(standing.url)
    assert urllib.request.urlopen(added["link"]).status == 200


def test_a_host_that_is_not_ours_is_refused(build: Build) -> None:
    done = build(host="192.0.2.1").command("up", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("MOREFOLLOWS_HOST: ")


@pytest.mark.parametrize("name", ["web", "desk", "sender 1", "inbox"])
def test_a_process_that_dies_is_started_again(standing: Installation, name: str) -> None:
    before = processes(standing)
    os.kill(before[name], signal.SIGKILL)
    until("another process", lambda: processes(standing).get(name) not in (None, before[name]))
    assert urllib.request.urlopen(f"{standing.url}/inbox/").status == 200
    assert f"the process {name} ended (signal SIGKILL)" in standing.output


def test_a_sender_that_cannot_live_takes_nobody_with_it(build: Build) -> None:
    """It is killed whenever it starts until the desk is told. Everything else goes on."""
    installation = build().start("--sample")
    desk = Visitor()
    desk.submit(
        desk.open(installation.invitation).form("password"),
        password="a long walk along the harbour",
    )
    uuid = UUID(str(installation.query("SELECT uuid FROM stories_story")[0][0]))
    check = f"{installation.url}/desk/story/{uuid}/check/"
    assert "stops each time it is started" not in desk.open(check).html

    def failing() -> list[str]:
        told = lock.running_up(installation.data) or {}
        if pid := told.get("processes", {}).get("sender 1"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return list(told.get("failing", []))

    assert until("the word that it fails", failing, 120) == ["sender 1"]
    assert "times in a row; it is tried again in" in installation.output
    assert "The process “sender 1” stops each time it is started." in desk.open(check).html
    assert urllib.request.urlopen(f"{installation.url}/").status == 200
    until(
        "a sender that lives", lambda: not (lock.running_up(installation.data) or {}).get("failing")
    )
    assert "sender 1" in processes(installation)
    assert "stops each time it is started" not in desk.open(check).html


def test_requests_wait_while_the_web_server_is_started_again(standing: Installation) -> None:
    url = f"{standing.url}/desk/sign-in/"
    os.kill(processes(standing)["web"], signal.SIGKILL)
    assert urllib.request.urlopen(url, timeout=120).status == 200


def test_it_ends_in_order(installation: Installation) -> None:
    children = processes(installation).values()
    installation.stop()
    assert not any(alive(pid) for pid in children)
    assert lock.running_up(installation.data) is None


def test_an_open_event_stream_does_not_hold_it_up(installation: Installation) -> None:
    """A desk that somebody looks at while `up` is ended."""
    desk = Visitor()
    desk.submit(
        desk.open(installation.invitation).form("password"),
        password="a long walk along the harbour",
    )
    story = installation.data / "story.txt"
    story.write_text("Harbour bridge closed\n\nNobody is hurt.\n")
    words = [
        sys.executable,
        "-m",
        "morefollows",
        "stories",
        "break",
        str(story),
        "--hold",
        "300",
        "--yes",
    ]
    watching = subprocess.Popen(
        words, env=installation.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        page = until(
            "the alert",
            lambda: re.search(r"/desk/alert/[^/]+/", desk.open(f"{installation.url}/desk/").html),
        )
        with desk._opener.open(f"{installation.url}{page[0]}stream/", timeout=120) as events:
            assert events.readline()
            installation.stop()
            with contextlib.suppress(
                http.client.IncompleteRead
            ):  # cut off: the browser asks again by itself
                events.read()
    finally:
        watching.kill()
        watching.wait()
    assert "graceful shutdown exceeded" not in installation.output


def test_a_client_that_dawdles_does_not_hold_it_up(installation: Installation) -> None:
    with socket.create_connection(("127.0.0.1", int(installation.url.rpartition(":")[2]))) as held:
        held.sendall(b"GET /desk/ HTTP/1.1\r\nHost: 127.0.0.1\r\n")  # and no more
        installation.stop()


def test_when_it_is_killed_its_processes_end(installation: Installation) -> None:
    told = lock.running_up(installation.data)
    assert told is not None
    children = told["processes"].values()
    os.kill(told["pid"], signal.SIGKILL)
    until("the end of its processes", lambda: not any(alive(pid) for pid in children))


def test_after_a_kill_it_starts_again_on_the_same_folder(installation: Installation) -> None:
    told = lock.running_up(installation.data)
    assert told is not None
    os.kill(told["pid"], signal.SIGKILL)
    installation.kill()
    installation.start()
    assert len(json.loads(installation.command("editors", "list", "--json").stdout)) == 1


def test_a_process_that_cannot_live_is_given_up(build: Build) -> None:
    """The folder for sockets can't be made: neither sender nor web server can start."""
    installation = build()
    installation.data.mkdir()
    (installation.data / "line").touch()
    done = installation.command("up", check=False)
    assert done.returncode == 1
    assert re.search("dies each time it is started|The web server does not answer", done.stderr)


def test_doctor_finds_nothing_wrong(standing: Installation) -> None:
    report = json.loads(standing.command("doctor", "--json").stdout)
    assert report["ok"]
    checks = {check["check"]: check for check in report["checks"]}
    assert standing.url in checks["up"]["message"]
    assert checks["relay"]["state"] == "note"


def test_a_relay_leaves_the_inbox_out(build: Build) -> None:
    installation = build(relay="smtp://127.0.0.1:9").start("--sample")
    assert "inbox" not in processes(installation)
    assert "127.0.0.1:9" in installation.output
    assert "nothing leaves" not in installation.output
    with pytest.raises(urllib.request.HTTPError, match="404"):
        urllib.request.urlopen(f"{installation.url}/inbox/")


def test_ctrl_c_ends_it_as_well(build: Build) -> None:
    """The terminal sends SIGINT to the whole group."""
    installation = build().start()
    told = lock.running_up(installation.data)
    assert told is not None
    os.killpg(told["pid"], signal.SIGINT)
    assert installation._wait() == 0
    assert not any(alive(pid) for pid in told["processes"].values())


def test_ctrl_c_twice_is_no_error_either(build: Build) -> None:
    installation = build().start()
    told = lock.running_up(installation.data)
    assert told is not None
    os.kill(
        told["pid"], signal.SIGTERM
    )  # it passes this on to the web server, which then hears the second one
    time.sleep(0.05)
    os.killpg(told["pid"], signal.SIGINT)
    assert installation._wait() == 0
    assert "Traceback" not in installation.output


def test_ended_while_it_starts_it_leaves_nothing_running(build: Build) -> None:
    installation = build().start("--sample", wait=False)
    until("the lock", lambda: lock.running_up(installation.data))
    assert installation._up is not None
    installation._up.terminate()
    assert installation._wait() == 130
    until("its processes to let the lock go", lambda: lock.running_up(installation.data) is None)
    installation.start("--sample")
    assert json.loads(installation.command("topics", "--json").stdout)[0]["slug"] == "breaking"


def test_the_processes_are_few_and_ours(standing: Installation) -> None:
    """No child of a child: nothing that `up` does not know of."""
    for pid in processes(standing).values():
        found = subprocess.run(
            ["pgrep", "-P", str(pid)], capture_output=True, text=True
        ).stdout.split()
        assert found == []
