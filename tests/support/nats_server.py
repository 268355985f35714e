"""A NATS server of its own, on a free port of this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.waiting import until


class NatsServer:
    """One server. It can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> NatsServer:
        program = shutil.which("nats-server") or "/usr/sbin/nats-server"
        ports = self._folder / "ports"
        ports.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [program, "-a", "127.0.0.1", "-p", str(self.port), "--ports_file_dir", str(ports)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        file = ports / f"nats-server_{self._process.pid}.ports"

        def told() -> str:
            return file.read_text() if file.exists() else ""

        found = until("the NATS server", told)
        self.port = int(json.loads(found)["nats"][0].rpartition(":")[2])
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
