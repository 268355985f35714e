"""Django's registration of `feedback`."""

from django.apps import AppConfig


class Feedback(AppConfig):
    name = "morefollows.feedback"

    def ready(self) -> None:
        from morefollows.feedback.intake import erasing

        erasing.erase_with_readers()
