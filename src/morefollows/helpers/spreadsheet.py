"""CSV for people who open it in a spreadsheet: the one way in which anything is exported as CSV.

A spreadsheet runs a cell that begins with one of a few characters as a formula, whoever wrote it. Such a cell gets an
apostrophe in front, which spreadsheets take for "this is text". `original` takes it away again, so that what we
export can be imported without loss.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import BinaryIO

# The full-width ones are taken for the others where a Japanese or Chinese keyboard is set.
_RUN = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def harmless(cell: object) -> object:
    """A cell as it may stand in a file. Whatever is no text is left as it is."""
    return f"'{cell}" if isinstance(cell, str) and _RUN.match(cell) else cell


def original(cell: str) -> str:
    """The text from which `harmless` made this cell."""
    return cell[1:] if cell.startswith("'") and _RUN.match(cell) else cell


def write(file: BinaryIO, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> int:
    """Writes a heading and `rows` as CSV (RFC 4180), in UTF-8. Returns how many rows. `file` stays open."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        out = csv.writer(text)
        out.writerow(columns)
        count = 0
        for row in rows:
            out.writerow([harmless(cell) for cell in row])
            count += 1
    finally:
        text.detach()
    return count
