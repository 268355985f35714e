"""People in a real browser: invited, in by passkey or provider, and out again."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.support.browser import PHONE, watch
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.waiting import until

EVE, FAY, GUS = (f"{name}@herald.example" for name in ("eve", "fay", "gus"))
NEW_PASSWORD = "the heron waits at low tide"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A real OpenID Connect provider on this machine. Fay edits; Gus has no role here."""
    port = free_port()
    people = [
        {"sub": "fay", "email": FAY, "email_verified": True, "name": "Fay Lund",
         "groups": ["staff", "news-editors"]},
        {"sub": "gus", "email": GUS, "email_verified": True, "groups": ["staff"]},
    ]  # fmt: skip
    told = [word for one in people for word in ("--user-claims", json.dumps(one))]
    program = str(Path(sys.executable).with_name("oidc-provider-mock"))
    run = subprocess.Popen(
        [program, "-p", str(port), *told], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until("the provider", answers)
    yield f"http://127.0.0.1:{port}"
    run.terminate()
    run.wait()


class Authenticator:
    """A platform authenticator, as of a laptop with a fingerprint reader."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": False,
        }
        made = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = made["authenticatorId"]

    def press(self, button: str, refused: str = "") -> None:
        """Presses a button of the page, and lays the finger on the reader for what it asks."""
        self._finger(down=True)
        self._page.get_by_role("button", name=button).click()
        if refused:
            expect(self._page.get_by_text(refused)).to_be_visible()
        else:
            expect(self._page.get_by_role("button", name=button)).to_be_hidden()
        self._finger(down=False)

    def _finger(self, *, down: bool) -> None:
        self._cdp.send(
            "WebAuthn.setAutomaticPresenceSimulation",
            {"authenticatorId": self._id, "enabled": down},
        )


def news(page: Page) -> None:
    expect(page.get_by_role("heading", name="News", level=1)).to_be_visible()


def test_from_the_invitation_to_the_end_of_a_stolen_session(
    build: Callable[..., Installation], browser: Browser, tmp_path: Path, provider: str
) -> None:
    port = free_port()
    site = f"http://localhost:{port}"
    installation = build(
        port=str(port),
        url=site,
        hold="600",
        oidc_issuer=provider,
        oidc_client_id="morefollows",
        oidc_client_secret="s3cret",
        oidc_name="Herald account",
        oidc_role_claim="groups",
        oidc_roles="administrator=news-admins editor=news-editors",
    ).start("--sample")
    complaints: list[str] = []
    dora, eve = browser.new_context().new_page(), browser.new_context().new_page()
    for page in (dora, eve):
        watch(page, complaints, session_ends=True)
    steps.first_sign_in(dora, installation.invitation)
    steps.import_readers(installation, tmp_path, "cy@reader.example")

    # Dora invites Eve, who chooses a passkey by the link in the mail, and comes back with it.
    dora.goto(f"{site}/desk/people/")
    dora.get_by_label("Invite someone").fill(EVE)
    dora.get_by_label("Role", exact=True).select_option("editor")
    dora.get_by_role("button", name="Send invitation").click()
    expect(dora.get_by_text("Invited by Administrator")).to_be_visible()
    finger = Authenticator(eve)
    [mail] = installation.wait_for_mails(EVE)
    [link, *_] = [one for one in steps.links_of(mail) if "/desk/first/" in one]
    eve.goto(link)
    finger.press("Use a passkey")
    news(eve)
    eve.get_by_role("button", name="Sign out").click()
    expect(eve.get_by_role("heading", name="The Harbour Herald")).to_be_visible()
    finger.press("Sign in with a passkey")
    news(eve)

    # She sends, and somebody carries her session off.
    steps.write_story(eve, installation)
    eve.get_by_text("Alone on shift").click()
    steps.send(eve)
    alert = eve.url
    [cookie] = [one for one in eve.context.cookies() if one["name"].endswith("morefollows-desk")]
    thief = browser.new_context()
    thief.add_cookies([cookie])  # type: ignore[list-item]
    stolen = thief.new_page()
    stolen.goto(alert)
    expect(stolen.locator("#alert")).to_be_visible()
    dora.goto(f"{site}/desk/people/")
    dora.get_by_label("Actions for eve").click()
    dora.get_by_role("button", name="End all sessions").click()
    expect(dora.get_by_text("eve is signed out everywhere")).to_be_visible()
    for page in (stolen, eve):
        page.goto(f"{site}/desk/")
        expect(page).to_have_url(re.compile("/desk/sign-in/"))

    # Eve comes in again. Dora disables her: the open page is lost with the next request.
    finger.press("Sign in with a passkey")
    news(eve)
    eve.goto(alert)
    dora.get_by_label("Actions for eve").click()
    dora.get_by_role("button", name="Disable eve").click()
    dora.get_by_role("button", name="Disable", exact=True).click()
    expect(dora.get_by_text("eve is signed out, and can’t")).to_be_visible()
    eve.get_by_role("button", name=re.compile("^Take (it )?back")).first.click()
    expect(eve).to_have_url(re.compile("/desk/sign-in/"))
    finger.press("Sign in with a passkey", refused="That passkey was not accepted")
    dora.goto(alert)
    expect(dora.get_by_role("button", name=re.compile("^Take (it )?back")).first).to_be_visible()

    lost_password(browser, installation, dora)
    single_sign_on(browser, installation)
    assert complaints == []


def lost_password(browser: Browser, installation: Installation, dora: Page) -> None:
    """By a link in a mail, on a phone."""
    address = "newsroom@herald.example"
    installation.command("editors", "add", address, "--name", "Hal", "--role", "reporter")
    page = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    page.goto(f"{installation.url}/desk/")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    [mail] = installation.wait_for_mails(address)
    [link, *_] = [one for one in steps.links_of(mail) if "/desk/first/" in one]
    page.goto(link)
    page.get_by_label("Choose a password").fill("password1234")
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_text("easy to guess")).to_be_visible()
    page.get_by_label("Choose a password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set password and sign in").click()
    news(page)
    page.goto(link)
    expect(page.get_by_role("heading", name="no longer good")).to_be_visible()


def single_sign_on(browser: Browser, installation: Installation) -> None:
    """The provider's claim makes Fay an editor. Gus, whom it gives no role, stays outside."""
    for who, heading in (("fay", "News"), ("gus", "You are not signed in")):
        page = browser.new_context().new_page()
        page.goto(f"{installation.url}/desk/")
        page.get_by_role("button", name="Sign in with Herald account").click()
        page.get_by_role("button", name=re.compile(who)).first.click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    rows = json.loads(installation.command("editors", "list", "--json").stdout)
    roles = {row["email"]: row["role"] for row in rows}
    assert roles[FAY] == "editor" and GUS not in roles
