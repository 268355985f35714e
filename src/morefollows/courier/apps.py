"""Django's registration of `courier`."""

from django.apps import AppConfig


class Courier(AppConfig):
    name = "morefollows.courier"
