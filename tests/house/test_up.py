"""`up`: starts everything, keeps it going, ends it; with real processes on a data folder of their own."""

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
from collections.abc import Callable
from pathlib import Path

import pytest

from morefollows.run import lock
from morefollows.run.visitor import Visitor
from tests.support.house import House
from tests.support.waiting import until

Build = Callable[..., House]


def processes(house: House) -> dict[str, int]:
    told = lock.running(house.data)
    assert told is not None
    found: dict[str, int] = told["processes"]
    return found


def alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_the_first_start_has_all_that_is_needed(house: House) -> None:
    assert set(processes(house)) == {"web", "sender 1", "inbox"}
    assert "nothing leaves this machine" in house.said
    assert f"{house.url}/desk/" in house.said
    assert urllib.request.urlopen(house.invitation).status == 200
    assert urllib.request.urlopen(f"{house.url}/inbox/").status == 200
    topics = json.loads(house.command("topics", "--json").stdout)
    assert topics[0]["slug"] == "breaking"


def test_it_starts_quickly(build: Build) -> None:
    began = time.monotonic()
    build().start("--sample")
    assert time.monotonic() - began < 60  # what we promise; two or three seconds on an idle machine


def test_the_link_is_printed_until_somebody_has_used_it(build: Build) -> None:
    house = build().start("--administrator", "Ada@Herald.example")
    assert json.loads(house.command("editors", "list", "--json").stdout)[0]["email"] == "ada@herald.example"
    house.stop()
    house.log.unlink()
    house.start()
    assert urllib.request.urlopen(house.invitation).status == 200


def test_an_administrator_without_an_address_is_refused(build: Build) -> None:
    done = build().command("up", "--administrator", "ada", check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"--administrator: .*\n", done.stderr), done.stderr


def test_a_second_one_on_the_same_folder_says_so_and_does_not_start(house: House) -> None:
    second = house.command("up", check=False)
    assert second.returncode == 1
    told = lock.running(house.data)
    assert told is not None
    assert f"process {told['pid']}, {house.url}" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert urllib.request.urlopen(f"{house.url}/desk/sign-in/").status == 200


def test_a_sender_of_its_own_does_not_run_beside_it(house: House) -> None:
    sender = house.command("send", "--number", "2", check=False)
    assert sender.returncode == 1
    assert "MOREFOLLOWS_SENDERS" in sender.stderr


