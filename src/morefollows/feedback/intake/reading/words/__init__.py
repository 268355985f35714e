"""Words and lines by which reports are known, in many languages: a pattern on each line.

Patterns are regular expressions, compared without case. Lines that begin with # are comments.
`word_list` compiles a list when it is first used.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def word_list(name: str) -> re.Pattern[str]:
    """Returns the pattern that matches any line of the list `name`."""
    lines = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    flags = re.IGNORECASE | (re.MULTILINE if name in _OF_LINES else re.NOFLAG)
    return re.compile("|".join(patterns), flags)


_OF_LINES = ("returned-mail", "unsubscribe")  # lists in which ^ and $ are ends of lines
