"""Names in backquotes are those of the code: files, classes, functions, settings and commands."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "morefollows"
DOCS = ROOT / "docs"
GLOSSARY = DOCS / "glossary.md"

# Pages for those who change the code. Others speak of names in backquotes that are not the code's:
# columns of files, header fields, options of other programs.
FOR_DEVELOPERS = [
    ROOT / "CONTRIBUTING.md",
    GLOSSARY,
    DOCS / "architecture.md",
    *sorted((DOCS / "adr").glob("*.md")),
    *sorted((DOCS / "how-to").glob("add-*.md")),
]
# The changelog is left out: it speaks of names as they once were.
ALL = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

# What a page tells its reader to make does not exist: whatever has one of these words in it.
EXAMPLES = {
    "add-a-page.md": ("topics",),
    "add-a-relay-kind.md": ("courier/post", "courier.post", "address.options"),
    "add-a-source.md": ("iptc7901",),
    "add-an-api-resource.md": (
        "api/resources/sites.py",
        "Scope.SITES_READ",
        "sites.router",
        "sites",
    ),
    "add-a-transactional-mail.md": ("goodbye", "GOODBYE"),
}
# Names from before, and names that are not the project's.
OTHERS = {
    "0001-rooms.md": {"bulletin", "audit_auditentry"},
    "0004-link-tokens.md": {"django.core.signing"},
    "0008-libraries.md": {"TimestampSigner", "django.core.signing"},
}

# Names in docstrings that are not the package's: of Django, Go, ninjs, SQL aliases, C.
OF_OTHERS = {
    "edNote",
    "l",
    "pre_save",
    "settings.LANGUAGES",
    "sun_path",
    "Time.String",
    "TimestampSigner",
    "Wording.DoesNotExist",
    "www.",
}

FILE = re.compile(
    r"(?:[\w.-]+/)*[\w-]+\.(?:py|pyi|html|mjml|txt|css|js|cjs|c|md|toml|po)(?![\w(])"
    r"|(?:[\w.-]+/)+[\w.-]*"
)
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\(\))?")


def in_backquotes(page: Path) -> list[str]:
    """What stands in backquotes in a page's text, examples of code aside."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return list(dict.fromkeys(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)))


def is_file(word: str) -> bool:
    return bool(FILE.fullmatch(word)) and "//" not in word and not re.match(r"\d", word)


def is_name(word: str) -> bool:
    """Looks like a class, a function, a constant or a member: words of prose and values do not."""
    return bool(NAME.fullmatch(word)) and bool(
        re.search(r"_|\.|\(\)$|[a-z][A-Z]|^[A-Z][a-z]+$", word)
    )


def exists(path: str) -> bool:
    """A path below the package or the repository; a bare name is any file's of that name."""
    if "/" not in path and any(PACKAGE.rglob(path)):
        return True
    return (PACKAGE / path).exists() or (ROOT / path).exists()


class Names:
    """What is defined or used by name in some files, and which members each class has."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.words: set[str] = set()
        self.members: dict[str, set[str]] = {}
        self.imported: set[str] = set()  # modules of libraries
        for path in paths:
            self.words.add(path.stem)
            self.words.update(part for part in path.parts[-4:-1])
            tree = ast.parse(path.read_text(encoding="utf-8"))
            self._collect(tree)
            self.members.setdefault(path.stem, set()).update(_defined(tree))

    def _collect(self, tree: ast.AST) -> None:
        self.words.update(_names(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imported.update(alias.name.split(".")[0] for alias in node.names)
            if isinstance(node, ast.ClassDef):
                members = self.members.setdefault(node.name, set())
                members.update(_names(node))
                members.update(ast.unparse(base).split(".")[-1] for base in node.bases)

    def know(self, name: str) -> bool:
        """Whether a name exists; of `Class.member` also whether the class has that member."""
        first, *rest = re.sub(r"\(\)$|\.objects.*|\._make$", "", name).split(".")
        if first in self.members:
            return all(word in self.members[first] for word in rest)
        if rest and rest[0][:1].isupper() and first.islower() and first not in self.imported:
            return False  # `module.Class`, and there is no such module
        return {first, *rest} <= self.words


def _defined(tree: ast.Module) -> Iterator[str]:
    """What a module defines or imports, so that others may name it after the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif isinstance(node, ast.Constant) and re.fullmatch(r"\w+", str(node.value)):
            yield str(node.value)  # the name of a column


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from node.module.split(".")
        elif isinstance(node, ast.Constant) and re.fullmatch(r"\w+", str(node.value)):
            yield str(node.value)  # the name of a column, a choice's value


