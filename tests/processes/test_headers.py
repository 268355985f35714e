"""What every response carries, and how cookies are named, over TLS and without."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from morefollows.processes.logs import BriefRefusals, OneLine

LOOK = """
import json
from morefollows.processes import bootstrap
bootstrap.start_django(check=False)
from django.conf import settings
from morefollows.processes.web import headers
print(json.dumps([headers.EVERYWHERE, settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME,
                  settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_PATH]))
"""


@pytest.mark.parametrize("url", ["https://alerts.herald.example", "http://127.0.0.1:8025"])
def test_over_tls_there_is_more(tmp_path: Path, url: str) -> None:
    environment = {**os.environ, "MOREFOLLOWS_DATA": str(tmp_path), "MOREFOLLOWS_URL": url}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True
    )
    headers, session, csrf, secure, path = json.loads(done.stdout)
    tls = url.startswith("https")
    assert ("Strict-Transport-Security" in headers) is tls
    assert session.startswith("__Host-") is csrf.startswith("__Host-") is secure is tls
    assert path == "/"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_where_to_report_a_weakness(client: Client, settings: Settings) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.MOREFOLLOWS = replace(
        settings.MOREFOLLOWS, security_contact="mailto:security@herald.example"
    )
    page = client.get("/.well-known/security.txt")
    assert page["Content-Type"] == "text/plain; charset=utf-8"
    lines = dict(line.split(": ", 1) for line in page.content.decode().splitlines())
    assert lines["Contact"] == "mailto:security@herald.example"
    assert lines["Canonical"].endswith("/.well-known/security.txt")
    assert lines["Expires"].endswith("T00:00:00Z")


@pytest.mark.parametrize(
    ("name", "status", "brief"),
    [
        ("django.security.DisallowedHost", 400, True),
        ("django.request", 400, True),
        ("django.request", 500, False),
        ("morefollows.anything", 400, False),
    ],
)
def test_a_refusal_is_one_line_in_the_log(name: str, status: int, brief: bool) -> None:
    try:
        raise ValueError("refused")
    except ValueError:
        record = logging.LogRecord(name, logging.ERROR, "", 1, "No", (), sys.exc_info())
    record.status_code = status
    assert BriefRefusals().filter(record)
    assert ("Traceback" in OneLine().format(record)) is not brief
