"""Django's registration of `feedback`."""

from django.apps import AppConfig


class Feedback(AppConfig):
    name = "morefollows.feedback"
