"""A real browser: Debian's Chromium, or the one that CHROMIUM names, driven by Playwright."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.ports import free_port
from tests.support.waiting import PATIENCE

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
NARROW = {"width": 320, "height": 700}

_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--disable-dev-shm-usage",
    # Nothing but this machine answers: a page that asks for anything else must fail here as well.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def executable() -> str:
    """The path of the browser's program."""
    named = [
        os.environ.get("CHROMIUM", ""),
        "chromium",
        "chromium-browser",
        "google-chrome",
        *_MACOS,
    ]
    for name in named:
        path = shutil.which(name) if name else None
        if path:
            return path
    raise SystemExit("Chromium was not found. Install it, or name it in the variable CHROMIUM.")


_SERVE = """
import json, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    opened = playwright.chromium.launch(**json.loads(sys.argv[1]))
    print("opened", flush=True)
    sys.stdin.read()
    opened.close()
"""


@pytest.fixture(scope="session")
def browser_address() -> Iterator[str]:
    """Where the browser of all test files is spoken to, by the DevTools protocol.

    To start one takes two seconds of a processor.
    """
    port = free_port()
    options = {
        "executable_path": executable(),
        "args": [*ARGUMENTS, f"--remote-debugging-port={port}"],
    }
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin and server.stdout
        assert server.stdout.readline() == b"opened\n"
        yield f"http://127.0.0.1:{port}"
        server.stdin.close()


@pytest.fixture(scope="module")
def browser(browser_address: str) -> Iterator[Browser]:
    """For one test file. It runs an event loop in this thread: don't use the ORM meanwhile."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.connect_over_cdp(browser_address)
        yield opened
        opened.close()  # its windows; the browser goes on


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A window with no cookies, at desktop size."""
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE * 1000)
    context.set_default_navigation_timeout(PATIENCE * 1000)
    yield context
    context.close()


expect.set_options(timeout=PATIENCE * 1000)

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def page(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in it. Fails the test on script errors, policy violations and missing files.

    Of a test that failed, a picture stays in `.pytest_cache/pictures`.
    """
    complaints: list[str] = []
    opened = window.new_page()
    watch(opened, complaints)
    yield opened
    if request.node.stash.get(_FAILED, False):
        picture = (
            request.config.rootpath / ".pytest_cache" / "pictures" / f"{request.node.name}.png"
        )
        opened.screenshot(path=picture, full_page=True)
        print(
            f"\nThe page was {opened.url}; its picture: {picture}\n"
            f"{opened.inner_text('body')[:1000]}"
        )
    assert complaints == []


def watch(page: Page, complaints: list[str], *, session_ends: bool = False) -> None:
    """Notes script errors, content security policy violations and missing files.

    That a form is answered with 4xx is no complaint, nor is a request that ends because the page
    is left: htmx tells of either event then. `session_ends`: the test ends the page's session, so
    its stream may be refused.
    """
    left = ("htmx:afterRequest", "htmx:sendAbort")
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda said: (
            said.type == "error"
            and not said.text.startswith(("Failed to load resource: the server responded", *left))
            and complaints.append(f"{page.url}: {said.text}")
        ),
    )
    page.on(
        "response",
        lambda response: (
            response.status >= 400
            and response.request.resource_type != "document"
            and not (session_ends and response.status == 403 and response.url.endswith("/stream/"))
            and complaints.append(f"{page.url}: {response.status} for {response.url}")
        ),
    )
