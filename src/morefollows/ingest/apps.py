"""Django's registration of `ingest`."""

from django.apps import AppConfig


class Ingest(AppConfig):
    name = "morefollows.ingest"
