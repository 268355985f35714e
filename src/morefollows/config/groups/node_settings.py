"""The settings for several machines on one database."""

from __future__ import annotations

from dataclasses import dataclass

from morefollows.config import setting_parsers as be
from morefollows.config.declaring import setting


@dataclass(frozen=True)
class NodeSettings:
    """A part of `Settings`."""

    listen_url: str = setting(
        "",
        be.text,
        "PostgreSQL for LISTEN, locks and commands, if `DATABASE_URL` leads to PgBouncer with "
        "`pool_mode = transaction`: an entry with `pool_mode = session`, or the server itself. "
        "Empty: the same.",
    )
    notify: str = setting(
        "",
        be.notifier,
        "What wakes up other processes: `nats://user:password@host:4222`, several apart by spaces. "
        "Empty: PostgreSQL by LISTEN and NOTIFY, and datagrams on this machine with SQLite.",
    )
    storage: str = setting(
        "",
        be.storage,
        "Where images are kept: `s3://bucket/folder?endpoint=https://s3.example.org&region=eu-1`, "
        "with keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Empty: in the data folder.",
    )
    clock_limit: float = setting(
        "5",
        be.seconds(0, 86400),
        "Seconds that a machine’s clock may be off the database’s; beyond that its "
        "processes do not work. 0: any.",
    )
