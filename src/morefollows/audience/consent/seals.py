"""A hash chain over the evidence of consent. It reveals changes made outside the application.

Rows are not chained when they are written, as concurrent transactions would have to wait for each
other. Housekeeping seals them later, up to `_ROWS` at a time. A seal stores a hash of each row (a
leaf). The hash of the seal covers the leaves and the hash of the previous seal. The seal's MAC is
made with a key that is not in the database.

Permitted changes keep the chain valid. Client addresses are not hashed, so they can be shortened.
The leaves of an erased reader stay; they identify nobody. A file in the data folder also stores
the number and hash of the newest seal. It reveals a truncated chain.

Invariant: seals are numbered from 1 without gaps, and a row is covered by at most one seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import random
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Max
from django.utils import timezone

from morefollows.audience.models import ErasedReader, Reader, Seal, SealMark

log = logging.getLogger(__name__)

_ROWS = 1_000  # maximum number of rows that one seal covers
_LEAF = 16  # bytes of a row's hash
#: The age at which rows are sealed. No transaction lasts that long, so no lower number can appear.
SETTLED = timedelta(minutes=30)
HEAD = "evidence-head.json"  #: in the data folder


@dataclass(frozen=True)
class EvidenceTable:
    """A table of evidence.

    `formats`: the hashed fields, by version; new seals use the newest. `subject`: the field with
    the reader whose erasure deletes the row. `published`: a field that is empty until the row
    counts as evidence; without it, every row counts at once.
    """

    label: str
    formats: dict[int, tuple[str, ...]]
    subject: str = ""
    published: str = ""

    @property
    def rows(self) -> models.QuerySet[Any]:
        model: type[models.Model] = apps.get_model(self.label)
        return model._default_manager.order_by("pk")

    @property
    def table(self) -> str:
        return str(apps.get_model(self.label)._meta.db_table)


_kinds: dict[str, EvidenceTable] = {}


def register_tables(*kinds: EvidenceTable) -> None:
    """Adds tables to the chain. Called when Django starts."""
    _kinds.update({kind.label: kind for kind in kinds})


# -- leaves ---------------------------------------------------------------------------------------


class SealedRows(NamedTuple):
    """The rows that a seal covers: primary keys, those of their readers (0: none), and hashes."""

    numbers: list[int]
    subjects: list[int]
    hashes: list[bytes]

    def packed(self) -> bytes:
        """Returns the content of `Seal.leaves`: numbers and subjects compressed, then hashes."""
        ids = array("q", [*self.numbers, *self.subjects])
        return zlib.compress(ids.tobytes()) + b"".join(self.hashes)

    @classmethod
    def unpacked(cls, packed: bytes, count: int) -> SealedRows:
        """The reverse of `packed`. Raises `ValueError` if `packed` is malformed."""
        hashes = packed[len(packed) - count * _LEAF :]
        ids = array("q")
        try:
            ids.frombytes(zlib.decompress(packed[: len(packed) - count * _LEAF]))
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if len(ids) != 2 * count or len(hashes) != count * _LEAF:
            raise ValueError("of another length")
        found = [hashes[at : at + _LEAF] for at in range(0, len(hashes), _LEAF)]
        return cls(list(ids[:count]), list(ids[count:]), found)


def _leaves(kind: EvidenceTable, rows: models.QuerySet[Any], format: int) -> SealedRows:
    fields = kind.formats[format]
    found = SealedRows([], [], [])
    at = fields.index(kind.subject) if kind.subject else -1
    for row in rows.values_list(*fields):
        found.numbers.append(row[0])
        found.subjects.append(row[at] if at >= 0 else 0)
        found.hashes.append(_hash(row))
    return found


def _hash(row: Sequence[Any]) -> bytes:
    """Returns the hash of a row. It is the same on SQLite and PostgreSQL."""
    record = json.dumps(
        [_plain(value) for value in row], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(record.encode("utf-8", "surrogatepass")).digest()[:_LEAF]


def _plain(value: Any) -> Any:
    """Returns a value that JSON can represent: times in UTC, bytes in hexadecimal."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


# -- sealing --------------------------------------------------------------------------------------


def seal(
    *, settled: timedelta = SETTLED, most: int = 500, between: Callable[[], None] = lambda: None
) -> int:
    """Seals rows older than `settled`. Returns how many seals were made.

    `most`: maximum number of seals; each is a short transaction of its own. `between`: called after
    each seal; an exception from it ends the run and is passed on.
    """
    made = 0
    try:
        for kind in _kinds.values():
            # Updates are published in any order. So these rows are found by time, not by number.
            upto = None if kind.published else _settled(kind, settled)
            while made < most and _seal_next(kind, upto, settled):
                made += 1
                between()
    finally:
        if made:
            _keep_head()
    return made


def _settled(kind: EvidenceTable, settled: timedelta) -> int:
    """Returns the row number up to which no row can be added any more; 0 if not known yet.

    That is the highest number recorded at least `settled` ago. A call that returns such a number
    also records the current one.
    """
    now = timezone.now()
    with transaction.atomic():
        # Keys are given out before COMMIT. So a lower number may still appear after a higher one,
        # until the transactions of that time have ended.
        mark = SealMark.objects.select_for_update().filter(table=kind.table).first()
        old_enough = mark is None or not now - settled < mark.at <= now
        if old_enough:
            highest = kind.rows.aggregate(highest=Max("pk", default=0))["highest"]
            SealMark.objects.update_or_create(
                table=kind.table, defaults={"last": highest, "at": now}
            )
    return mark.last if mark is not None and old_enough else 0


def _seal_next(kind: EvidenceTable, upto: int | None, settled: timedelta) -> bool:
    """Writes the next seal. Returns False if there is nothing to seal, or another process wrote it.

    Reading needs no transaction, as the rows never change. The primary key rejects a second seal
    with the same number.
    """
    before = Seal.objects.order_by("-number").first()
    if upto is None:
        rows = _published_unsealed(kind, settled)
    else:
        sealed = Seal.objects.filter(table=kind.table).aggregate(last=Max("last", default=0))[
            "last"
        ]
        rows = kind.rows.filter(pk__gt=sealed, pk__lte=upto)
    format = max(kind.formats)
    leaves = _leaves(kind, rows[:_ROWS], format)
    if not leaves.numbers:
        return False
    new = Seal(
        number=before.number + 1 if before else 1,
        table=kind.table,
        last=max(leaves.numbers),
        count=len(leaves.numbers),
        format=format,
        leaves=leaves.packed(),
        previous=before.hash if before else "",
        at=timezone.now(),
    )
    new.hash = _hash_of(new)
    # The hash shows accidents. Against somebody who can write to the database only the MAC helps,
    # as its key is elsewhere.
    new.mac = _macs(new.hash)[0]
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _published_unsealed(kind: EvidenceTable, settled: timedelta) -> models.QuerySet[Any]:
    """Returns published rows that no seal covers.

    Rows are not published in the order of their numbers. So the leaves of all seals of the table
    are read; such tables have few rows.
    """
    sealed: set[int] = set()
    for packed, count in (
        Seal.objects.filter(table=kind.table).values_list("leaves", "count").iterator()
    ):
        sealed.update(SealedRows.unpacked(bytes(packed), count).numbers)
    old = kind.rows.filter(**{f"{kind.published}__lt": timezone.now() - settled}).values_list(
        "pk", flat=True
    )
    return kind.rows.filter(pk__in=[key for key in old if key not in sealed][:_ROWS])


def _hash_of(one: Seal) -> str:
    """Returns the hash that a seal must have, in hexadecimal."""
    facts = [one.number, one.table, one.last, one.count, one.format, _plain(one.at), one.previous]
    leaves = hashlib.sha256(bytes(one.leaves)).hexdigest()
    return hashlib.sha256(json.dumps([*facts, leaves]).encode()).hexdigest()


def _macs(hash: str) -> list[str]:
    """Returns the MACs by every key that seals were made with; the newest key's first."""
    keys = settings.MOREFOLLOWS.derived_keys("seals")
    return [hmac.new(key, hash.encode(), hashlib.sha256).hexdigest() for key in keys]


# -- the file with the newest seal ----------------------------------------------------------------


