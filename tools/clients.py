#!/usr/bin/env python3
"""Makes what is generated in `clients/` from the API's OpenAPI document. `make clients` runs it.

``tools/clients.py`` writes `clients/openapi.json`, the Python client's `_models.py`, `_sync.py` and
`_async.py`, and the TypeScript client's `schema.ts` (by openapi-typescript, from npm).
``tools/clients.py --check`` writes nothing, needs no npm, and fails if one of them is stale.
"""

from __future__ import annotations

import hashlib
import json
import keyword
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "clients"
DOCUMENT = CLIENTS / "openapi.json"
PYTHON = CLIENTS / "python" / "src" / "morefollows_client"
TYPESCRIPT = CLIENTS / "typescript"
SCHEMA = TYPESCRIPT / "src" / "schema.ts"
OPERATIONS = TYPESCRIPT / "src" / "operations.ts"
_HEAD = '"""{about}\n\nMade by tools/clients.py from clients/openapi.json: do not edit it."""\n\n'
_WIDTH = 96
_JSON, _LINES = "application/json", "application/x-ndjson"


def current_document() -> dict[str, Any]:
    """The document of the code as it stands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "morefollows.config.django")
    with tempfile.TemporaryDirectory() as data:
        os.environ.setdefault("MOREFOLLOWS_DATA", data)
        import django

        django.setup()
        from morefollows.api.v1 import document

        found: dict[str, Any] = json.loads(json.dumps(document()))
        return found


# -- types ----------------------------------------------------------------------------------------


def _name_of(reference: str) -> str:
    return reference.rpartition("/")[2]


def python_type(schema: dict[str, Any], *, given: bool = False) -> str:
    """A schema as a type annotation. `given`: of what a caller passes, who may have ids as text."""
    if "$ref" in schema:
        return _name_of(schema["$ref"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(python_type(one, given=given) for one in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return f"Literal[{', '.join(json.dumps(one) for one in values)}]"
    kind = schema.get("type")
    if kind == "string":
        text = {"date-time": "datetime", "uuid": "UUID | str" if given else "UUID"}
        return text.get(schema.get("format", ""), "str")
    if kind == "array":
        items = python_type(schema.get("items", {}), given=given)
        return f"{'Sequence' if given else 'list'}[{items}]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"dict[str, {python_type(more) if isinstance(more, dict) and more else 'Any'}]"
    plain = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}
    return plain.get(str(kind), "Any")


def models(document: dict[str, Any]) -> str:
    """The module with a class for each schema that an answer has."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    parts = [
        _HEAD.format(about="What the API answers with."),
        "from __future__ import annotations\n\nfrom dataclasses import dataclass\n"
        "from datetime import datetime\nfrom typing import Any, Literal\nfrom uuid import UUID\n\n",
    ]
    wanted = _answered(document)
    enums = sorted(name for name in schemas if "enum" in schemas[name])
    parts += [f"{name} = {python_type(schemas[name])}\n\n" for name in enums]
    for name in sorted(wanted - set(enums)):
        parts.append(_model(name, schemas[name]))
    return "".join(parts)


