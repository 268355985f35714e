from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class Bulletin(AppConfig):
    name = "morefollows.bulletin"

    def ready(self) -> None:
        from morefollows.bulletin import separation

        pre_migrate.connect(separation.take_away, sender=self)
        post_migrate.connect(separation.make, sender=self)
