"""CSV that is safe to open in a spreadsheet. Every CSV export uses it.

A spreadsheet runs a cell that begins with certain characters as a formula, also if a stranger wrote
it. Such a cell gets a leading apostrophe, which spreadsheets read as "this is text". `original`
removes it, so that an export can be imported without loss.

Where the comma is for decimals, Excel splits a line at semicolons, wherever quotation marks stand.
So what follows a semicolon, a tab or a line break inside of a cell may become a cell of its own,
and gets an apostrophe, too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import BinaryIO

# The full-width characters count as the others with a Japanese or Chinese keyboard.
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_RUN = re.compile(f"'*[{_FORMULA}\t\r\n]")
_INSIDE = re.compile(f"(?<=[;\t\r\n])(?=[\"']*[{_FORMULA}])")
_INSIDE_WRITTEN = re.compile(f"(?<=[;\t\r\n])'(?=[\"']*[{_FORMULA}])")


def harmless(cell: object) -> object:
    """Returns a cell that is safe in a file. Values that are not text stay unchanged."""
    if not isinstance(cell, str):
        return cell
    return ("'" if _RUN.match(cell) else "") + _INSIDE.sub("'", cell)


def original(cell: str) -> str:
    """Returns the text from which `harmless` made this cell."""
    cell = cell[1:] if cell.startswith("'") and _RUN.match(cell) else cell
    return _INSIDE_WRITTEN.sub("", cell)


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