def test_ports_in_use_are_named_and_others_taken(build: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        taken = [ear.getsockname()[1] for ear in (one, two)]
        house = build(port=str(taken[0]), inbox_port=str(taken[1])).start()
        for port, name in zip(taken, ("MOREFOLLOWS_PORT", "MOREFOLLOWS_INBOX_PORT"), strict=True):
            assert re.search(rf"Port {port} is in use; taking \d+ instead. \({name}", house.said)
        assert str(taken[0]) not in house.url
        assert urllib.request.urlopen(f"{house.url}/desk/sign-in/").status == 200


def test_links_made_beside_it_have_the_address_that_it_really_has(house: House) -> None:
    added = json.loads(house.command("editors", "add", "ben@herald.example", "--name", "Ben", "--json").stdout)
    assert added["link"].startswith(house.url)
    assert urllib.request.urlopen(added["link"]).status == 200


def test_a_host_that_is_not_ours_is_refused(build: Build) -> None:
    done = build(host="192.0.2.1").command("up", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("MOREFOLLOWS_HOST: ")


@pytest.mark.parametrize("name", ["web", "sender 1", "inbox"])
def test_a_process_that_dies_is_started_again(house: House, name: str) -> None:
    before = processes(house)
    os.kill(before[name], signal.SIGKILL)
    until("another process", lambda: processes(house).get(name) not in (None, before[name]))
    assert urllib.request.urlopen(f"{house.url}/inbox/").status == 200
    assert f"the process {name} ended (signal SIGKILL)" in house.said


def test_requests_wait_while_the_web_server_is_started_again(house: House) -> None:
    url = f"{house.url}/desk/sign-in/"
    os.kill(processes(house)["web"], signal.SIGKILL)
    assert urllib.request.urlopen(url, timeout=30).status == 200


def test_it_ends_in_order_within_ten_seconds(house: House) -> None:
    children = processes(house).values()
    began = time.monotonic()
    house.stop()
    assert time.monotonic() - began < 10
    assert not any(alive(pid) for pid in children)
    assert lock.running(house.data) is None


def test_an_open_event_stream_does_not_hold_it_up(house: House) -> None:
    """A desk that somebody looks at while `up` is ended."""
    desk = Visitor()
    desk.submit(desk.open(house.invitation).form("password"), password="a long walk along the harbour")
    story = house.data / "story.txt"
    story.write_text("Harbour bridge closed\n\nNobody is hurt.\n")
    words = [sys.executable, "-m", "morefollows", "stories", "break", str(story), "--hold", "300", "--yes"]
    watching = subprocess.Popen(words, env=house.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        page = until("the alert", lambda: re.search(r"/desk/alert/[^/]+/", desk.open(f"{house.url}/desk/").html))
        with desk._opener.open(f"{house.url}{page[0]}stream/", timeout=15) as events:
            assert events.readline()
            began = time.monotonic()
            house.stop()
            assert time.monotonic() - began < 10
            with contextlib.suppress(http.client.IncompleteRead):  # cut off: the browser asks again by itself
                events.read()
    finally:
        watching.kill()
        watching.wait()
    assert "graceful shutdown exceeded" not in house.said


def test_a_client_that_dawdles_does_not_hold_it_up(house: House) -> None:
    with socket.create_connection(("127.0.0.1", int(house.url.rpartition(":")[2]))) as held:
        held.sendall(b"GET /desk/ HTTP/1.1\r\nHost: 127.0.0.1\r\n")  # and no more
        began = time.monotonic()
        house.stop()
        assert time.monotonic() - began < 10


def test_when_it_is_killed_its_processes_end(house: House) -> None:
    told = lock.running(house.data)
    assert told is not None
    children = told["processes"].values()
    os.kill(told["pid"], signal.SIGKILL)
    until("the end of its processes", lambda: not any(alive(pid) for pid in children), 12)


def test_after_a_kill_it_starts_again_on_the_same_folder(house: House) -> None:
    told = lock.running(house.data)
    assert told is not None
    os.kill(told["pid"], signal.SIGKILL)
    house.kill()
    house.start()
    assert len(json.loads(house.command("editors", "list", "--json").stdout)) == 1


def test_a_process_that_cannot_live_is_given_up(build: Build) -> None:
    """A folder where the sockets of the processes should be can't be made: neither sender nor web server can start."""
    house = build()
    house.data.mkdir()
    (house.data / "line").touch()
    done = house.command("up", check=False)
    assert done.returncode == 1
    assert re.search("dies each time it is started|The web server does not answer", done.stderr)


def test_doctor_finds_nothing_wrong(house: House) -> None:
    report = json.loads(house.command("doctor", "--json").stdout)
    assert report["ok"]
    checks = {check["check"]: check for check in report["checks"]}
    assert house.url in checks["up"]["words"]
    assert checks["relay"]["state"] == "note"


def test_a_relay_leaves_the_inbox_out(build: Build) -> None:
    house = build(relay="smtp://127.0.0.1:9").start("--sample")
    assert "inbox" not in processes(house)
    assert "127.0.0.1:9" in house.said
    assert "nothing leaves" not in house.said
    with pytest.raises(urllib.request.HTTPError, match="404"):
        urllib.request.urlopen(f"{house.url}/inbox/")


def test_ctrl_c_ends_it_as_well(build: Build) -> None:
    """The terminal sends SIGINT to the whole group."""
    house = build().start()
    told = lock.running(house.data)
    assert told is not None
    os.killpg(told["pid"], signal.SIGINT)
    assert house._wait() == 0
    assert not any(alive(pid) for pid in told["processes"].values())


def test_ctrl_c_twice_is_no_error_either(build: Build) -> None:
    house = build().start()
    told = lock.running(house.data)
    assert told is not None
    os.kill(told["pid"], signal.SIGTERM)  # it passes this on to the web server, which then hears the second one
    time.sleep(0.05)
    os.killpg(told["pid"], signal.SIGINT)
    assert house._wait() == 0
    assert "Traceback" not in house.said


def test_ended_while_it_starts_it_leaves_nothing_running(build: Build) -> None:
    house = build().start("--sample", wait=False)
    until("the lock", lambda: lock.running(house.data))
    assert house._up is not None
    house._up.terminate()
    assert house._wait() == 130
    until("its processes to let the lock go", lambda: lock.running(house.data) is None)
    house.start("--sample")
    assert json.loads(house.command("topics", "--json").stdout)[0]["slug"] == "breaking"


def test_the_processes_are_few_and_ours(house: House) -> None:
    """No child of a child: nothing that `up` does not know of."""
    for pid in processes(house).values():
        found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
        assert found == []
