"""The subcommands of `morefollows`, one file for each group. They import Django when they run."""
