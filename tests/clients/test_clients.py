"""The Python and the TypeScript client, against a server that runs."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import re
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from morefollows_client import (
    AsyncClient,
    Changed,
    Client,
    Invalid,
    LookAlike,
    MissingScope,
    Retries,
    Unauthorized,
    Unavailable,
    webhooks,
)

from tests.api.support import ALL
from tests.api.test_webhooks import Receiver
from tests.support.installation import Installation
from tests.support.waiting import until

TYPESCRIPT = Path(__file__).parents[2] / "clients" / "typescript"
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Installation]:
    """One for all tests here."""
    made = Installation(api_requests="100000", webhooks_inside="yes")
    try:
        yield made.start("--sample")
    finally:
        made.clear()


@pytest.fixture(scope="module")
def key(newsroom: Installation) -> str:
    return make_key(newsroom, *ALL)


def make_key(newsroom: Installation, *scopes: str) -> str:
    words = [word for scope in scopes for word in ("--scope", scope)]
    role = ("--role", "administrator")
    made = newsroom.command("keys", "add", "CMS", *words, *role, "--json")
    return str(json.loads(made.stdout)["key"])


def headline() -> str:
    return f"Ferry aground {uuid.uuid4()}"


def test_a_story_is_written_sent_and_taken_back(newsroom: Installation, key: str) -> None:
    with Client(newsroom.url, key) as client:
        story = client.create_story(headline=headline(), text="Nobody is **hurt**.")
        assert isinstance(story.id, uuid.UUID) and story.created_at.tzinfo is not None
        changed = client.change_story(story.id, text="All are safe.", if_match=story.revision)
        with pytest.raises(Changed):
            client.change_story(story.id, text="Late", if_match=story.revision)
        alert = client.send_alert(story.id, hold_seconds=60)
        assert (alert.state, alert.headline) == ("held", changed.headline)
        assert client.get_progress(alert.id).accepted == 0
        other = client.create_story(headline=story.headline, text="Again.")
        with pytest.raises(LookAlike) as caught:
            client.send_alert(other.id)
        assert caught.value.alert == str(alert.id)
        assert client.take_back(alert.id).state == "taken back"
        assert str(story.id) in {str(one.id) for one in client.iter_stories(limit=1)}
        assert list(client.export_readers()) == []


def test_what_is_refused_is_raised(newsroom: Installation, key: str) -> None:
    with Client(newsroom.url, key) as client, pytest.raises(Invalid) as invalid:
        client.create_story(headline="", text="Text.")
    assert [one.field for one in invalid.value.errors] == ["headline"]
    assert invalid.value.request_id
    with Client(newsroom.url, "mf_no") as client, pytest.raises(Unauthorized):
        client.list_topics()
    with Client(newsroom.url, make_key(newsroom, "stories:read")) as client:
        with pytest.raises(MissingScope) as missing:
            client.list_topics()
    assert missing.value.scope == "topics:read"


def test_many_at_once(newsroom: Installation, key: str) -> None:
    async def write() -> set[uuid.UUID]:
        async with AsyncClient(newsroom.url, key) as client:
            once = {"headline": headline(), "text": "Text.", "idempotency_key": str(uuid.uuid4())}
            made = await asyncio.gather(*(client.create_story(**once) for _ in range(5)))
            found = {one.id async for one in client.iter_stories(limit=1)}
            assert {one.id for one in made} <= found
            return {one.id for one in made}

    assert len(asyncio.run(write())) == 1


def test_an_event_is_verified(newsroom: Installation, key: str) -> None:
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        with Client(newsroom.url, key) as client:
            made = client.add_webhook(url=receiver.url, events=["alert.sent"])
            client.test_webhook(made.id)
            until("the event", lambda: receiver.got)
            headers, body = receiver.got[0]
            event = webhooks.verify(made.secret, headers, body)
            assert (event.type, event.data) == ("webhook.test", {"webhook": str(made.id)})
            with pytest.raises(webhooks.BadSignature):
                webhooks.verify(made.secret, headers, body + b" ")
            client.remove_webhook(made.id)
    finally:
        receiver.shutdown()
        receiver.server_close()


class _Busy(http.server.BaseHTTPRequestHandler):
    """503 twice, then 201. `keys`: the idempotency keys that came."""

    keys: list[str | None]
    busy = 2

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        done = len(self.keys) > self.busy
        self.send_response(201 if done else 503)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(b"{}" if done else b"<html>")

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.mark.parametrize("tries", [2, 3])
def test_a_busy_server_is_asked_again_with_the_same_key(tries: int) -> None:
    handler = type("Busy", (_Busy,), {"keys": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with Client(url, "mf_x", retries=Retries(tries=tries)) as client:
            if tries == 2:
                with pytest.raises(Unavailable):
                    client.send_alert(uuid.uuid4())
            else:
                client.send_alert(uuid.uuid4())
        server.shutdown()
    assert len(handler.keys) == tries and len(set(handler.keys)) == 1


def test_typescript(newsroom: Installation, key: str) -> None:
    if not (TYPESCRIPT / "node_modules" / ".bin" / "tsc").exists():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=TYPESCRIPT, check=True
        )
    environment = {**os.environ, "URL": newsroom.url, "KEY": key}
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if version.stdout.startswith("v18."):  # Debian 12's; from 20 on `crypto` is there by itself
        environment["NODE_OPTIONS"] = "--experimental-global-webcrypto"
    done = subprocess.run(
        "node_modules/.bin/tsc -p tsconfig.test.json && node --test dist/test/test/",
        shell=True,
        cwd=TYPESCRIPT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_of_readers_is_uploaded_and_comes_out_again(
    newsroom: Installation, key: str
) -> None:
    """Larger than what other requests may have, so that it goes the way of large files."""
    lines = (f"r{number}@reader.example,2024-05-04" for number in range(2_000))
    padding = "," + "x" * 2_000
    file = "email,given_at,note\n" + "\n".join(line + padding for line in lines)
    with Client(newsroom.url, key) as client:
        taken = client.import_readers(
            file.encode(), provenance="At the fair", column=["note=ignore"]
        )
        assert taken.size == len(file) > 2_500_000

        def done() -> bool:
            return client.get_import(taken.id).state not in ("waiting", "running")

        until("the import", done)
        found = client.get_import(taken.id)
        assert (found.state, found.error, found.counts["confirmed"]) == ("finished", "", 2_000)
        assert sum(1 for _one in client.export_readers()) == 2_000
    with Client(newsroom.url, "mf_no") as client, pytest.raises(Exception):  # noqa: B017
        client.import_readers(file.encode())


_EXAMPLES = {
    "publish-hook.md": ("Ferry runs aground", "Lighthouse goes dark"),
    "use-the-api.md": ("", ""),
    "wires-and-feeds.md": ("", ""),
}
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
ITEM = {"uri": "urn:wire:1", "headline": "Ship hits bridge", "body_text": "Six are missing."}


def test_every_example_for_curl_is_run() -> None:
    """Those below `_EXAMPLES` are; there are none on other pages, and none out of such a block."""
    root = HOW_TO.parents[1]
    pages = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("clients/*/*.md")]
    pages += root.glob("integrations/**/*.md")
    for page in pages:
        text = page.read_text()
        text = _BLOCK.sub("", text) if page.name in _EXAMPLES else text
        assert not re.findall(r"^\s*\$? ?curl\s.*", text, re.MULTILINE), page


@pytest.mark.parametrize("page", _EXAMPLES)
def test_the_examples_for_curl_do_what_they_say(
    newsroom: Installation, key: str, page: str, tmp_path: Path
) -> None:
    """As they stand in the documentation, one after the other."""
    (tmp_path / "readers.csv").write_text("email\nfay@reader.example\n")
    (tmp_path / "ferry.txt").write_text(
        "Ferry afloat again\n\nThe ferry is afloat, all are safe.\n"
    )
    (tmp_path / "item.json").write_text(json.dumps(ITEM))
    known = {"URL": newsroom.url, "KEY": key, "ARTICLE_URL": "https://herald.example/17"}
    with Client(newsroom.url, key) as client:
        known["SOURCE"] = str(client.add_source(name=f"Agency {page}", kind="push").id)
    text = (HOW_TO / page).read_text().replace(*_EXAMPLES[page])
    blocks = [one for one in _BLOCK.findall(text) if "curl" in one]
    assert blocks
    for block in blocks:
        kept = f"set -eu\n{block.replace('curl', 'curl -w %{stderr}%{http_code}', 1)}\n"
        done = subprocess.run(
            ["bash", "-c", f"{kept}echo; echo ${{id:-}}"],
            env=os.environ | known,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and done.stderr.startswith("20"), (block, done)
        answer, made = done.stdout.splitlines()
        told = json.loads(answer)
        told = told["story"] if isinstance(told.get("story"), dict) else told
        known |= {"id": made} if made else {}
        known["ALERT" if "held_until" in told else "STORY"] = told.get("id", "")
