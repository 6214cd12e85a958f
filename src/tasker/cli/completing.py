"""``tasker completion``: has a shell complete commands and options."""

import click

from tasker.cli.output import FAILED, CommandError

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print what has a shell complete commands.

    \b
    Have your shell read it when it starts:
      eval "$(tasker completion bash)"    # in ~/.bashrc
      eval "$(tasker completion zsh)"     # in ~/.zshrc, behind compinit
      tasker completion fish | source     # in ~/.config/fish/config.fish
    """  # noqa: D301 - click reads the sign that \b stands for
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - it is rarely needed

    kind = get_completion_class(shell)
    if kind is None:
        raise CommandError(FAILED, "completion", f"click has no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, "tasker", "_TASKER_COMPLETE").source())
