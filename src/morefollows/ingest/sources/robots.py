"""Asks what a site's robots.txt (RFC 9309) lets us fetch, before a page is fetched from there."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from morefollows.ingest.sources.fetching import FetchLimits, FetchResponse, NotFetched, fetch


class RobotRules:
    """The rules of sites for `agent`. `limits`: of the request for each robots.txt.

    `forbidden`: why a page is not fetched that the rules keep from us. `unreadable`: why not, if
    the robots.txt can't be had just now. With `once` each site is asked once only, and a request
    that fails counts as a robots.txt that can't be had.
    """

    def __init__(
        self, agent: str, limits: FetchLimits, *, forbidden: str, unreadable: str, once: bool
    ) -> None:
        self._agent = agent
        self._limits = limits
        self._forbidden = forbidden
        self._unreadable = unreadable
        self._once = once
        self._known: dict[str, RobotFileParser | None] = {}

    async def check(self, url: str) -> None:
        """Raises `NotFetched` if the URL must not be fetched. Waits for the site's robots.txt.

        Without `once` it raises that of a request that fails, too.
        """
        rules = await self._rules(_robots_address(url))
        if rules is None:
            raise NotFetched(self._unreadable)
        if not _allows(rules, self._agent, url):
            raise NotFetched(self._forbidden)

    async def _rules(self, address: str) -> RobotFileParser | None:
        if not self._once:
            return _read_rules(await fetch(address, self._limits))
        if address not in self._known:
            try:
                self._known[address] = _read_rules(await fetch(address, self._limits))
            except NotFetched:
                self._known[address] = None
        return self._known[address]


def _robots_address(url: str) -> str:
    """The address of the robots.txt for a URL, without its user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


def _read_rules(response: FetchResponse) -> RobotFileParser | None:
    """The rules in the answer to a request for robots.txt; None if it can't be had just now.

    One that does not exist (400 to 499) allows all; one that can't be had forbids all (§2.3.1).
    """
    if response.status != 200 and not 400 <= response.status < 500:
        return None
    rules = RobotFileParser()
    text = response.body.decode("utf-8", "replace") if response.status == 200 else ""
    rules.parse(text.splitlines())
    return rules


def _allows(rules: RobotFileParser, agent: str, url: str) -> bool:
    """Whether the rules let `agent` fetch the URL. False for one that the parser can't take."""
    try:
        return rules.can_fetch(agent, url)
    except ValueError:  # it splits the URL again once percent-encoding is undone
        return False
