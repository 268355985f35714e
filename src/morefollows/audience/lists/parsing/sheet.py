"""Reads a CSV file (RFC 4180): first the names of its columns, then its records one by one.

Lines are parsed one by one, so that an unclosed quotation mark can't swallow the lines below. A
record with line breaks in a cell (RFC 4180 §2.6) is joined from its lines. It must then have as
many cells as the header.

Invariant: memory use does not grow with the file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from morefollows.audience.lists.parsing.cells import is_address
from morefollows.audience.lists.parsing.encoding import NotReadable, readable
from morefollows.audience.lists.parsing.vocabulary import compact, is_address_heading

_LONGEST_LINE = 10_000  # bytes
_MOST_LINES = 100  # below the first line of a record
_DELIMITERS = ",;\t|"
_SAMPLE = 30  # lines used to detect delimiter and heading
_SEP = re.compile(r"sep=(.)", re.IGNORECASE)  # Excel's first line, which names the delimiter

__all__ = ["NotReadable", "Record", "Sheet", "SheetPosition"]


class SheetPosition(NamedTuple):
    """A place in a file, at the end of a record."""

    line: int
    position: int  #: bytes


class Record(NamedTuple):
    """One record, or one line that can't be read as a record."""

    line: int  #: number of its first line, from 1
    cells: list[str]
    problem: str  #: why it can't be read; `cells` is then empty. "" if it can
    end: SheetPosition
    eight_bit: bool = False  #: not UTF-8: letters outside ASCII may be wrong


class _Line(NamedTuple):
    text: str | None  #: None when it can't be read as text
    end: SheetPosition
    eight_bit: bool = False


class Sheet:
    """A CSV file, read from its start. Raises `NotReadable`.

    `names`: the names of the columns; [] if the file has no heading.
    `header`: the same names in the form of `vocabulary.compact`.
    `notes`: what was unusual, for the report.
    """

    def __init__(self, file: BinaryIO) -> None:
        kept = readable(file)
        self._file, self._copied = kept.file, kept.file is not file
        self.notes: list[str] = [f"The file was read as {kept.was}."] if kept.was else []
        self._ahead: deque[_Line] = deque()
        self._end = SheetPosition(0, 0)
        self._delimiter = ","
        self.names: list[str] = []
        self.only_addresses = False  #: the file is nothing but addresses, however many in a line
        self._wrapped = False  # each line is one cell, which holds the record
        self.repeated = 0  #: lines that were the heading once more
        self._first = SheetPosition(0, 0)  # where the records begin
        try:
            self._find_heading()
        except NotReadable:
            self.__exit__()
            raise
        self.header = [compact(name) for name in self.names]

    def __enter__(self) -> Sheet:
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the temporary copy, if there is one. The caller's file stays open."""
        if self._copied:
            self._file.close()

    @property
    def place(self) -> SheetPosition:
        """The end of the last line read."""
        return self._end

    def go_back(self) -> None:
        """Go back to the first record, to read the file a second time."""
        self.go_on_from(self._first)
        self.repeated = 0

    def go_on_from(self, place: SheetPosition) -> None:
        """Continue after the record that ended at `place` (a `Record.end`)."""
        self._ahead.clear()
        self._file.seek(place.position)
        self._end = place

    def records(self) -> Iterator[Record]:
        """All records from here on, without empty lines and repeated headings."""
        width = len(self.names)
        while (line := self._next_line(filled=True)) is not None:
            record = self._record(line)
            if width and self._is_heading(record.cells):
                self.repeated += 1
                continue
            if (
                width
                and len(record.cells) > width
                and any(cell.strip() for cell in record.cells[width:])
            ):
                why = (
                    f"has {len(record.cells)} cells, and the heading names {width}: "
                    "which is which is not certain"
                )
                record = Record(record.line, [], why, record.end)
            yield record

    def _is_heading(self, cells: list[str]) -> bool:
        """Whether the cells repeat the names of the columns."""
        found = [cell.strip(" \t\ufeff") for cell in cells]
        return bool(found) and found[0] == self.names[0] and found[: len(self.names)] == self.names

    # -- the heading -------------------------------------------------------------------------------

    def _find_heading(self) -> None:
        """Detect delimiter and heading from the first `_SAMPLE` lines that are not empty."""
        lines: list[_Line] = []
        start = self._end
        while len(lines) < _SAMPLE and (line := self._next_line(filled=True)) is not None:
            lines.append(line)
        texts = [line.text or "" for line in lines]
        if texts and (separator := _SEP.fullmatch(texts[0].strip())):
            self._delimiter = separator[1]
            start = lines[0].end
            del lines[0], texts[0]
        else:
            self._delimiter = _delimiter(texts)
            self._unwrap(texts)
        rows = [[cell.strip() for cell in self._rough_cells(text)] for text in texts]
        first = next((at for at, row in enumerate(rows) if any(map(is_address, row))), len(rows))
        named = [
            at for at, row in enumerate(rows[: first + 1]) if any(map(is_address_heading, row))
        ]
        heading = next(
            (at for at in named if at < first or not any(map(is_address, rows[at]))), None
        )
        if heading is None and 0 < first < len(rows) and len(rows[first - 1]) == len(rows[first]):
            heading = first - 1
            self.notes.append(
                f"Line {lines[heading].end.line} was taken for the names of the columns."
            )
        elif heading is None and rows and first == len(rows):
            heading = 0
        if heading is not None:
            self.names = self._named(lines[heading], rows[heading])
            self._ahead.extendleft(reversed(lines[heading + 1 :]))
            self._first = lines[heading].end
            passed = lines[:heading]
        else:
            found = rows[first:]
            self.only_addresses = bool(found) and all(
                is_address(cell) for row in found for cell in row if cell
            )
            self._ahead.extendleft(reversed(lines[first:]))
            self._first = lines[first - 1].end if first else start
            passed = lines[:first]
        if passed:
            numbers = ", ".join(str(line.end.line) for line in passed)
            self.notes.append(
                f"Above the columns' names there was more, and was left out: line {numbers}."
            )

    def _named(self, line: _Line, row: list[str]) -> list[str]:
        """The cells of the heading, without empty ones at its end. Raises `NotReadable`."""
        if line.text is not None and line.text.count('"') % 2:
            raise NotReadable(
                f"line {line.end.line}, which should name the columns, is not CSV: "
                "a quote is left open"
            )
        while row and not row[-1]:
            row.pop()
        return row

    def _unwrap(self, texts: list[str]) -> None:
        """Detect whether each line is a single quoted cell, as in a file saved twice as CSV."""
        inner = [_only_cell(text) for text in texts]
        if len(texts) > 1 and all(inner):
            delimiter = _delimiter(inner)
            if all(delimiter in text for text in inner):
                self._wrapped, self._delimiter = True, delimiter
                self.notes.append(
                    "Each line was one cell in quotation marks; what is in it was taken apart."
                )

    def _rough_cells(self, text: str) -> list[str]:
        return next(
            csv.reader([_only_cell(text) if self._wrapped else text], delimiter=self._delimiter), []
        )

    # -- records -----------------------------------------------------------------------------------

    def _record(self, line: _Line) -> Record:
        """The record that begins with this line, or one that says why it can't be read."""
        number = line.end.line
        if line.text is None:
            return Record(number, [], f"has more than {_LONGEST_LINE:,} bytes", line.end)
        try:
            return Record(number, self._cells(line.text), "", line.end, line.eight_bit)
        except csv.Error as error:
            return self._longer_record(line, line.text) or Record(
                number, [], f"is not CSV: {error}", line.end
            )

    def _longer_record(self, line: _Line, text: str) -> Record | None:
        """The record that begins here and ends some lines below.

        Returns None if there is none; the lines below are then read again as records of their own.
        """
        taken: list[_Line] = []
        eight_bit = line.eight_bit
        while len(taken) < _MOST_LINES and (below := self._next_line()) is not None:
            taken.append(below)
            if below.text is None:
                break
            text += "\n" + below.text
            eight_bit = eight_bit or below.eight_bit
            if '"' not in below.text:
                continue
            try:
                cells = self._cells(text)
            except csv.Error:
                continue
            if len(cells) == len(self.header):
                return Record(line.end.line, cells, "", below.end, eight_bit)
            break
        self._ahead.extendleft(reversed(taken))
        return None

    def _cells(self, text: str) -> list[str]:
        if self._wrapped:
            text = _only_cell(text) or text
        pieces = text.split("\n")
        lines = [piece + "\n" for piece in pieces[:-1]] + pieces[-1:]
        rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        return rows[0] if len(rows) == 1 else []

    def _next_line(self, *, filled: bool = False) -> _Line | None:
        """The next line; with `filled`, the next that is not empty. None at the end of the file."""
        while (line := self._ahead.popleft() if self._ahead else self._read_line()) is not None:
            if not filled or line.text is None or line.text.strip(" \t,;|\x00\ufeff"):
                return line
        return None

    def _read_line(self) -> _Line | None:
        """Read one line from the file; None at its end. A line that is too long has no text."""
        piece = self._file.readline(_LONGEST_LINE)
        if not piece:
            return None
        size, rest, whole = len(piece), piece, True
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            whole = False  # too long: read to its end without keeping it in memory
            rest = self._file.readline(_LONGEST_LINE)
            size += len(rest)
        if self._end.position == 0:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        self._end = SheetPosition(self._end.line + 1, self._end.position + size)
        return _decoded(piece.rstrip(b"\r\n"), self._end) if whole else _Line(None, self._end)


