"""Backups: one archive of all that a newsroom has, and moving to another database.

An archive is a tar file, compressed with gzip, and encrypted with age if asked for. It has the
database (a SQLite file, or `pg_dump`'s custom format), the keys, images, the departures log and
the head of the evidence; last of all the manifest, with the size and SHA-256 of each file. An
archive without its manifest was cut off.

`making` and `restoring` are what commands call, `schedule` what the service does by itself.
`archive` writes and reads the file, `checksums` compares it with its `manifest`. `losses` says what
a restored backup lacks.
"""
