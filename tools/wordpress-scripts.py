#!/usr/bin/env python3
"""Writes the translations of the plugin's scripts, one file a script, in the form of Jed 1.x.

``tools/wordpress-scripts.py PO`` reads the `.mo` beside it, and writes what each script says to
`morefollows-LOCALE-morefollows-SCRIPT.json`, as WordPress looks for it. `tools/wordpress-messages`
calls it.
"""

from __future__ import annotations

import gettext
import json
import re
import sys
from pathlib import Path

_REFERENCE = re.compile(r"assets/([a-z]+)\.js:\d+")


def scripts(po: str) -> dict[str, list[str]]:
    """Script → the words that it uses, in their order."""
    found: dict[str, list[str]] = {}
    for entry in po.split("\n\n")[1:]:
        words = re.search(r'^msgid ("(?:.*?)"(?:\n".*?")*)$', entry, re.M)
        if words is None:
            continue
        text = "".join(json.loads(line) for line in words[1].split("\n"))
        for script in dict.fromkeys(_REFERENCE.findall(entry)):
            found.setdefault(script, []).append(text)
    return found


def main() -> int:
    path = Path(sys.argv[1])
    with path.with_suffix(".mo").open("rb") as file:
        known = gettext.GNUTranslations(file)
    catalog = known._catalog  # type: ignore[attr-defined]
    locale = path.stem.removeprefix("morefollows-")
    head = {
        "domain": "messages",
        "lang": locale,
        "plural-forms": known.info()["plural-forms"],
    }
    for script, words in sorted(scripts(path.read_text(encoding="utf-8")).items()):
        messages: dict[str, object] = {"": head}
        for one in words:
            forms = [catalog[key] for key in ((one, 0), (one, 1)) if key in catalog]
            messages[one] = forms or [catalog[one]]
        data = {"domain": "messages", "locale_data": {"messages": messages}}
        to = path.with_name(f"{path.stem}-morefollows-{script}.json")
        to.write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
