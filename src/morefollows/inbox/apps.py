from django.apps import AppConfig


class Inbox(AppConfig):
    name = "morefollows.inbox"
