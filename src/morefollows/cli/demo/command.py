"""`demo`."""

from __future__ import annotations

from pathlib import Path

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json


@click.command(short_help="Show the whole way, from sign-up to every inbox.")
@click.option(
    "--readers",
    type=click.IntRange(3, 1_000_000),
    default=1000,
    show_default=True,
    help="Three sign up through the form; the rest are imported.",
)
@click.option(
    "--story",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A story to break; a fictional one of our own when left out.",
)
@click.option("--headline", default="", help="The story’s headline, if the file’s is not certain.")
@json_option
@click.pass_context
def demo(
    context: click.Context, readers: int, story: Path | None, headline: str, as_json: bool
) -> None:
    """Show the whole way, from sign-up to every inbox, in a temporary folder. Nothing leaves this
    machine.

    Starts More Follows, signs readers up, breaks a story, and counts what the inbox really
    received. Times are milliseconds from the end of the hold. Exit code 1 if a mail was lost or
    came twice.
    """
    from morefollows.cli.checking_before_sending import check_before_start
    from morefollows.cli.demo.play import DemoFailed, run_demo

    if story is not None:  # the product takes seconds to start
        check_before_start(str(story), headline)
    try:
        figures = run_demo(
            readers, story, say=lambda words: click.echo(words, err=as_json), headline=headline
        )
    except DemoFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(figures._asdict())
    if figures.lost or figures.duplicated:
        context.exit(1)
