"""Access tokens for XOAUTH2 (RFC 6749 §6), for mailboxes at Microsoft 365 and Gmail."""

from __future__ import annotations

import hashlib
import json
import os
import time
import urllib.parse
import urllib.request
from pathlib import Path

from morefollows.config.addresses.intake_address import IntakeAddress

_SECONDS = 20  # for one request
_EARLY = 120.0  # seconds before its end at which a token is renewed
_MOST_ANSWER = 65_536  # octets


class AccessTokens:
    """The access tokens of one mailbox. A new refresh token is kept in the data folder."""

    def __init__(self, receiver: IntakeAddress, data: Path) -> None:
        self._options = receiver.options
        account = f"{receiver.user}\0{receiver.options['client_id']}"
        name = hashlib.sha256(account.encode()).hexdigest()[:16]
        self._file = data / f"refresh-token-{name}"
        self._token, self._until = "", 0.0

    def __call__(self) -> str:
        """Returns a token that is good for now. Raises `OSError`, `ValueError`."""
        if time.time() < self._until - _EARLY:
            return self._token
        answer = self._ask()
        token, seconds = answer.get("access_token"), answer.get("expires_in", 300)
        if not isinstance(token, str) or not isinstance(seconds, int | float | str):
            raise ValueError("the token server's answer has no access_token")
        self._token, self._until = token, time.time() + float(seconds)
        new = answer.get("refresh_token")
        if isinstance(new, str) and new != self._refresh_token():
            self._keep(new)
        return self._token

    def _refresh_token(self) -> str:
        try:
            kept = self._file.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            kept = []
        given = self._options["refresh_token"]
        # A token that somebody has entered since is newer than the one we kept.
        if len(kept) == 2 and kept[0] == hashlib.sha256(given.encode()).hexdigest():
            return kept[1]
        return given

    def _keep(self, token: str) -> None:
        given = hashlib.sha256(self._options["refresh_token"].encode()).hexdigest()
        new = self._file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{given}\n{token}")
        new.replace(self._file)

    def _ask(self) -> dict[str, object]:
        fields = {
            "grant_type": "refresh_token",
            "client_id": self._options["client_id"],
            "refresh_token": self._refresh_token(),
        }
        for name in ("client_secret", "scope"):
            if self._options.get(name):
                fields[name] = self._options[name]
        body = urllib.parse.urlencode(fields).encode()
        # The settings hold the address to https, or to this machine.
        request = urllib.request.Request(self._options["token_url"], body)  # noqa: S310
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            found = json.loads(answer.read(_MOST_ANSWER))
        return found if isinstance(found, dict) else {}
