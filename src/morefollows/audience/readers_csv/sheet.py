"""A CSV file (RFC 4180, UTF-8) as a sheet: the names of its columns, then its records one by one.

Each line stands alone as far as it can: a quotation mark left open can't swallow the lines below. A record whose cell
really holds line breaks (RFC 4180 §2.6) is put together from its lines, and must then have as many cells as the header.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_LONGEST_LINE = 10_000  # bytes
_MOST_LINES = 100  # of one record
_DELIMITERS = ",;\t"


class NotReadable(ValueError):
    """The file is not what an import can read. ``str()`` says why, and what to do."""


class Place(NamedTuple):
    """How far a file has been read: to the end of a record."""

    line: int
    position: int  #: bytes


class Record(NamedTuple):
    """One record, or one line that is none."""

    line: int  #: number of its first line, from 1
    cells: list[str]
    problem: str  #: why it can't be read; then it has no cells
    end: Place


class _Line(NamedTuple):
    text: str | None  #: None when it can't be read as text
    end: Place


class Sheet:
    """The file from its start. `header` is the first line that is not empty, or [] if that holds an address."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ahead: deque[_Line] = deque()
        self._end = Place(0, 0)
        self.header: list[str] = []
        self._delimiter = ","
        first = self._next_line(filled=True)
        if first is None or first.text is None:
            return self._put_back(first)
        self._delimiter = next((mark for mark in _DELIMITERS if mark in first.text), ",")
        if "@" in first.text:
            return self._put_back(first)
        try:
            self.header = [cell.strip().lower() for cell in self._cells(first.text)]
        except csv.Error as error:
            raise NotReadable(f"line {first.end.line}, which should name the columns, is not CSV: {error}") from None

    def go_on_from(self, place: Place) -> None:
        """Passes over what was read before, up to a `Record.end`."""
        self._ahead.clear()
        self._file.seek(place.position)
        self._end = place

    def records(self) -> Iterator[Record]:
        """Empty lines are left out."""
        while (line := self._next_line(filled=True)) is not None:
            yield self._record(line)

    def _record(self, line: _Line) -> Record:
        number = line.end.line
        if line.text is None:
            return Record(number, [], f"is not UTF-8 text, or has more than {_LONGEST_LINE:,} bytes", line.end)
        try:
            return Record(number, self._cells(line.text), "", line.end)
        except csv.Error as error:
            return self._longer_record(line, line.text) or Record(number, [], f"is not CSV: {error}", line.end)

    def _longer_record(self, line: _Line, text: str) -> Record | None:
        """The record that begins here and ends some lines below; None, and nothing is taken, if there is none."""
        taken: list[_Line] = []
        while len(taken) < _MOST_LINES and (below := self._next_line()) is not None:
            taken.append(below)
            if below.text is None:
                break
            text += "\n" + below.text
            if '"' not in below.text:
                continue
            try:
                cells = self._cells(text)
            except csv.Error:
                continue
            if len(cells) == len(self.header):
                return Record(line.end.line, cells, "", below.end)
            break
        self._ahead.extendleft(reversed(taken))
        return None

    def _cells(self, text: str) -> list[str]:
        pieces = text.split("\n")
        lines = [piece + "\n" for piece in pieces[:-1]] + pieces[-1:]
        rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        return rows[0] if len(rows) == 1 else []

    def _next_line(self, *, filled: bool = False) -> _Line | None:
        """The next line, or the next with something in it; None at the end of the file."""
        while (line := self._ahead.popleft() if self._ahead else self._read_line()) is not None:
            if not filled or line.text is None or line.text.strip(" \t,;"):
                return line
        return None

    def _put_back(self, line: _Line | None) -> None:
        if line is not None:
            self._ahead.appendleft(line)

    def _read_line(self) -> _Line | None:
        piece = self._file.readline(_LONGEST_LINE)
        if not piece:
            return None
        size, rest, whole = len(piece), piece, True
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            whole = False  # too long: it is passed over, not kept
            rest = self._file.readline(_LONGEST_LINE)
            size += len(rest)
        if self._end.position == 0:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        self._end = Place(self._end.line + 1, self._end.position + size)
        return _Line(_decoded(piece) if whole else None, self._end)


def _decoded(piece: bytes) -> str | None:
    try:
        return piece.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return None
