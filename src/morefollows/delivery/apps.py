from django.apps import AppConfig


class Delivery(AppConfig):
    name = "morefollows.delivery"
