"""Builds the image and runs it: PostgreSQL, web, two senders; an alert; a sender that is killed.

`python -m tests.deploy` (`make image OPTIONS=--try`), as root on Debian: it makes a base image with
debootstrap, as no registry need be reachable, and uses buildah, podman and runc without systemd.
Containers have a read-only root, no capability and no root user, as in compose.yaml.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.ports import free_port
from tests.support.postgres import Cluster
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PLACE = Path(os.environ.get("CONTAINERS", "/var/tmp/morefollows-containers"))
STORAGE = f"--storage-driver vfs --root {PLACE}/storage --runroot {PLACE}/run"
PODMAN = ["podman", "--runtime", "runc", *STORAGE.split()]
BASE = "localhost/debian-python"
HARDENED = [
    *("--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all"),
    *("--security-opt", "no-new-privileges"),
    *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"),
]


def call(*command: str, check: bool = True, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=check,
    )
    return done.stdout


def build_base() -> None:
    """A minimal Debian with Python as an image."""
    if BASE in call("buildah", *STORAGE.split(), "images", "--format", "{{.Name}}"):
        return
    root = PLACE / "base"
    call(
        "debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", str(root)
    )
    container = call("buildah", *STORAGE.split(), "from", "scratch").strip()
    call("buildah", *STORAGE.split(), "copy", "-q", container, str(root), "/")
    call("buildah", *STORAGE.split(), "commit", "-q", container, BASE)


def build_image() -> None:
    certificates = "-v /etc/ssl/certs:/etc/ssl/certs:ro"
    call(
        *("tools/image", BASE),
        ENGINE="buildah",
        STORAGE=STORAGE,
        BUILD=f"--isolation chroot {certificates}",
    )


class Containers:
    """The containers of one trial. `options`: settings and volumes that they share."""

    def __init__(self, options: list[str]) -> None:
        self._options = options
        self.names: list[str] = []

    def start(self, name: str, *words: str, **settings: str) -> None:
        chosen = [part for key, value in settings.items() for part in ("-e", f"{key}={value}")]
        full = f"mf-trial-{name}"
        self.names.append(full)
        command = [*PODMAN, "run", "-d", "--name", full, *HARDENED, *self._options, *chosen]
        call(*command, "morefollows", *words)

    def run(self, *words: str) -> str:
        command = [*PODMAN, "run", "--rm", *HARDENED, *self._options, "morefollows", *words]
        return call(*command)

    def health(self, name: str) -> bool:
        command = [*PODMAN, "healthcheck", "run", f"mf-trial-{name}"]
        return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0

    def clear(self) -> None:
        for name in self.names:
            print(call(*PODMAN, "logs", name, check=False)[-2000:])
            call(*PODMAN, "rm", "-f", "-t", "0", name, check=False)


def alive(containers: Containers) -> int:
    told = json.loads(call(*PODMAN, "exec", "mf-trial-web", "morefollows", "status", "--json"))
    return sum(sender["alive"] for sender in told["senders"])


def try_image() -> None:
    with tempfile.TemporaryDirectory(prefix="mf-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        data.mkdir()
        os.chown(data, 10001, 0)
        (data / "story.md").write_text("# The bridge is closed\n\nTrains wait on both sides.\n")
        (data / "story.md").chmod(0o644)
        server = Cluster(Path(folder) / "pg")
        server.make()
        server.start()
        ports = [free_port() for _ in range(4)]
        relay = subprocess.Popen(
            ["smtp-sink", "-u", "nobody", "-c", f"127.0.0.1:{ports[3]}", "1000"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        settings = {
            "DATABASE_URL": server.create("trial"),
            "MOREFOLLOWS_URL": f"http://localhost:{ports[0]}",
            "MOREFOLLOWS_PORT": str(ports[0]),
            "MOREFOLLOWS_RELAY": f"smtp://127.0.0.1:{ports[3]}?tls=never",
            "MOREFOLLOWS_TEST_RELAY": "yes",
            "MOREFOLLOWS_HOLD": "1",
            "MOREFOLLOWS_SENDERS": "2",
        }
        options = ["-v", f"{data}:/data", "-v", f"{folder}/pg:{folder}/pg"]
        options += [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        containers = Containers(options)
        try:
            containers.run("migrate")
            containers.run("prepare", "--sample", "--administrator", "desk@newsroom.example")
            containers.start("web", "web", MOREFOLLOWS_PROBE_PORT="0")
            for number in ("1", "2"):
                port = str(ports[int(number)])
                containers.start(
                    f"send{number}", "send", "--number", number,
                    MOREFOLLOWS_PORT="0", MOREFOLLOWS_PROBE_PORT=port,
                )  # fmt: skip
            for name in ("web", "send1", "send2"):
                until(f"{name} to be healthy", lambda name=name: containers.health(name))  # type: ignore[misc]
            until("two senders", lambda: alive(containers) == 2)
            call(*PODMAN, "exec", "mf-trial-web", "morefollows", "stories", "break",
                 "/data/story.md", "--yes")  # fmt: skip
            until("the alert to be sent", lambda: sent() >= 1)
            call(*PODMAN, "kill", "-s", "KILL", "mf-trial-send1")
            until("one sender", lambda: alive(containers) == 1)
            assert not containers.health("send1")
            print("web, two senders and PostgreSQL: an alert was sent, and one sender went on")
        finally:
            containers.clear()
            relay.kill()
            relay.wait()
            server.stop()


def sent() -> int:
    told = json.loads(call(*PODMAN, "exec", "mf-trial-web", "morefollows", "status", "--json"))
    return int(told["alerts"]["sent"])


if __name__ == "__main__":
    PLACE.mkdir(parents=True, exist_ok=True)
    if "--no-build" not in sys.argv:
        build_base()
        build_image()
    try_image()
