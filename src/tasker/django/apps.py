"""What Django knows of this application."""

from django.apps import AppConfig


class TaskerConfig(AppConfig):
    """Makes the command ``tasker_worker`` known. There are no models."""

    name = "tasker.django"
    label = "tasker"
    verbose_name = "tasker"
