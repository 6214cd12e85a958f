"""tasker as a backend of Django's tasks.

``TASKS`` names ``tasker.django.backend.TaskerBackend``. With ``tasker.django`` in ``INSTALLED_APPS``
there is the command ``manage.py tasker_worker``, which runs the tasks.
"""

from typing import Final

import django

OLDEST: Final = (6, 0)
"""The first version of Django that has tasks."""

if django.VERSION < OLDEST:
    raise ImportError(f"tasker.django needs Django {OLDEST[0]}.{OLDEST[1]} or newer, this is {django.get_version()}")
