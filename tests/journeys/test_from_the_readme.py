"""The README's first steps: `up` in a folder, with the default data folder."""

from __future__ import annotations

import html
import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from morefollows.cli.demo.visitor import Visitor
from tests.stories.images.pictures import photo
from tests.support import web
from tests.support.installation import Installation
from tests.support.waiting import until

Build = Callable[..., Installation]


def signed_in(installation: Installation) -> Visitor:
    desk = Visitor()
    desk.submit(
        desk.open(installation.invitation).form("password"),
        password="a long walk along the harbour",
    )
    return desk


def add_image(desk: Visitor, installation: Installation, file: bytes, alt: str) -> str:
    """The page that answers an image's form, sent as a browser sends it."""
    form = desk.open(f"{installation.url}/desk/images/add/").form("alt")
    boundary = secrets.token_hex(8)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {**form.fields, "alt": alt}.items()
        if name != "file"
    ]
    named = (
        'Content-Disposition: form-data; name="file"; filename="pier.jpg"\r\n'
        "Content-Type: image/jpeg"
    )
    parts += [f"--{boundary}\r\n{named}\r\n\r\n".encode(), file, f"\r\n--{boundary}--\r\n".encode()]
    request = urllib.request.Request(
        form.action, b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    try:
        return desk._get(request).html
    except urllib.error.HTTPError as error:
        return error.read().decode()


@pytest.mark.parametrize("place", ["plain", "with spaces é", "behind a link"])
def test_an_image_from_the_form_to_the_page(build: Build, tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    if place == "behind a link":
        (tmp_path / "real").mkdir()
        folder.symlink_to(tmp_path / "real", target_is_directory=True)
    else:
        folder.mkdir()
    (folder / "calendar.py").write_text(
        "raise SystemExit('a module of somebody else was taken for one of ours')"
    )
    installation = build(cwd=folder, bare=True, hold="0", four_eyes="never").start("--sample")
    desk = signed_in(installation)
    answer = html.unescape(add_image(desk, installation, photo(), "Tugs at the pier"))
    line = re.search(r"!\[Tugs at the pier\]\((/images/[^ )]+)\)", answer)
    assert line, answer + installation.output
    words = {
        "headline": "Harbour bridge closed",
        "text": f"Nobody is hurt.\n\n{line[0]}",
        "topic": "1",
        "language": "en",
    }
    new = desk.open(f"{installation.url}/desk/story/new/").form("headline")
    written = desk.submit(new, **words, save="1")
    desk.submit(written.form("headline"), **words, audience="page", send="1")
    page = until(
        "the story",
        lambda: re.search(r'<h3><a href="([^"]+)"', desk.open(f"{installation.url}/").html),
    )
    told = desk.open(installation.url + page[1]).html
    shown = re.search(r'<img [^>]*src="([^"]+)"', told)
    assert shown, told
    picture = web.request(
        "GET", shown[1] if shown[1].startswith("http") else installation.url + shown[1]
    )
    assert picture.status == 200 and picture.body.startswith(b"\xff\xd8")
