"""Registers the nodes with Django."""

from django.apps import AppConfig


class Nodes(AppConfig):
    name = "morefollows.nodes"
