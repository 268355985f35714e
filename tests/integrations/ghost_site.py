"""A real Ghost 6 on SQLite. `tools/ghost-install` has put it into a folder, with its own Node."""

from __future__ import annotations

import http.cookies
import json
import os
import shutil
import subprocess
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.support import web
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE, until

INSTALLED = Path(__file__).parents[2] / "build" / "ghost"
_OWNER = {"email": "ada@herald.example", "password": "Nightjar-Harbour-7391"}


class GhostSite:
    """One site in a folder of its own, and its owner, signed in to the Admin API."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gh-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._cookie = ""

    def start(self) -> GhostSite:
        """Starts it on an empty database, sets it up, and signs in."""
        content = self.folder / "content"
        shutil.copytree(INSTALLED / "package" / "content", content)
        for name in ("data", "logs", "images", "settings", "public", "files", "media"):
            (content / name).mkdir(exist_ok=True)
        settings = {
            "NODE_ENV": "production",
            "url": self.url,
            "server__host": "127.0.0.1",
            "server__port": str(self.port),
            "database__client": "better-sqlite3",
            "database__connection__filename": str(content / "data" / "ghost.db"),
            "database__useNullAsDefault": "true",
            "paths__contentPath": str(content),
            "security__staffDeviceVerification": "false",
            "security__allowWebhookInternalIPs": "true",
            "mail__transport": "SMTP",
            "mail__options__host": "127.0.0.1",
            "mail__options__port": "9",
            "privacy__useUpdateCheck": "false",
            "privacy__useGravatar": "false",
            "logging__transports": '["stdout"]',
        }
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [str(INSTALLED / "node"), "index.js"],
                cwd=INSTALLED / "package",
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until("Ghost", self._answers, 5 * PATIENCE)
        owner = _OWNER | {"name": "Ada", "blogTitle": "The Harbour Herald"}
        self.ask("POST", "authentication/setup/", {"setup": [owner]})
        signed_in = {"username": _OWNER["email"], "password": _OWNER["password"]}
        self.ask("POST", "session/", signed_in)
        return self

    def _answers(self) -> bool:
        try:
            return web.request("GET", f"{self.url}/ghost/api/admin/site/").status == 200
        except (OSError, HTTPException):
            return False

    def ask(self, method: str, path: str, body: Any) -> Any:
        """A request of the Admin API."""
        answer = web.request(
            method,
            f"{self.url}/ghost/api/admin/{path}",
            json.dumps(body).encode(),
            Content_Type="application/json",
            Origin=self.url,
            Cookie=self._cookie,
        )
        assert answer.status < 300, (path, answer.status, answer.body)
        for header in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(header).items():
                self._cookie = f"{name}={morsel.value}"
        return json.loads(answer.body) if answer.body.startswith(b"{") else None

    def add_webhooks(self, url: str, secret: str) -> None:
        """As an administrator does in Settings, Integrations."""
        made = self.ask("POST", "integrations/", {"integrations": [{"name": "More Follows"}]})
        for event in ("post.published", "post.published.edited", "post.unpublished"):
            hook = {
                "name": event,
                "event": event,
                "target_url": url,
                "secret": secret,
                "integration_id": made["integrations"][0]["id"],
            }
            self.ask("POST", "webhooks/", {"webhooks": [hook]})

    def save(self, post: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Saves a post, new or known. Returns it as Ghost has it."""
        known = f"{post['id']}/" if "id" in post else ""
        sent = changes if not known else {"updated_at": post["updated_at"], **changes}
        answer = self.ask(
            "PUT" if known else "POST", f"posts/{known}?source=html", {"posts": [post | sent]}
        )
        saved: dict[str, Any] = answer["posts"][0]
        return {name: saved[name] for name in ("id", "updated_at", "title", "status")}

    def stop(self) -> None:
        """Ends it and deletes its folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
