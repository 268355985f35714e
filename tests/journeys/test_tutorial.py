"""The tutorial's commands, run as they stand, and its correction at the desk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from morefollows.cli.demo.visitor import Visitor
from tests.faults.visitors import find_link, press_button, sign_up
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
CY, ANN, BOB = "cy@reader.example", "ann@reader.example", "bob@reader.example"


def blocks() -> list[str]:
    """Its commands, a block each."""
    return re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE)


def run(installation: Installation, block: str) -> str:
    """As in the second terminal: a shell that ends at the first error."""
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block],
        cwd=installation.cwd,
        # The first block there puts this folder in front, for all that follow.
        env={
            **installation.environment,
            "PATH": f"{installation.cwd}/.venv/bin:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_from_clone_to_correction(build: Callable[..., Installation], tmp_path: Path) -> None:
    start, bring, story, look_back = blocks()
    assert start in (ROOT / "README.md").read_text("utf-8"), "the first step is that of README"
    folder = tmp_path / "morefollows"
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    installation = build(cwd=folder, bare=True, four_eyes="never").start("--sample")
    assert sign_up(installation.url, CY, "10.0.0.1")
    confirmation = installation.wait_for_mails(CY)[-1]
    assert press_button(installation.url, find_link(confirmation.content, "/confirm/")) == 200
    run(installation, bring)
    assert installation.readers() == 3
    assert "3" in run(installation, story)
    for reader in (ANN, BOB):
        installation.wait_for_mails(reader)

    desk = Visitor()
    desk.submit(desk.open(installation.invitation).form("password"), password="a long walk at sea")
    found = installation.query(
        "SELECT uuid FROM stories_story WHERE headline LIKE '%ship strikes%'"
    )
    page = f"{installation.url}/desk/story/{UUID(str(found[0][0]))}/develop/?kind=correction"
    screen = desk.open(page)
    assert "Forty people walked to safety" in screen.html, "the screen has the story's words"
    desk.submit(
        screen.form("note"),
        headline="Harbour bridge closed after ship strikes pier",
        kind="correction",
        note="We gave a wrong number of people.",
        text="Fourteen people walked to safety. Nobody is hurt, the port authority said.",
        answers="1",
        send="1",
    )
    corrected = until(
        "the correction",
        lambda: [mail for mail in installation.mails(ANN) if "Correction" in mail.subject],
    )
    assert b"ourteen people" in corrected[0].content
    run(installation, look_back)
    assert list(folder.glob("morefollows-*.backup"))
