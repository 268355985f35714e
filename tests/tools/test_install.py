"""`tools/install` as `make` calls it in an active environment; Python and pip are fakes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A Python that tells what it is asked. `-m pip` works if a file `pip` lies beside it; `-m venv`
# makes one without pip.
STAND_IN = """#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
told="PYTHONPATH=${PYTHONPATH:-} PYTHONHOME=${PYTHONHOME:-} $(env | grep ^PIP_ | tr '\\n' ' ')"
echo "$here/$(basename "$0") $* [$told]" >>"$LOG"
case $1 in
-c) if [ -e "$here/base" ]; then cat "$here/base"; else echo "$here/python3"; fi ;;
--version) echo "Python 3.11.0" ;;
-m) case $2 in
    pip) [ -e "$here/pip" ] ;;
    venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo "$here/python3" >.venv/bin/base ;;
    esac ;;
esac
"""


def stand_in(folder: Path, *, pip: bool, base: Path | None = None) -> Path:
    """A folder for PATH with a Python; with `base`, that of a virtual environment."""
    folder.mkdir(parents=True)
    for name in ("python", "python3", "python3.11"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    if pip:
        (folder / "pip").touch()
    if base is not None:
        (folder / "base").write_text(f"{base}/python3\n")
    return folder


class Project:
    """A copy of what the installer needs, on a system whose Python has pip."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "project"
        (self.folder / "tools").mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "install", self.folder / "tools")
        self.system = stand_in(place / "system", pip=True)
        self.log = place / "log"

    def install(self, *first_on_path: Path, **environment: str) -> str:
        """What the stand-ins were asked."""
        path = [str(place) for place in (*first_on_path, self.system, "/usr/bin", "/bin")]
        done = subprocess.run(
            ["tools/install", "run"],
            cwd=self.folder,
            env={"PATH": ":".join(path), "LOG": str(self.log), **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        asked = self.log.read_text()
        self.log.unlink()
        return asked


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_its_own_environment_active(project: Project) -> None:
    """As after `source .venv/bin/activate`: the first Python on the path has no pip."""
    project.install()
    own = project.folder / ".venv" / "bin"
    shutil.copy(own / "python", own / "python3")
    asked = project.install(own, VIRTUAL_ENV=str(own.parent))
    assert f"{project.system}/python3 -m pip" in asked
    assert "-m venv" not in asked, "the environment is there already"


@pytest.mark.parametrize("pip", [True, False])
def test_the_environment_of_another_project_active(
    project: Project, tmp_path: Path, pip: bool
) -> None:
    other = stand_in(tmp_path / "other", pip=pip, base=project.system)
    asked = project.install(other, VIRTUAL_ENV=str(other.parent))
    assert f"{project.system}/python3 -m venv" in asked
    assert f"{project.system}/python3 -m pip" in asked
    assert f"{other}/python3 -m" not in asked, "it may be gone tomorrow"


def test_pip_of_an_environment_where_the_system_has_none(project: Project, tmp_path: Path) -> None:
    (project.system / "pip").unlink()
    other = stand_in(tmp_path / "other", pip=True, base=project.system)
    asked = project.install(other)
    assert f"{project.system}/python3 -m venv" in asked
    assert (
        f"{other}/python3 -m pip --disable-pip-version-check --python .venv/bin/python install"
        in asked
    )


def test_what_the_shell_tells_python_and_pip(project: Project) -> None:
    of_pip = (
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_NO_DEPS",
        "PIP_CONSTRAINT",
    )
    of_python = ("PYTHONPATH", "PYTHONHOME")
    environment = dict.fromkeys((*of_pip, *of_python), "/elsewhere")
    asked = project.install(PIP_INDEX_URL="https://mirror.example/", **environment)
    assert "elsewhere" not in asked and "PIP_USER" not in asked and "PIP_NO_DEPS" not in asked
    assert "PIP_REQUIRE" not in asked and "PIP_INDEX_URL=https://mirror.example/" in asked


def test_without_any_pip_it_says_what_to_do(project: Project) -> None:
    (project.system / "pip").unlink()
    with pytest.raises(
        AssertionError,
        match=rf"pip is missing for {project.system}/python3\. On Debian: apt install",
    ):
        project.install()


def test_make_tells_its_programs_nothing_of_the_shell(tmp_path: Path) -> None:
    """What `make up` and `make test` start is our own Python, with its own packages."""
    told = "include Makefile\ntell:\n\t@env\n"
    done = subprocess.run(
        ["make", "-s", "-f", "-", "tell"],
        input=told,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": "/elsewhere",
            "PYTHONHOME": "/elsewhere",
            "VIRTUAL_ENV": "/elsewhere",
        },
    )
    assert "/elsewhere" not in done.stdout


def test_a_real_environment_names_the_python_that_it_was_made_with() -> None:
    """What the installer asks of the real thing: the tests run in such an environment."""
    script = (ROOT / "tools" / "install").read_text()
    question = script.partition("-c '")[2].partition("'")[0]
    told = subprocess.run(
        [sys.executable, "-c", question], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(told).exists()
    assert not Path(told).is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix
