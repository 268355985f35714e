"""The manifest of an archive: what is in it, and what it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

FORMAT = 1
NAME = "manifest.json"  #: the last file of an archive
SQLITE, POSTGRESQL = "sqlite", "postgresql"


class BackupError(Exception):
    """A backup can't be made, read or restored. ``str()`` says why, and the remedy."""


class FileFacts(NamedTuple):
    """Size in bytes and SHA-256 in hexadecimal of one file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive has. `made_at`: when the database was as it is here."""

    made_at: datetime
    version: str  #: of More Follows
    engine: str  #: `SQLITE` or `POSTGRESQL`
    engine_version: str
    migrations: tuple[tuple[str, str], ...]  #: app, name
    rows: Mapping[str, int]  #: table → number of rows
    environment: tuple[str, ...]  #: settings that the environment gave; without their values
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def database(self) -> str:
        """The name of the database's file in the archive."""
        return database_name(self.engine)

    def to_json(self) -> bytes:
        facts = asdict(self) | {"made_at": self.made_at.isoformat()}
        return json.dumps(facts, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Manifest:
        """Reads a manifest. Raises `BackupError`."""
        try:
            facts = json.loads(raw)
            if facts["format"] != FORMAT:
                raise BackupError(
                    f"The backup has the format {facts['format']}, which this version of More "
                    f"Follows can't read; it was made by version {facts['version']}."
                )
            return cls(
                made_at=datetime.fromisoformat(facts["made_at"]),
                version=str(facts["version"]),
                engine=str(facts["engine"]),
                engine_version=str(facts["engine_version"]),
                migrations=tuple((str(app), str(name)) for app, name in facts["migrations"]),
                rows={str(table): int(count) for table, count in facts["rows"].items()},
                environment=tuple(map(str, facts["environment"])),
                files={
                    str(name): FileFacts(int(size), str(digest))
                    for name, (size, digest) in facts["files"].items()
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BackupError("The backup's manifest is damaged.") from None


def database_name(engine: str) -> str:
    return "database.sqlite3" if engine == SQLITE else "database.dump"
