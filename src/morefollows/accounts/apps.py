"""Django's registration of `accounts`."""

from django.apps import AppConfig


class Accounts(AppConfig):
    name = "morefollows.accounts"