@cache
def of_the_package() -> Names:
    return Names(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_file_exists(page: Path) -> None:
    """Paths of users' machines are not looked at: only those that begin in a folder of ours."""
    ours = {path.name for path in [*PACKAGE.iterdir(), *ROOT.iterdir()]}
    assert [
        word
        for word in in_backquotes(page)
        if is_file(word)
        and (page in FOR_DEVELOPERS or word.endswith(".py") or "/" in word)
        and ("/" not in word or word.split("/")[0] in ours)
        and not any(example in word for example in EXAMPLES.get(page.name, ()))
        and not exists(word)
    ] == []


@pytest.mark.parametrize("page", FOR_DEVELOPERS, ids=lambda page: page.name)
def test_every_name_is_the_codes(page: Path) -> None:
    """A name is defined in the package, or in a file that the page names."""
    words = in_backquotes(page)
    files = [ROOT / word for word in words if word.endswith(".py") and (ROOT / word).exists()]
    beside = Names(files)
    unknown = [
        word
        for word in words
        if (is_name(word) or (page == GLOSSARY and NAME.fullmatch(word)))
        and not word.startswith("MOREFOLLOWS_")
        and not is_file(word)
        and not any(example in word for example in EXAMPLES.get(page.name, ()))
        and word not in OTHERS.get(page.name, ())
        and not of_the_package().know(word)
        and not beside.know(word)
    ]
    assert unknown == []


def test_names_of_the_glossary_are_in_the_file_it_says() -> None:
    """`Alert` in `stories/models.py`."""
    names = r"`[\w.]+`(?:(?:,| and| or) `[\w.]+`)*"
    found = re.findall(rf"({names}) (?:is |are )?in `([\w/]+\.py)`", GLOSSARY.read_text("utf-8"))
    assert len(found) > 30
    assert [
        f"{name} in {path}"
        for some, path in found
        for name in re.findall(r"`([\w.]+)`", some)
        if not Names([PACKAGE / path]).know(name)
    ] == []


@pytest.mark.parametrize("page", FOR_DEVELOPERS, ids=lambda page: page.name)
def test_examples_import_what_exists(page: Path) -> None:
    missing = []
    for module, names in re.findall(
        r"^ *from (morefollows[\w.]*) import (\([^)]*\)|.+)$", page.read_text("utf-8"), re.MULTILINE
    ):
        if any(example in module for example in EXAMPLES.get(page.name, ())):
            continue
        path = ROOT / "src" / Path(*module.split("."))
        files = [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()]
        known = {*Names(files).words, *(file.stem for file in path.glob("*"))}
        missing += [f"{module}: {name}" for name in re.findall(r"\w+", names) if name not in known]
    assert missing == []


def plugin_constants() -> set[str]:
    """Constants of PHP that our plugins read; a module for Drupal uses the same names."""
    plugins = (Path(__file__).parents[2] / "integrations").rglob("*.php")
    return {
        name
        for plugin in plugins
        for name in re.findall(r"defined\( '(MOREFOLLOWS_[A-Z_]+)' \)", plugin.read_text("utf-8"))
    }


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_setting_exists(page: Path) -> None:
    from morefollows.config.settings import Settings, variable

    known = {variable(spec) for spec in fields(Settings)} | plugin_constants()
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bMOREFOLLOWS_[A-Z_]*[A-Z]\b", text))
    # A setting's value may be in a file: `config.loading`.
    assert {name for name in named if name.removesuffix("_FILE") not in known} == set()


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    """`morefollows readers export …`: the words up to the first that is none are a command."""
    from morefollows.cli.main import cli

    broken = []
    calls = r"(?:^|`|bin/|&& )morefollows ((?:[a-z][a-z-]* ?|--[a-z-]+ ?)+)"
    for line in re.findall(calls, code_of(page), re.MULTILINE):
        command: click.Command = cli
        for word in line.split():
            if isinstance(command, click.Group) and not word.startswith("-"):
                below = command.get_command(click.Context(command), word)
                if below is None:
                    broken.append(line)
                    break
                command = below
            elif word.startswith("--"):
                options = {option for parameter in command.params for option in parameter.opts}
                broken += [line] if word not in {*options, "--help"} else []
    assert broken == []


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_target_of_make_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z]+)", code_of(page), re.MULTILINE)
    assert set(named) - set(targets) == set()


