"""`make security`: attacks a running sample, and ends with exit code 1 if anything is found.

It starts the product with a fictional newsroom on this machine, and lets three things loose on it:
wapiti as a stranger and as an administrator, sqlmap at every form, and the long form of the fuzz.
The headers of every page are looked at, too. Nothing but this machine is a target. Their finds are
printed; those that are none are listed here with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support import sandbox, web

if TYPE_CHECKING:
    from tests.support.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
SCANNERS = ROOT / ".venv-scanners" / "bin"
#: Modules of wapiti that talk to nobody else. Others wait for the target to call a server of its
#: makers, or look names up. `csrf` takes any two equal refusals for a hole; see `_forgeries`.
MODULES = (
    "backup,buster,cookieflags,crlf,csp,exec,file,htaccess,http_headers,ldap,methods,"
    "permanentxss,redirect,shellshock,sql,timesql,upload,xss"
)
#: Category of wapiti, and a pattern of the path or of what it says → why it is nothing.
ACCEPTED = (
    ("Strict-Transport-Security", "", "the sample speaks plain HTTP on loopback"),
    ("Secure Flag cookie", "", "likewise; `__Host-` cookies come with HTTPS"),
    ("Unencrypted Channels", "", "likewise"),
    ("HttpOnly Flag cookie", "", "a language chosen, which scripts may know"),
    ("Internal Server Error", r"^/story/[^/]+/events/", "streams are not for scanners"),
    ("X-Frame-Options is not set", "", "the policy's frame-ancestors says it, as looked at below"),
)
#: Signs an administrator in, and makes one of each thing that has pages of its own. Prints a key of
#: the API, and the cookies.
_SESSION = """
import django; django.setup()
from django.test import Client
from morefollows.accounts.models import Editor, Role
from morefollows.api.keys import create_key
from morefollows.api.scopes import Scope
from morefollows.api.webhooks.endpoints import add_endpoint
from morefollows.audience.models import Topic
from morefollows.ingest.models import ItemRule
from morefollows.ingest.sources.actions import add_source
boss = Editor.objects.filter(role="administrator").order_by("pk")[0]
boss.set_password("a long walk along the harbour"); boss.save()
key = create_key("CMS", created_by=boss, role=Role.EDITOR, scopes=Scope.values)[1]
if not ItemRule.objects.exists():
    add_endpoint("https://cms.example/hook", ["alert.sent"], boss)
    add_source("Wire", "push", by=None, topic=Topic.objects.all()[0])
    ItemRule.objects.create(name="Rule", created_by=boss)
client = Client(); client.force_login(boss)
print(key)
for name, cookie in client.cookies.items(): print(f"{name}={cookie.value}")
"""


def main() -> None:
    parser = argparse.ArgumentParser("make security")
    parser.add_argument("--minutes", type=float, default=30, help="for all of it together")
    parser.add_argument("--only", choices=("headers", "wapiti", "sqlmap", "fuzz"), default="")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        help="Number of the request at which sqlmap begins, from 0; those before it come last.",
    )
    asked = parser.parse_args()
    sandbox.set_up()
    from tests.support.installation import Installation

    # Strangers' limits are tested elsewhere; here they would only keep the scanners out.
    plenty = {"sign_ups_a_network": "1000000", "sign_ups_a_network_at_most": "1000000"}
    # A sign-in is good for all of it, as no browser is there to confirm it.
    plenty |= {"fresh_minutes": "1440"}
    installation = Installation(bare=True, log_level="warning", **plenty).start("--sample")
    found = list[str]()

    def seconds(share: float) -> float:
        """Of one part; one alone has all of the time."""
        return asked.minutes * 60 * (1 if asked.only and asked.only != "wapiti" else share)

    try:
        cookie, _key = _session(installation.environment)
        if asked.only in ("", "headers"):
            found += list(_headers(installation.address, cookie))
            found += list(_forgeries(installation.address, cookie))
        if asked.only in ("", "wapiti"):
            found += list(_wapiti(installation.address, "", seconds(0.1)))
            found += list(_wapiti(installation.address, cookie, seconds(0.25)))
        if asked.only in ("", "sqlmap"):
            found += list(_injections(installation, seconds(0.45), first=asked.first))
        found += [
            f"the product: {line}"
            for line in installation.output.splitlines()
            if "Traceback" in line or " ERROR " in line
        ]
    finally:
        installation.stop()
    if asked.only in ("", "fuzz"):
        found += list(_fuzz(seconds(0.2)))
    for line in found:
        print(line)
    print(f"{len(found)} found" if found else "Nothing found.")
    sys.exit(bool(found))


def _session(environment: dict[str, str]) -> tuple[str, str]:
    """The cookies of an administrator who is signed in, and a key of the API."""
    asked = {**environment, "DJANGO_SETTINGS_MODULE": "morefollows.config.django"}
    done = _run([sys.executable, "-c", _SESSION], 120, asked)
    assert done.returncode == 0, done.stderr
    key, *cookies = done.stdout.split()
    return "; ".join(cookies), key


def _run(
    words: Sequence[str], seconds: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else ""
        return subprocess.CompletedProcess(words, 0, output, "")


# -- headers ---------------------------------------------------------------------------------------

_WANTED = {
    "Content-Security-Policy": (
        r"(?=.*default-src '(self|none)')(?=.*frame-ancestors '(self|none)')"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": r"no-referrer|same-origin|strict-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NEVER = ("X-Powered-By", "X-AspNet-Version")


def _headers(address: str, cookie: str) -> Iterator[str]:
    """Pages of strangers, the desk, static files, and errors."""
    for path, cookies in (
        *((path, "") for path in ("/", "/privacy/", "/sign-up/breaking/", "/desk/sign-in/")),
        *((path, "") for path in ("/nothing-here/", "/leave/" + "A" * 36 + "/", "/robots.txt")),
        *((path, cookie) for path in ("/desk/", "/desk/log/", "/desk/audience/", "/desk/words/")),
    ):
        answer = web.request("GET", address + path, Cookie=cookies)
        kind = answer.headers.get("Content-Type", "")
        for name, wanted in _WANTED.items():
            asked_for = name == "X-Content-Type-Options" or kind.startswith("text/html")
            if asked_for and not re.search(wanted, answer.headers.get(name, "")):
                yield f"headers: {path} has {name}: {answer.headers.get(name)}"
        yield from (f"headers: {path} has {name}" for name in _NEVER if name in answer.headers)
        if re.search(r"\d", answer.headers.get("Server", "")):
            yield f"headers: {path} tells the server's version"
        if cookies and "no-store" not in answer.headers.get("Cache-Control", ""):
            yield f"headers: {path} may be kept by a cache"
        if answer.status >= 500:
            yield f"headers: {path} has status {answer.status}"


def _forgeries(address: str, cookie: str) -> Iterator[str]:
    """Posts of another site's page: with the session, without the token, to all of the desk."""
    from tests.security.test_permissions import documented
    from tests.support.routes import routes

    table = documented()
    for route in routes():
        answers = [
            row for (name, how, _), row in table.items() if (name, how) == (route.name, "POST")
        ]
        if not any(row[0] == "sign in" for row in answers):
            continue
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
            answer = web.request(
                "POST",
                address + route.address(),
                b"a=b",
                Cookie=cookie,
                Content_Type=web.FORM,
                **headers,
            )
            if answer.status != 403:
                yield f"forgery: POST {route.path} from {headers}: status {answer.status}"


# -- scanners --------------------------------------------------------------------------------------


def _wapiti(address: str, cookie: str, seconds: float) -> Iterator[str]:
    who = "signed in" if cookie else "signed out"
    print(f"wapiti, {who}, for {seconds:.0f} s at the most", flush=True)
    start = "/desk/" if cookie else "/"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [
            *(str(SCANNERS / "wapiti"), "-u", address + start, "--scope", "domain"),
            *("-m", MODULES, "-f", "json", "-o", str(report), "--flush-session"),
            *("--no-bugreport", "--store-session", folder, "--verbose", "0", "-t", "10"),
            *("--max-scan-time", str(int(seconds * 0.3)), "--max-links-per-page", "60"),
            *("--max-attack-time", str(max(5, int(seconds * 0.6 / 20))), "--depth", "4"),
            *("-x", f"{address}/desk/sign-out/", "--tasks", "1"),
            # One task: several lock each other out of its database. Its makers are not asked.
            *("--endpoint", "http://127.0.0.1:9/", "--dns-endpoint", "localhost"),
            *(("-H", f"Cookie: {cookie}") if cookie else ()),
        ]
        done = _run(words, seconds + 60, {**os.environ, "HOME": folder})
        if not report.exists():
            yield f"wapiti ({who}) gave no report: {done.stdout[-500:]} {done.stderr[-1500:]}"
            return
        told = json.loads(report.read_text())
    pages = told["infos"].get("crawled_pages_nbr", 0)
    print(f"  {pages} pages", flush=True)
    if not pages:
        yield f"wapiti ({who}) saw no page"
    for group in ("vulnerabilities", "anomalies"):
        for category, finds in told[group].items():
            for one in finds:
                if not _accepted(category, one["path"], one["info"]):
                    yield (
                        f"wapiti ({who}): {category}: {one['method']} {one['path']} "
                        f"{one['parameter']}: {one['info']}"
                    )


def _accepted(category: str, path: str, info: str) -> bool:
    return any(
        (known in category or known in info) and re.search(pattern, urlsplit(path).path)
        for known, pattern, _why in ACCEPTED
    )


def _injections(installation: Installation, seconds: float, *, first: int) -> Iterator[str]:
    from tests.security import injection

    address = installation.address
    session, key = _session(installation.environment)
    stranger, boss = (injection.with_tokens(address, one) for one in ("", session))
    everything = [(stranger, one) for one in injection.targets(address, stranger)]
    public = {one.same for _, one in everything}
    of_boss = injection.targets(address, boss)
    everything += [(boss, one) for one in of_boss if one.same not in public]
    everything += [("", one) for one in injection.requests_of_the_api(address, key)]
    everything = everything[first:] + everything[:first]
    yield from injection.attack(address, everything, seconds, SCANNERS / "sqlmap", _run)
    if not injection.is_in(address, boss):
        yield "sqlmap: the session ended on the way: part of it was tried as a stranger"


def _fuzz(seconds: float) -> Iterator[str]:
    """More and more examples of each route, until the time is over."""
    print(f"fuzz, for {seconds:.0f} s or a little more", flush=True)
    until, examples = time.monotonic() + seconds, 10
    while time.monotonic() < until:
        begun = time.monotonic()
        environment = {**os.environ, "FUZZ": str(examples)}
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-n",
            "2",
            "tests/security/test_fuzz.py",
        ]
        done = _run(words, seconds + 600, environment)
        print(f"  {examples} of each route", flush=True)
        if done.returncode:
            yield f"fuzz: {done.stdout[-4000:]}"
            return
        left, took = until - time.monotonic(), time.monotonic() - begun
        examples = int(min(examples * 4, max(10, examples * left / max(took, 1))))


if __name__ == "__main__":
    main()