def _answered(document: dict[str, Any]) -> set[str]:
    """Names of schemas that answers have, and those in them."""
    schemas = document["components"]["schemas"]
    found: set[str] = set()
    waiting = [
        reference
        for request in requests(document)
        for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(request.answer))
    ]
    while waiting:
        name = _name_of(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += re.findall(r'"\$ref": "([^"]+)"', json.dumps(schemas[name]))
    return found


def _model(name: str, schema: dict[str, Any]) -> str:
    about = schema.get("description", "").strip()
    lines = [f"\n@dataclass(frozen=True)\nclass {name}:\n"]
    if about:
        lines.append(f'    """{about}"""\n\n')
    fields = schema.get("properties", {})
    for field, one in fields.items():
        if text := one.get("description"):
            lines += [f"    #: {line}\n" for line in _wrapped(text, 84)]
        lines.append(f"    {_safe(field)}: {python_type(one)}\n")
    return "".join([*lines, "" if fields else "    pass\n", "\n"])


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(" ".join(text.split()), width)


# -- requests -------------------------------------------------------------------------------------


class Argument(NamedTuple):
    """One argument of a method. `place`: path, query or body."""

    name: str
    place: str
    kind: str
    required: bool
    about: str


class ApiOperation(NamedTuple):
    """One request of the document."""

    id: str
    method: str
    path: str
    about: str
    arguments: list[Argument]
    upload: list[str]  #: content types of a body that is no JSON
    if_match: bool
    answer: dict[str, Any]  #: schema of the first 2xx answer; empty without a body
    streams: bool

    @property
    def name(self) -> str:
        return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", self.id).lower()


def requests(document: dict[str, Any]) -> Iterator[ApiOperation]:
    """All requests, in the document's order."""
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            content = one.get("requestBody", {}).get("content", {})
            status = next(code for code in one["responses"] if code.startswith("2"))
            answered = one["responses"][status].get("content", {})
            yield ApiOperation(
                id=one["operationId"],
                method=method.upper(),
                path=path.removeprefix("/api/v1"),
                about=one.get("description", "").strip(),
                arguments=list(_arguments(document, one, content)),
                upload=[name for name in content if name != _JSON],
                if_match=bool(one.get("x-if-match")),
                answer=answered.get(_JSON, {}).get("schema", {}),
                streams=_LINES in answered,
            )


def _arguments(
    document: dict[str, Any], operation: dict[str, Any], content: dict[str, Any]
) -> Iterator[Argument]:
    for one in operation.get("parameters", []):
        kind = python_type(one["schema"], given=True)
        about = one.get("description", "")
        yield Argument(one["name"], one["in"], kind, one.get("required", False), about)
    body = content.get(_JSON, {}).get("schema", {})
    if "$ref" in body:
        body = document["components"]["schemas"][_name_of(body["$ref"])]
    required = body.get("required", [])
    for name, one in body.get("properties", {}).items():
        kind = python_type(one, given=True)
        yield Argument(name, "body", kind, name in required, one.get("description", ""))


def methods(document: dict[str, Any], *, asynchronous: bool) -> str:
    """The module with a method for each request."""
    a = "async " if asynchronous else ""
    mode = "Async" if asynchronous else "Sync"
    iterator = f"{'Async' if asynchronous else ''}Iterator"
    parts = [
        _HEAD.format(about=f"A method for each request of the API, {mode.lower()}."),
        "from __future__ import annotations\n\n"
        f"from collections.abc import {iterator}, Sequence\n"
        "from datetime import datetime\nfrom typing import Any, Literal\nfrom uuid import UUID\n\n"
        "from morefollows_client import _models as models\n"
        "from morefollows_client._calls import UNSET, Call, Unset, Upload, path\n"
        f"from morefollows_client._{mode.lower()}_transport import {mode}Transport\n\n\n"
        f"class {mode}Requests({mode}Transport):\n"
        '    """The requests, by the names that the OpenAPI document gives them."""\n',
    ]
    for one in requests(document):
        parts.append(_method(one, a, iterator))
        if _is_page(document, one):
            parts.append(_items_method(document, one, iterator))
    return "".join(parts)


def _is_page(document: dict[str, Any], one: ApiOperation) -> bool:
    schema = document["components"]["schemas"].get(_name_of(one.answer.get("$ref", "")), {})
    return {"items", "next_cursor"} <= schema.get("properties", {}).keys()


def _prefixed(kind: str) -> str:
    """A type annotation with its classes as of the module `models`."""
    plain = {"UUID", "Any", "Literal", "None", "Sequence"}
    return re.sub(
        r"(?<![\"\w.])[A-Z]\w+(?![\w\"])",
        lambda found: found[0] if found[0] in plain else f"models.{found[0]}",
        kind,
    )


def _signature(one: ApiOperation, *, without: tuple[str, ...] = ()) -> str:
    arguments = [argument for argument in one.arguments if argument.name not in without]
    first = [f"{_safe(each.name)}: {each.kind}" for each in arguments if each.place == "path"]
    if one.upload:
        first.append("content: Upload")
    rest = [
        f"{_safe(each.name)}: {_prefixed(each.kind)}"
        for each in arguments
        if each.place != "path" and each.required
    ] + [
        f"{_safe(each.name)}: {_prefixed(each.kind)} | Unset = UNSET"
        for each in arguments
        if each.place != "path" and not each.required
    ]
    if one.upload:
        rest.append(f"content_type: str = {json.dumps(one.upload[0])}")
    if one.if_match:
        rest.append("if_match: int | None = None")
    if one.method != "GET":
        rest.append("idempotency_key: str | None = None")
    return ", ".join(["self", *first, *(["*", *rest] if rest else [])])


def _call(one: ApiOperation, answer: str, *, without: tuple[str, ...] = ()) -> str:
    here = [each for each in one.arguments if each.place == "path"]
    where = re.sub(r"{(\w+)}", lambda found: "{}", one.path)
    place = f"path({json.dumps(where)}, {', '.join(_safe(each.name) for each in here)})"
    given = [json.dumps(one.method), place if here else json.dumps(one.path), answer]
    for name, kept in (("query", "query"), ("body", "body")):
        pairs = [
            f'"{each.name}": {_safe(each.name)}'
            for each in one.arguments
            if each.place == kept and each.name not in without
        ]
        if pairs or (name == "body" and not one.upload and _has_body(one)):
            given.append(f"{name}={{{', '.join(pairs)}}}")
    if one.upload:
        given += ["content=content", "content_type=content_type"]
    if one.if_match:
        given.append("if_match=if_match")
    if one.method != "GET":
        given.append("idempotency_key=idempotency_key")
    return f"Call({', '.join(given)})"


def _has_body(one: ApiOperation) -> bool:
    return any(each.place == "body" for each in one.arguments)


def _docstring(one: ApiOperation, more: str = "", without: tuple[str, ...] = ()) -> str:
    lines = [*_wrapped(one.about + more, 88)]
    told = [each for each in one.arguments if each.about and each.name not in without]
    if told:
        lines.append("")
    for each in told:
        lines += _wrapped(f"`{_safe(each.name)}`: {each.about}", 88)
    text = "\n        ".join(lines).replace("\\", "\\\\")
    closing = "\n        " if len(lines) > 1 else ""
    return f'        """{text}{closing}"""\n'.replace("\n        \n", "\n\n")


def _method(one: ApiOperation, a: str, iterator: str) -> str:
    answer = _prefixed(python_type(one.answer)) if one.answer else "None"
    if one.streams:
        return (
            f"\n    def {one.name}({_signature(one)}) -> {iterator}[dict[str, Any]]:\n"
            f"{_docstring(one)}        return self._lines({_call(one, 'dict')})\n"
        )
    wait = "await " if a else ""
    doing = f"return {wait}self._answer" if one.answer else f"{wait}self._done"
    return (
        f"\n    {a}def {one.name}({_signature(one)}) -> {answer}:\n"
        f"{_docstring(one)}        {doing}({_call(one, answer if one.answer else 'None')})\n"
    )


def _items_method(document: dict[str, Any], one: ApiOperation, iterator: str) -> str:
    schema = document["components"]["schemas"][_name_of(one.answer["$ref"])]
    item = _prefixed(python_type(schema["properties"]["items"]["items"]))
    name = one.name.replace("list_", "iter_")
    return (
        f"\n    def {name}({_signature(one, without=('cursor',))}) -> {iterator}[{item}]:\n"
        f"{_docstring(one, ' It fetches page after page.', ('cursor',))}"
        f"        return self._items({_call(one, python_type(one.answer), without=('cursor',))})\n"
    ).replace(f", {python_type(one.answer)}", f", models.{python_type(one.answer)}")


# -- writing --------------------------------------------------------------------------------------


def python_files(document: dict[str, Any]) -> dict[Path, str]:
    made = {
        PYTHON / "_models.py": models(document),
        PYTHON / "_sync.py": methods(document, asynchronous=False),
        PYTHON / "_async.py": methods(document, asynchronous=True),
    }
    return {file: _formatted(text) for file, text in made.items()}


def typescript_operations(document: dict[str, Any]) -> str:
    """The module that says how each operation is sent."""
    lines = [
        "// Made by tools/clients.py from clients/openapi.json: do not edit it.",
        "",
        "/** Operation id → method, path, and content type of a body. */",
        "export const OPERATIONS = {",
    ]
    for one in requests(document):
        body = one.upload[0] if one.upload else _JSON if _has_body(one) else ""
        lines.append(f'  {one.id}: ["{one.method}", "{one.path}", "{body}"],')
    return "\n".join([*lines, "} as const;", ""])


def _formatted(text: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    fixed = subprocess.run(
        [ruff, "check", "--quiet", "--fix", "--select", "I,F401", "--stdin-filename", "c.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    done = subprocess.run(
        [ruff, "format", "--stdin-filename", "c.py", "-"],
        input=fixed.stdout,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _mark(document: str) -> str:
    return f"// Made by tools/clients.py from clients/openapi.json, {_digest(document)}.\n"


def main() -> int:
    document = current_document()
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    made = {
        DOCUMENT: text,
        OPERATIONS: typescript_operations(document),
        **python_files(document),
    }
    if "--check" in sys.argv[1:]:
        stale = [
            file
            for file, wanted in made.items()
            if not file.exists() or file.read_text(encoding="utf-8") != wanted
        ]
        if not SCHEMA.exists() or _mark(text) not in SCHEMA.read_text(encoding="utf-8")[:500]:
            stale.append(SCHEMA)
        for file in stale:
            print(f"{file.relative_to(ROOT)} is stale: run `make clients`", file=sys.stderr)
        return 1 if stale else 0
    for file, wanted in made.items():
        file.write_text(wanted, encoding="utf-8")
    tool = TYPESCRIPT / "node_modules" / ".bin" / "openapi-typescript"
    done = subprocess.run(
        [tool, DOCUMENT, "--default-non-nullable", "false"],
        capture_output=True,
        text=True,
        check=True,
    )
    SCHEMA.write_text(_mark(text) + done.stdout, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
