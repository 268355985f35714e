"""Django's registration of `accounts`."""

from django.apps import AppConfig


class Accounts(AppConfig):
    name = "morefollows.accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from morefollows.accounts.sign_in import sessions

        user_logged_in.connect(sessions.note_sign_in, dispatch_uid="morefollows")
