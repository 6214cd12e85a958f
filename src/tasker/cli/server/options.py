"""The options of commands that are settings."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from tasker.cli.server.settings import Setting

C = TypeVar("C", bound=Callable[..., object])


def options(settings: Sequence[Setting]) -> Callable[[C], C]:
    """Give a command an option for each of *settings*, and one for the settings file."""

    def give(command: C) -> C:
        for setting in reversed(settings):
            command = _option(setting)(command)
        config = click.option(
            "--config",
            metavar="FILE",
            help="Settings file.  [env: TASKER_CONFIG; default: tasker.toml in the working folder, if there is one]",
        )
        return config(command)

    return give


def _option(setting: Setting) -> Callable[[C], C]:
    default = f"; default: {setting.default}" if setting.default else ""
    return click.option(
        setting.flag,
        setting.name,
        metavar=setting.metavar or None,
        help=f"{setting.help}  [env: {', '.join(setting.variables)}{default}]",
        is_flag=None if setting.metavar else True,  # False would make the option's value optional
        multiple=setting.many,
        type=str if setting.metavar else None,  # settings.py reads the texts of flags, variables and keys alike
    )
