"""The Django app of the API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "morefollows.api"
    label = "api"

    def ready(self) -> None:
        from morefollows.api.http import repeated_requests
        from morefollows.api.webhooks import signals

        signals.connect_outbox()
        repeated_requests.forget_with_readers()
