"""Readers in and out as CSV (RFC 4180), streamed: memory does not grow with the file."""

from morefollows.audience.readers_csv.encoding import NotReadable
from morefollows.audience.readers_csv.incoming import Problem, Report, import_readers, learn_sizes
from morefollows.audience.readers_csv.outgoing import export_evidence, export_readers
from morefollows.audience.readers_csv.resume import identity
from morefollows.audience.readers_csv.survey import Told, Unclear

__all__ = [
    "NotReadable",
    "Problem",
    "Report",
    "Told",
    "Unclear",
    "export_evidence",
    "export_readers",
    "identity",
    "import_readers",
    "learn_sizes",
]
