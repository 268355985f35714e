"""CSV that is safe to open in a spreadsheet. Every CSV export uses it.

A spreadsheet runs a cell that begins with certain characters as a formula, whoever wrote it. Such a
cell gets a leading apostrophe, which spreadsheets read as "this is text". `original` removes it, so
that an export can be imported without loss.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import BinaryIO

# The full-width characters count as the others with a Japanese or Chinese keyboard.
_RUN = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def harmless(cell: object) -> object:
    """Returns a cell that is safe in a file. Values that are not text stay unchanged."""
    return f"'{cell}" if isinstance(cell, str) and _RUN.match(cell) else cell


def original(cell: str) -> str:
    """Returns the text from which `harmless` made this cell."""
    return cell[1:] if cell.startswith("'") and _RUN.match(cell) else cell


def write_csv(file: BinaryIO, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> int:
    """Writes a header and `rows` as CSV (RFC 4180) in UTF-8. Returns the number of rows.

    `file` stays open.
    """
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