def _decoded(piece: bytes, end: SheetPosition) -> _Line:
    """A line as text: UTF-8 if it is valid UTF-8, else an eight-bit encoding."""
    try:
        return _Line(piece.decode(), end)
    except UnicodeDecodeError:
        return _Line(piece.decode(_eight_bit(piece), "replace"), end, eight_bit=True)


def _only_cell(text: str) -> str:
    """The content of a line that is a single quoted cell; else ""."""
    text = text.strip(" \t;,")
    if not text.startswith('"'):
        return ""
    cells = next(csv.reader([text], delimiter=","), [])
    return cells[0] if len(cells) == 1 else ""


def _eight_bit(piece: bytes) -> str:
    """Guess between Windows-1252 and Mac OS Roman.

    Accented letters are at 0xC0-0xFF in Windows-1252 and mostly at 0x80-0x9F in Mac OS Roman.
    """
    low = sum(
        0x80 <= octet < 0xA0 and octet not in b"\x80\x85\x91\x92\x93\x94\x96\x97" for octet in piece
    )
    return "mac_roman" if low > sum(octet >= 0xC0 for octet in piece) else "cp1252"


def _delimiter(texts: list[str]) -> str:
    """The delimiter by which most lines have the same number of cells, with intact quotes."""

    def fitness(mark: str) -> tuple[int, int]:
        rows = [next(csv.reader([text], delimiter=mark), []) for text in texts]
        width, lines = Counter(map(len, rows)).most_common(1)[0]
        torn = sum(any('"' in cell for cell in row) for row in rows)
        return (lines - torn, width) if width > 1 else (-torn, 0)

    if not texts:
        return ","
    found = max(_DELIMITERS, key=fitness)
    return found if fitness(found)[1] else ","