def code_of(page: Path) -> str:
    """All that is code in a page, a line each: in backquotes, in fences, indented."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^ *```[a-z]*\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    return "\n".join([*(f"`{word}`" for word in in_backquotes(page)), *fenced, *indented])


def test_names_in_docstrings_and_comments_exist() -> None:
    """A name in backquotes there is one of the package, or of a library."""
    broken = []
    for path in PACKAGE.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for name in re.findall(r"(?<!`)`([A-Za-z_][\w.]*)(?:\(\))?`(?!`)", prose_of(path)):
            if not (name.startswith("MOREFOLLOWS_") or name in OF_OTHERS or is_known(name)):
                broken.append(f"{path.relative_to(PACKAGE)}: {name}")
    assert broken == []


@cache
def is_known(name: str) -> bool:
    """A name, perhaps after the path of its module, such as `stories.actions.send`."""
    parts = name.split(".")
    if parts[0] in ("django", "urllib"):
        return True
    if not (len(parts) > 1 and (PACKAGE / parts[0]).is_dir()) and of_the_package().know(name):
        return True
    for end in range(len(parts), 0, -1):
        tail = Path(*parts[:end])
        files = modules_called(str(tail))
        if files:
            return set(parts[end:]) <= Names(files).words
    return False


@cache
def modules() -> dict[str, list[Path]]:
    """The package's modules by the last part of their path."""
    found: dict[str, list[Path]] = {}
    for path in PACKAGE.rglob("*.py"):
        name = (path.parent if path.name == "__init__.py" else path.with_suffix("")).name
        found.setdefault(name, []).append(path)
    return found


def modules_called(tail: str) -> list[Path]:
    """The modules whose path ends so: `actions`, `stories/actions`."""
    found = modules().get(tail.rpartition("/")[2], [])
    return [
        path
        for path in found
        if f"/{path.relative_to(PACKAGE).with_suffix('')}".removesuffix("/__init__").endswith(
            f"/{tail}"
        )
    ]


def prose_of(path: Path) -> str:
    """The docstrings and comments of a file."""
    source = path.read_text(encoding="utf-8")
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "\n".join(
        [
            *(ast.get_docstring(node) or "" for node in nodes),
            *(token.string for token in tokens if token.type == tokenize.COMMENT),
        ]
    )


def test_modules_that_keep_an_invariant_state_it() -> None:
    """Those of architecture's table, at their head."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| .*? \| (.*?) \| .*? \|$", text[text.index("## Invariants") :], re.MULTILINE
    )
    kept_in = {path for row in rows for path in re.findall(r"`((?:\w+/)+\w+\.py)`", row)}
    assert len(kept_in) > 20
    assert [
        path
        for path in sorted(kept_in)
        if "nvariant"
        not in (ast.get_docstring(ast.parse((PACKAGE / path).read_text("utf-8"))) or "")
    ] == []


def test_every_module_says_what_it_is_for() -> None:
    """At its head, and a folder in its `__init__.py`."""
    assert [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ] == []
