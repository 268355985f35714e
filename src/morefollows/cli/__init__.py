"""The subcommands of `morefollows`, one file for each kind. None imports Django before it has to."""
