"""Judges pages and feeds by independent programs: axe-core, html-validate, Ruby, Chromium."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support import sandbox
from tests.support.browser import DESKTOP, NARROW
from tests.support.waiting import PATIENCE

_NODE = Path(__file__).parents[1] / "node"
_ZOOMED = {name: pixels // 2 for name, pixels in DESKTOP.items()}
_RUBY = Path(__file__).parents[1] / "ruby"
_WIDER = (
    "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > "
    "innerWidth + 1)"
)


@functools.cache
def _axe() -> str:
    return (_NODE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def accessible(page: Page, within: str = "") -> list[str]:
    """What axe-core finds: WCAG 2.2 A and AA, best practices, contrast in light and dark.

    `within`: a selector of the part that is looked at; "": the whole page.
    """
    problems = []
    page.emulate_media(
        reduced_motion="reduce"
    )  # contrast in the middle of a transition is nobody's
    page.evaluate(
        "Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)))"
    )
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate(_axe())
        found: dict[str, Any] = page.evaluate(
            "part => axe.run(part || document, {iframes: false, resultTypes: ['violations'],"
            " runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
            " 'best-practice']})",
            within,
        )
        problems += [
            f"{scheme}: {violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return problems


def narrow(page: Page) -> list[str]:
    """No horizontal scrolling at 320 CSS pixels (WCAG 2.2, 1.4.10) nor at 200 % (1.4.4).

    With all at 200 % a window has half as many CSS pixels; with text alone, as many as before.
    """
    problems = []
    for size, text in ((NARROW, "100%"), (_ZOOMED, "100%"), (DESKTOP, "200%")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            wider = page.evaluate(f"{_WIDER}.slice(0, 3).map(e => e.tagName + '.' + e.className)")
            problems.append(f"{width} pixels wide at {size['width']}, text at {text}: {wider}")
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    return problems


def valid(pages: dict[str, str]) -> list[str]:
    """What html-validate finds wrong with these pages' sources."""
    folder = sandbox.folder() / "html"
    folder.mkdir(exist_ok=True)
    for name, source in pages.items():
        (folder / f"{name}.html").write_text(source, encoding="utf-8")
    told = folder / "report.json"  # into a file: it ends before it has filled a pipe
    with told.open("w") as output:
        done = subprocess.run(
            ["node_modules/.bin/html-validate", "--config", "html-validate.json",
             "--formatter", "json", *(str(folder / f"{name}.html") for name in pages)],
            cwd=_NODE, stdout=output, stderr=subprocess.PIPE, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert len(pages) == 0 or done.returncode in (0, 1), done.stderr
    reports = json.loads(told.read_text())
    return [
        f"{Path(report['filePath']).stem}, line {message['line']}: {message['ruleId']}: "
        f"{message['message']}"
        for report in reports
        for message in report["messages"]
    ]


def feeds(found: dict[str, bytes]) -> list[str]:
    """What Ruby's RSS library finds wrong with these Atom and RSS feeds."""
    folder = sandbox.folder() / "feeds"
    folder.mkdir(exist_ok=True)
    for name, feed in found.items():
        (folder / name).write_bytes(feed)
    done = subprocess.run(
        ["ruby", str(_RUBY / "validate-feeds.rb"), *found],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def json_feed(feed: Any) -> list[str]:
    """What the schema of JSON Feed 1.1, as jsonfeed-schema has it, finds wrong."""
    schema = json.loads(
        (_NODE / "node_modules/jsonfeed-schema/schema-v1.1.json").read_text(encoding="utf-8")
    )
    import jsonschema  # loads a grammar, for two seconds

    judge = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    return [error.message for error in judge.iter_errors(feed)]
