"""Environment variables: which are settings, which only look like settings, and which are typos."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping

PREFIX = "MOREFOLLOWS_"

_ADDRESS = re.compile(r"(tcp|udp|sctp)://[^\s/]+:\d+")
#: Names and values of the variables that Kubernetes sets for each service. They look like settings
#: if the service is called morefollows or morefollows-…:
#: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_SERVICE_LINKS = (
    (re.compile(r"\w+_PORT(_\d+_(TCP|UDP|SCTP))?"), _ADDRESS),
    (re.compile(r"\w+_PORT_\d+_(TCP|UDP|SCTP)_PROTO"), re.compile(r"tcp|udp|sctp")),
    (re.compile(r"\w+_PORT_\d+_(TCP|UDP|SCTP)_PORT"), re.compile(r"\d+")),
    (re.compile(r"\w+_PORT_\d+_(TCP|UDP|SCTP)_ADDR"), re.compile(r"\S+")),
    (re.compile(r"\w+_SERVICE_HOST"), re.compile(r"\S+")),
    (re.compile(r"\w+_SERVICE_PORT(_\w+)?"), re.compile(r"\d+")),
)


def service_links(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Returns the names of variables that begin with our prefix but are not settings.

    Kubernetes, and Docker with `--link`, write the addresses of a service into the environment of
    each container, under the service's name. For a service called morefollows that is
    MOREFOLLOWS_PORT=tcp://10.0.0.1:8000 and more. `load` ignores these variables.
    """
    return sorted(
        name
        for name, value in environ.items()
        if name.startswith(PREFIX)
        and any(
            named.fullmatch(name) and value_pattern.fullmatch(value)
            for named, value_pattern in _SERVICE_LINKS
        )
    )


def unknown(environ: Mapping[str, str], known: set[str]) -> Iterator[tuple[str, str]]:
    """Yields each variable that looks like a setting but is none, with the remedy.

    Such a variable would have no effect, so `load` refuses it. `known`: the variables of all
    settings.
    """
    ours = {name.removeprefix(PREFIX): name for name in known}
    for name in environ:
        plain = name.upper().replace("-", "_").replace("MORE_FOLLOWS_", PREFIX, 1)
        bare, file = plain.removesuffix("_FILE"), "_FILE" if plain.endswith("_FILE") else ""
        if name.removesuffix("_FILE") in known or not plain.startswith(PREFIX):
            continue
        near = difflib.get_close_matches(bare.removeprefix(PREFIX), ours, 1)
        meant = (
            f"did you mean {ours[near[0]]}{file}?"
            if near
            else "docs/reference/settings.md lists them all"
        )
        yield name, f"is not a setting; {meant}"
