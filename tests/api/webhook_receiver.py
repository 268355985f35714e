"""``python -m tests.api.webhook_receiver PORT FOLDER``: a receiver of webhooks that misbehaves.

It writes each request to `FOLDER/got`, one JSON object a line, before it answers as `FOLDER/mood`
says: `well`, `slow`, `500`, `redirect` (to the port in `FOLDER/inside`), or `die`: it ends without
an answer. It is a process of its own, so that it can be killed.
"""

from __future__ import annotations

import http.server
import json
import os
import sys
import time
from pathlib import Path

_SLOW = 3.0  # seconds


class _Handler(http.server.BaseHTTPRequestHandler):
    folder: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        mood = (self.folder / "mood").read_text()
        status = {"well": 204, "slow": 204, "500": 500, "redirect": 302, "die": 0}[mood]
        line = json.dumps({"headers": headers, "body": body, "status": status, "at": time.time()})
        with (self.folder / "got").open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        if mood == "die":
            os._exit(9)
        if mood == "slow":
            time.sleep(_SLOW)
        self.send_response(status)
        if mood == "redirect":
            inside = (self.folder / "inside").read_text()
            self.send_header("Location", f"http://127.0.0.1:{inside}/steal")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


def main() -> None:
    port, _Handler.folder = int(sys.argv[1]), Path(sys.argv[2])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), _Handler).serve_forever()


if __name__ == "__main__":
    main()
