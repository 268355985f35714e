"""The alert's page ends in the true state, whichever of its requests are late or fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import APIResponse, BrowserContext, Route, expect

from tests.journeys import steps
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.scripted_relay import Rule, Script, running
from tests.support.waiting import PATIENCE

REFUSING = Script(rules=(Rule("mail", reply="550 5.7.1 you are not on our list"),))


def test_a_late_answer_overwrites_no_newer_one_and_a_failed_one_is_asked_for_again(
    build: Callable[..., Installation], window: BrowserContext, tmp_path: Path
) -> None:
    """The first response arrives after the relay was paused, and the next two requests fail.

    An editor pauses and resumes the relay before, so that the page has something to ask for.
    """
    port = free_port()
    installation = build(
        relay=f"smtp://127.0.0.1:{port}?tls=never", relay_connections="1", hold="0.5"
    ).start("--sample")
    page = window.new_page()
    late: list[tuple[Route, APIResponse]] = []
    failed: list[int] = []

    def answer(route: Route) -> None:
        if route.request.resource_type != "fetch":
            route.continue_()
        elif not late:
            late.append((route, route.fetch(timeout=PATIENCE * 1000)))
        elif released and len(failed) < 2:
            failed.append(503)
            route.fulfill(status=503, body="busy")
        else:
            route.continue_()

    def waits(condition: Callable[[], object]) -> None:
        """Looks at the page meanwhile, so that it goes on."""
        for _ in range(int(PATIENCE * 10)):
            if condition():
                return
            page.wait_for_timeout(100)
        raise AssertionError("it does not come")

    released = False
    steps.import_readers(installation, tmp_path, "cy@reader.example")
    steps.first_sign_in(page, installation.invitation)
    steps.write_story(page, installation)
    page.route("**/desk/alert/*/", answer)
    steps.send(page)
    # The page of an alert on its way was written in a state that changes only now.
    expect(page.locator("#curve")).to_be_visible()
    relays = window.new_page()
    relays.goto(f"{installation.url}/desk/relays/")
    relays.get_by_role("button", name="Pause", exact=True).click()
    waits(lambda: late)
    relays.get_by_role("button", name="Resume", exact=True).click()
    expect(relays.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    relays.close()
    with running(tmp_path / "taken.jsonl", REFUSING, port):
        paused = "SELECT count(*) FROM courier_relay WHERE paused_at IS NOT NULL"
        waits(lambda: installation.query(paused) == [(1,)])
        page.wait_for_timeout(2000)  # time enough for a page that asks again meanwhile
        released = True
        (route, response) = late[0]
        assert "you are not on our list" not in response.text()
        route.fulfill(response=response)
        waits(lambda: len(failed) == 2)
        expect(page.get_by_role("heading", name="is paused")).to_be_visible()
