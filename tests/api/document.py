"""``python -m tests.api.document [EXAMPLES [KEY …]]``: holds the running API to its document.

schemathesis sends each request as the document allows and forbids it, EXAMPLES of each, and fails
on any answer that the document does not have. It does so with three keys: one for readers, one for
drafts, one for everything; KEY names some of them. With 0 examples it sends what is at the edges of
the document alone. `make contract` runs it. It takes minutes: making texts of the longest allowed
length is slow.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from morefollows.api.scopes import Scope
from tests.support.installation import Installation

#: What the key is for → its scopes and role.
KEYS: dict[str, tuple[tuple[str, ...], str]] = {
    "readers": ((Scope.READERS_READ, Scope.READERS_WRITE), "editor"),
    "drafts": ((Scope.STORIES_READ, Scope.STORIES_WRITE), "reporter"),
    "everything": (tuple(Scope.values), "administrator"),
}


def main() -> int:
    examples = sys.argv[1] if len(sys.argv) > 1 else "20"
    wanted = sys.argv[2:] or list(KEYS)
    installation = Installation(api_requests="100000")
    failed = []
    try:
        installation.start("--sample")
        for name in wanted:
            scopes, role = KEYS[name]
            print(f"With the key for {name}:", flush=True)
            if hold(installation, scopes, role, examples):
                failed.append(name)
    finally:
        installation.clear()
    if failed:
        print(f"The document and the answers differ for the keys: {', '.join(failed)}")
    return 1 if failed else 0


def hold(installation: Installation, scopes: tuple[str, ...], role: str, examples: str) -> int:
    """Runs schemathesis with a key of these scopes. Returns its exit code."""
    phases = "examples,coverage,fuzzing" if int(examples) else "examples,coverage"
    words = [word for scope in scopes for word in ("--scope", str(scope))]
    made = installation.command("keys", "add", "CMS", *words, "--role", role, "--json")
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run"),
                f"{installation.url}/api/v1/openapi.json",
                *("-H", f"Authorization: Bearer {json.loads(made.stdout)['key']}"),
                *("--checks", "all", "--max-examples", str(int(examples) or 1), "--seed", "1"),
                *("--phases", phases, "--no-color"),
            ],
            cwd=folder,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
