"""The wheel: built from the sdist, installed by pip without a network, run in an empty folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import morefollows
from tests.support.installation import Installation

ROOT = Path(__file__).parents[2]


def needed(name: str, extras: frozenset[str], found: dict[str, Distribution]) -> None:
    """Adds a distribution and all that it needs here to `found`."""
    key = canonicalize_name(name)
    if key in found and not extras:
        return
    found[key] = one = distribution(name)
    for text in one.requires or ():
        wanted = Requirement(text)
        wants = wanted.marker is None or any(
            wanted.marker.evaluate({"extra": extra}) for extra in (extras or {""})
        )
        if wants:
            needed(wanted.name, frozenset(wanted.extras), found)


def repacked(one: Distribution, wheelhouse: Path) -> None:
    """Makes a wheel of an installed distribution again, uncompressed."""
    tags = re.findall(r"^Tag: (\S+)-(\S+)-(\S+)", one.read_text("WHEEL") or "", re.MULTILINE)
    tag = "-".join(".".join(sorted(set(part))) for part in zip(*tags, strict=True))
    name = re.sub(r"[-_.]+", "_", one.name)
    with zipfile.ZipFile(wheelhouse / f"{name}-{one.version}-{tag}.whl", "w") as wheel:
        for file in one.files or ():
            if ".." not in file.parts and file.suffix != ".pyc" and file.name != "RECORD":
                wheel.write(Path(str(file.locate())), str(file))
        record = next(file for file in one.files or () if file.name == "RECORD")
        wheel.writestr(str(record), "")


def built(folder: Path) -> Path:
    """The wheel, built from the sdist in a copy of what git knows."""
    source = folder / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    assert wheel.name == f"morefollows-{morefollows.__version__}-py3-none-any.whl"
    with tarfile.open(sdist) as packed:
        assert not [name for name in packed.getnames() if "/tests/" in name or "/bench/" in name]
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """A new environment in which pip has installed it from the wheelhouse. Returns its `bin`."""
    wheelhouse, venv = folder / "wheelhouse", folder / "venv"
    wheelhouse.mkdir()
    found: dict[str, Distribution] = {}
    with zipfile.ZipFile(wheel) as packed:
        [name] = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_bytes(packed.read(name))
    for text in metadata.get_all("Requires-Dist", []):
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            needed(wanted.name, frozenset(wanted.extras), found)
    for one in found.values():
        repacked(one, wheelhouse)
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(venv)], check=True)
    done = subprocess.run(
        [
            *(base, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "--quiet"),
            *("--no-index", "--no-compile", "--find-links", str(wheelhouse), str(wheel)),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return venv / "bin"


def test_the_wheel_runs_in_an_empty_folder(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    contents = set(zipfile.ZipFile(wheel).namelist())
    for file in (ROOT / "src" / "morefollows").rglob("*"):
        # what mails are compiled from stays with the sources
        kept = file.is_file() and "__pycache__" not in file.parts and file.suffix != ".mjml"
        assert not kept or str(file.relative_to(ROOT / "src")) in contents, file
    assert {name.split("/")[0].split("-")[0] for name in contents} == {"morefollows"}
    programs = installed(wheel, tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    installation = Installation(bare=True, cwd=empty)
    installation._program = [str(programs / "morefollows")]
    try:
        installation.start()
        with urllib.request.urlopen(f"{installation.address}/", timeout=30) as page:
            style = re.search(r'href="(/static/[^"]+\.css)"', page.read().decode())
        assert style is not None
        with urllib.request.urlopen(installation.address + style[1], timeout=30) as file:
            assert file.status == 200
        asking = urllib.request.Request(
            f"{installation.address}/", headers={"Accept-Language": "de"}
        )
        with urllib.request.urlopen(asking, timeout=30) as page:
            assert '<html lang="de"' in page.read().decode()
        installation.stop()
        assert "Traceback" not in installation.output
    finally:
        installation.clear()
