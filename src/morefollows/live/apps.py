"""Django's registration of `live`."""

from django.apps import AppConfig


class Live(AppConfig):
    name = "morefollows.live"
