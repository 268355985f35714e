"""Registers the set-up with Django."""

from django.apps import AppConfig


class Setup(AppConfig):
    name = "morefollows.setup"
