"""The web processes use private parts of uvicorn: a change of one fails here.

When this fails after an upgrade: read what changed in uvicorn, see that `Connection` in
`processes/web/connections/connection.py` and `_Server` in `processes/web/server.py` still fit, run
the tests in `tests/live`, and put in the digests that are printed here. pyproject.toml has the
range of versions that they belong to.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from importlib.metadata import requires, version

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

#: What ours overrides, calls or relies on, and a digest of its code without comments and
#: docstrings.
KNOWN: dict[tuple[type, str], str] = {
    (HttpToolsProtocol, "__init__"): "ef1b7c9c785b",
    (HttpToolsProtocol, "connection_made"): "52a70c678525",
    (HttpToolsProtocol, "connection_lost"): "8a5a84898dab",
    (HttpToolsProtocol, "data_received"): "8583b7d501b5",
    (HttpToolsProtocol, "on_message_begin"): "4f7bac281585",
    (HttpToolsProtocol, "on_url"): "381560766601",
    (HttpToolsProtocol, "on_header"): "fa663d220912",
    (HttpToolsProtocol, "on_headers_complete"): "f5d7f89383b9",
    (HttpToolsProtocol, "on_body"): "04bff947c3d5",
    (HttpToolsProtocol, "on_message_complete"): "4ce97e51d988",
    (HttpToolsProtocol, "eof_received"): "463e2d67aaf5",
    (HttpToolsProtocol, "on_response_complete"): "3b835da51ff0",
    (HttpToolsProtocol, "_unset_keepalive_if_required"): "c8a2b3d2c654",
    (RequestResponseCycle, "__init__"): "6f7b16ad25ee",
    (RequestResponseCycle, "send"): "e4355b337add",
    (uvicorn.Server, "startup"): "8b35da79161a",
    (uvicorn.Server, "handle_exit"): "7ea8c96125df",
    (uvicorn.Server, "capture_signals"): "5c21d816e7ca",
    (uvicorn.Server, "shutdown"): "6b5cbc9c494e",
}


def digest(owner: type, name: str) -> str:
    found = getattr(owner, name, None)
    assert found is not None, f"uvicorn {version('uvicorn')} has no {owner.__name__}.{name}"
    tree = ast.parse(textwrap.dedent(inspect.getsource(found)))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    if ast.get_docstring(function) is not None:
        del function.body[0]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:12]


@pytest.mark.parametrize(("owner", "name"), KNOWN)
def test_the_private_parts_are_those_we_know(owner: type, name: str) -> None:
    found = digest(owner, name)
    changed = f"uvicorn {version('uvicorn')} changed {owner.__name__}.{name}: its digest is {found}"
    assert found == KNOWN[owner, name], changed


def test_no_other_minor_version_is_installed_beside_us() -> None:
    (uvicorns,) = [line for line in requires("morefollows") or () if line.startswith("uvicorn")]
    minor = int(version("uvicorn").split(".")[1])
    assert f"<0.{minor + 1}" in uvicorns.replace(" ", ""), uvicorns
