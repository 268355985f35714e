from django.apps import AppConfig


class Audience(AppConfig):
    name = "morefollows.audience"
