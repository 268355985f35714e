from django.apps import AppConfig


class Bulletin(AppConfig):
    name = "morefollows.bulletin"
