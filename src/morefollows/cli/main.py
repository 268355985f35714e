"""The `morefollows` command: its subcommands, and how failures are reported.

Every failure with a remedy is one line on stderr, never a stack trace. Exit codes: 0 done, 1 not
done, 2 the command or a setting is wrong, 130 ended by Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from morefollows import __version__
from morefollows.audit import origin
from morefollows.config.settings import SettingsError

# In the order in which a newsroom needs them. Loaded on demand, so that `--help` needs no Django.
_COMMANDS = {
    "up": "morefollows.cli.processes:up",
    "demo": "morefollows.cli.demo.command:demo",
    "newsroom": "morefollows.cli.newsroom:newsroom",
    "editors": "morefollows.cli.editors:editors",
    "topics": "morefollows.cli.topics:topics",
    "keys": "morefollows.cli.keys:keys",
    "nodes": "morefollows.cli.nodes:nodes",
    "ghost": "morefollows.cli.ghost:ghost",
    "departures": "morefollows.cli.departures:departures",
    "backup": "morefollows.cli.backup:backup",
    "restore": "morefollows.cli.restore:restore",
    "finish-restore": "morefollows.cli.restore:finish_restore",
    "migrate-database": "morefollows.cli.migrate_database:migrate_database",
    "restores": "morefollows.cli.after_restore:restores",
    "secret": "morefollows.cli.secret:secret",
    "settings": "morefollows.cli.settings:settings",
    "brand": "morefollows.cli.brand:brand",
    "relays": "morefollows.cli.delivery:relays",
    "dkim": "morefollows.cli.delivery:dkim",
    "sites": "morefollows.cli.sites:sites",
    "sources": "morefollows.cli.sources:sources",
    "seeds": "morefollows.cli.seeds:seeds",
    "readers": "morefollows.cli.readers:readers",
    "consent": "morefollows.cli.consent:consent",
    "suppressions": "morefollows.cli.suppressions:suppressions",
    "stories": "morefollows.cli.stories:stories",
    "alerts": "morefollows.cli.stories:alerts",
    "log": "morefollows.cli.log:log",
    "status": "morefollows.cli.status:status",
    "doctor": "morefollows.cli.doctor.command:doctor",
    "migrate": "morefollows.cli.processes:migrate",
    "housekeeping": "morefollows.cli.housekeeping:housekeeping",
    "web": "morefollows.cli.processes:web",
    "send": "morefollows.cli.processes:send",
    "intake": "morefollows.cli.intake:intake",
    "ingest": "morefollows.cli.sources:ingest",
    "watcher": "morefollows.cli.seeds:watcher",
    "inbox": "morefollows.cli.processes:inbox",
    "prepare": "morefollows.cli.processes:prepare",
    "tidy": "morefollows.cli.processes:tidy",
    "desk": "morefollows.cli.processes:desk",
    "fork-server": "morefollows.cli.processes:fork_server",
}


#: These run by themselves: what they do is the system's, not of who started them.
_PROCESSES = frozenset(
    {
        *(
            "up",
            "demo",
            "web",
            "send",
            "inbox",
            "ingest",
            "watcher",
            "prepare",
            "tidy",
            "housekeeping",
        ),
        "fork-server",
    }
)


class _Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="morefollows")
@click.pass_context
def cli(context: click.Context) -> None:
    """Breaking-news alerts from a newsroom to its readers' inboxes, within seconds, and what
    follows.

    `morefollows up --sample` starts everything on this machine, with a fictional newsroom to try it
    in.

    Settings come from the environment (MOREFOLLOWS_…, DATABASE_URL) or from files that <NAME>_FILE
    names; docs/reference/settings.md lists them, and `morefollows doctor` checks them.

    Exit codes: 0 done; 1 not done, and the message says why; 2 the command or a setting is wrong;
    130 ended by Ctrl-C.
    """
    if context.invoked_subcommand not in _PROCESSES:
        context.with_resource(origin.of_command())


def main() -> None:
    """Runs the command as a program. Ends the process with its exit code."""
    os.umask(0o077)  # databases hold addresses, so no other user on this machine may read our files
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], command: click.Command = cli, name: str = "morefollows") -> int:
    """Runs the command, and prints errors to stderr. Returns the exit code."""
    try:
        # A command that fails without a message calls `context.exit(1)`; `main` returns that code.
        code = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Ended.", err=True)
        return 130
    except SettingsError as error:
        return _tell(str(error), 2)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        remedy = _remedy(error)
        if remedy is None:
            raise
        return _tell(remedy, 1)
    return code if isinstance(code, int) else 0


def _tell(line: str, code: int) -> int:
    click.echo(line, err=True)
    return code


def _remedy(error: Exception) -> str | None:
    """Returns the message for an error that the user can remedy; None for a bug."""
    from django.core.exceptions import ValidationError
    from django.db import OperationalError, ProgrammingError

    from morefollows.nodes.admission import NodeUnfit
    from morefollows.processes.bootstrap import UnknownDatabase

    if isinstance(error, UnknownDatabase | NodeUnfit):
        return str(error)
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    # SQLite and PostgreSQL word it differently. A database that does not exist is another error.
    if "no such table" in str(error) or (
        isinstance(error, ProgrammingError) and "does not exist" in str(error)
    ):
        return (
            f"The database{_place()} has not been set up yet. Run `morefollows migrate`, or "
            f"`morefollows up`."
        )
    if isinstance(error, OperationalError):
        first = str(error).strip().partition("\n")[0]
        return f"DATABASE_URL: the database can't be used: {first}"
    if (
        isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError)
        and error.filename
    ):
        return f"{error.filename}: {error.strerror}"
    return None


def _place() -> str:
    """Returns the place of the database, in case it runs in another folder by mistake."""
    from django.conf import settings

    config = settings.MOREFOLLOWS
    return "" if config.database_url else f" in {config.data}"
