"""Runs the command line by `python -m morefollows`."""

from morefollows.cli.main import main

main()