def _keep_head() -> None:
    """Writes the number and hash of the newest seal to `HEAD`.

    The file is kept if its seal is not in the chain: the chain was truncated, or a backup was
    restored. That is logged as an error.
    """
    newest = Seal.objects.order_by("-number").first()
    if newest is None:
        return
    wrong = list(_wrong_at_the_end(newest.number))
    if wrong:
        log.error("the evidence is not what was sealed here before: %s", "; ".join(wrong))
        return
    log.info("evidence is sealed up to seal %d: %s", newest.number, newest.hash)
    place: Path = settings.MOREFOLLOWS.data / HEAD
    new = place.with_suffix(".new")
    with new.open("w") as file:
        json.dump({"number": newest.number, "hash": newest.hash}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(place)


# -- verifying ------------------------------------------------------------------------------------


class VerifyReport(NamedTuple):
    """The result of `verify`."""

    seals: int
    rows: int  #: rows compared
    erased: int  #: rows deleted with their reader
    wrong: list[str]  #: differences found, at most `_MOST_WRONG`


_MOST_WRONG = 20


def verify(most: int | None = None) -> VerifyReport:
    """Compares the evidence with the chain, seal by seal. Memory does not grow with the chain.

    Every seal is checked. `most`: the maximum number of seals whose rows are compared, too: half of
    them the newest, the others chosen at random. None: all.
    """
    rows = erased = number = 0
    wrong: list[str] = []
    previous, ends = "", dict[str, int]()
    kinds = {kind.table: kind for kind in _kinds.values()}
    chosen = _chosen(most)
    for number, one in enumerate(Seal.objects.order_by("number").iterator(chunk_size=20), 1):
        wrong += _wrong_in_chain(one, number, previous)
        previous, after = one.hash, ends.get(one.table, 0)
        ends[one.table] = max(one.last, after)
        if chosen is None or one.number in chosen:
            gone, found = _compare(kinds.get(one.table), one, after)
            rows, erased, wrong = rows + one.count, erased + gone, wrong + found
        if len(wrong) >= _MOST_WRONG:
            break
    wrong += _wrong_at_the_end(number)
    return VerifyReport(number, rows, erased, wrong[:_MOST_WRONG])


def _chosen(most: int | None) -> set[int] | None:
    """Returns the numbers of the seals whose rows are compared; None: all."""
    highest = Seal.objects.aggregate(n=Max("number", default=0))["n"]
    if most is None or highest <= most:
        return None
    newest = range(highest - most // 2 + 1, highest + 1)
    return {*newest, *random.sample(range(1, newest.start), most - len(newest))}


def _wrong_in_chain(one: Seal, number: int, previous: str) -> Iterator[str]:
    """Yields the faults of a seal itself. `number` and `previous`: what it should contain."""
    if one.number != number:
        yield f"seal {number} is missing"
    elif one.previous != previous:
        yield f"seal {number} does not follow from the one before"
    if one.hash != _hash_of(one):
        yield f"seal {one.number} was changed"
    elif one.mac not in _macs(one.hash):
        yield f"seal {one.number} was made with another secret, or by somebody else"


def _compare(kind: EvidenceTable | None, one: Seal, after: int) -> tuple[int, list[str]]:
    """Returns how many rows were deleted with an erased reader, and all other differences.

    `after`: the last row of the previous seal of the same table.
    """
    if kind is None or one.format not in kind.formats:
        return 0, [
            f"seal {one.number}: {one.table} in format {one.format} is not known to this version"
        ]
    try:
        leaves = SealedRows.unpacked(bytes(one.leaves), one.count)
    except ValueError:
        return 0, [f"seal {one.number}: what it keeps of its rows can't be read"]
    if kind.published:
        there = kind.rows.filter(pk__in=leaves.numbers)
    else:
        there = kind.rows.filter(pk__gt=after, pk__lte=one.last)
    now = _leaves(kind, there, one.format)
    found = dict(zip(now.numbers, now.hashes, strict=True))
    gone: list[tuple[int, int]] = []
    wrong: list[str] = []
    for number, subject, hash in zip(*leaves, strict=True):
        kept = found.pop(number, None)
        if kept is None:
            gone.append((number, subject))
        elif kept != hash:
            wrong.append(f"{one.table}: row {number} was changed")
    erased = _erased({subject for _, subject in gone if subject})
    wrong += [
        f"{one.table}: row {number} is missing" for number, subject in gone if subject not in erased
    ]
    wrong += [
        f"{one.table}: row {number} was not there when the rows beside it were sealed"
        for number in found
    ]
    return sum(subject in erased for _, subject in gone), wrong


def _erased(readers: set[int]) -> set[int]:
    """Returns those of these readers who were erased and whose number is not in use again."""
    # A restored backup may give the number of an erased reader to another one.
    there = set(Reader.objects.filter(pk__in=readers).values_list("pk", flat=True))
    return set(ErasedReader.objects.filter(pk__in=readers - there).values_list("pk", flat=True))


def _wrong_at_the_end(seals: int) -> Iterator[str]:
    """Yields differences between the chain and the file `HEAD`. `seals`: number of seals."""
    place: Path = settings.MOREFOLLOWS.data / HEAD
    try:
        head = json.loads(place.read_text())
        number, hash = int(head["number"]), str(head["hash"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        yield f"{place} can't be read"
        return
    kept = Seal.objects.filter(number=number).values_list("hash", flat=True).first()
    if kept is None:
        yield (
            f"seals up to {number} were made here, and the database has {seals}: "
            "it is older, or was cut off"
        )
    elif kept != hash:
        yield f"seal {number} is not the one that was made here"
