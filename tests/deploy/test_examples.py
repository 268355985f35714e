"""The files in `deploy/`: nginx and Caddy really stand in front of a running product, with TLS."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pytest

from tests.support import sandbox
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.scripted_relay import Certificate
from tests.support.waiting import PATIENCE, until

DEPLOY = Path(__file__).parents[2] / "deploy"
HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=()",
    "referrer-policy": "same-origin",
}


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, port: int, upstream: int, certificate: Certificate) -> list[str]:
    """The example as it is, but for names, ports and paths, in a main file that runs it here."""
    site = changed(
        (DEPLOY / "nginx.conf").read_text(),
        ("127.0.0.1:8025", f"127.0.0.1:{upstream}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("server_name alerts.example.org;", "server_name localhost;"),
        ("/etc/letsencrypt/live/alerts.example.org/fullchain.pem", str(certificate.path)),
        ("/etc/letsencrypt/live/alerts.example.org/privkey.pem", str(certificate.key)),
    )
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;\n"
        f"events {{}}\nhttp {{\n{paths}{site}}}\n"
    )
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    return [binary, "-c", str(folder / "nginx.conf"), "-e", f"{folder}/log"]


def caddy(folder: Path, port: int, upstream: int, certificate: Certificate) -> list[str]:
    site = changed(
        (DEPLOY / "Caddyfile").read_text(),
        ("127.0.0.1:8025", f"127.0.0.1:{upstream}"),
        (
            "\nalerts.example.org {",
            f"\nhttps://localhost:{port} {{\n\ttls {certificate.path} {certificate.key}",
        ),
    )
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    (folder / "Caddyfile").write_text(options + site)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


class Proxy:
    """A proxy with TLS in front of an installation, asked by curl."""

    def __init__(self, url: str, certificate: Certificate) -> None:
        self.url = url
        self._certificate = certificate

    def curl(self, path: str, *options: str, check: bool = True) -> str:
        done = subprocess.run(
            [
                *("curl", "-sS", "--http2", "--max-time", "20", "--cacert"),
                *(str(self._certificate.path), *options, f"{self.url}{path}"),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Proxy | Installation]]:
    """One installation, and both proxies in front of it."""
    folder = tmp_path_factory.mktemp("proxies")
    certificate = Certificate.make(folder, "localhost")
    installation = Installation(
        url="https://localhost", trusted_proxies="1", hold="0", sign_up_seconds="0"
    ).start("--sample")
    upstream = int(urlsplit(installation.address).port or 0)
    with contextlib.ExitStack() as stack:
        found: dict[str, Proxy | Installation] = {"installation": installation}
        for name, make in (("nginx", nginx), ("caddy", caddy)):
            place, port = folder / name, free_port()
            place.mkdir()
            environment = {"HOME": str(place), "PATH": "/usr/sbin:/usr/bin:/bin"}
            process = subprocess.Popen(
                make(place, port, upstream, certificate),
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            proxy = Proxy(f"https://localhost:{port}", certificate)
            until(f"{name}", lambda proxy=proxy: "<html" in proxy.curl("/", check=False))  # type: ignore[misc]
            found[name] = proxy
        yield found
    installation.clear()
    assert "Traceback (most recent call last)" not in installation.output


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_the_examples_serve_tls_with_http_2_and_pass_headers_and_address(
    behind: dict[str, Proxy | Installation], name: str
) -> None:
    proxy, installation = behind[name], behind["installation"]
    assert isinstance(proxy, Proxy) and isinstance(installation, Installation)
    for path in ("/", "/desk/sign-in/", "/static/public/reader.css", "/no/such/page"):
        head, _, _ = proxy.curl(path, "-D", "-", "-o", "/dev/null").partition("\n\n")
        assert head.startswith("HTTP/2 "), head
        given = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        for header, value in HEADERS.items():
            assert value in given.get(header, ""), (path, header, given)
        for cookie in re.findall(r"(?im)^set-cookie: (.*)$", head):
            assert cookie.startswith("__Host-") and "Secure" in cookie and "Path=/" in cookie
    known = {
        **json.loads(proxy.curl("/box/breaking/")),
        **json.loads(proxy.curl("/box/breaking/ticket/")),
    }
    form = {"email": f"cy@{name}.example", "shown": known["shown"], "ticket": known["ticket"]}
    answer = proxy.curl(
        *("/box/breaking/", "--interface", "127.0.0.9", "-H", "X-Forwarded-For: 192.0.2.66"),
        *("-H", "Forwarded: for=192.0.2.66", "--data", urlencode(form)),
    )
    assert json.loads(answer) == {"state": "thanks"}
    places = installation.query("SELECT DISTINCT client_address FROM audience_consent")
    assert {str(place) for (place,) in places} <= {"127.0.0.9", ""}
    assert ("127.0.0.9",) in places


def test_event_streams_are_not_held_back(
    behind: dict[str, Proxy | Installation], tmp_path: Path
) -> None:
    installation = behind["installation"]
    assert isinstance(installation, Installation)
    (tmp_path / "story.md").write_text("# The bridge is closed\n\nTrains wait on both sides.\n")
    installation.command("stories", "break", str(tmp_path / "story.md"), "--yes")

    def story() -> str:
        rows = installation.query("SELECT story_id FROM stories_update WHERE number = 1")
        keys = ", ".join(str(row[0]) for row in rows)
        found = installation.query(f"SELECT uuid FROM stories_story WHERE id IN ({keys or 0})")
        for (uuid,) in found:
            page = f"/story/{UUID(str(uuid))}/"
            if "The bridge is closed" in proxy.curl(page, check=False):
                return page
        return ""

    for name in ("nginx", "caddy"):
        proxy = behind[name]
        assert isinstance(proxy, Proxy)
        page = until("the story", story)
        began = time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            told = proxy.curl(f"{page}events/", "-N", "--max-time", "3", check=False)
        assert "retry: " in told, told
        assert time.monotonic() - began < PATIENCE


UNITS = [DEPLOY / "morefollows.service", *sorted((DEPLOY / "systemd").glob("*"))]


def test_the_units_are_well_formed() -> None:
    folder = sandbox.folder() / "units"
    folder.mkdir()
    for unit in UNITS:
        text = unit.read_text().replace("/opt/morefollows/app/.venv/bin/morefollows", "/bin/true")
        (folder / unit.name).write_text(text)
    names = [unit.name.replace("@.", "@1.") for unit in UNITS]
    verified = subprocess.run(
        ["systemd-analyze", "verify", *names],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
    )
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name
)
def test_the_unit_is_hardened(unit: Path) -> None:
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(unit)],
        capture_output=True,
        text=True,
        check=True,
    )
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout)
    assert level is not None and float(level[1]) <= 2.0, judged.stdout


def test_the_install_guide_leads_to_these_files() -> None:
    guide = (DEPLOY.parent / "docs" / "how-to" / "install.md").read_text()
    for file in DEPLOY.iterdir():
        assert f"deploy/{file.name}" in guide
