"""What people do, step by step, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from morefollows.local_inbox.store import StoredMail
from tests.support import mail_parsing
from tests.support.installation import Installation
from tests.support.people import PASSWORD

HEADLINE = "Lock bridge stuck open after power cut"
TEXT = (
    "The **lock bridge** has stood open since 14:05.\n\n"
    "More in the [notice](https://port.example/notice)."
)


def first_sign_in(page: Page, link: str) -> None:
    """By the one-time link: a password is chosen, and the desk opens."""
    page.goto(link)
    name = page.get_by_label("Your name, as colleagues and readers see it")
    if name.count() and not name.input_value():
        name.fill("Administrator")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_role("heading", name="News", level=1)).to_be_visible()


def add_editor(installation: Installation, email: str, name: str, role: str) -> str:
    """On the command line. Returns the one-time link."""
    said = installation.command(
        "editors", "add", email, "--name", name, "--role", role, "--json"
    ).stdout
    return str(json.loads(said)["link"])


def sign_up(page: Page, installation: Installation, address: str) -> None:
    """With the box on the front page."""
    page.goto(f"{installation.url}/")
    page.get_by_label(re.compile("^email", re.I)).fill(address)
    page.get_by_role("button", name=re.compile("sign up", re.I)).click()
    expect(page.get_by_role("heading", name=re.compile("thank", re.I))).to_be_visible()


def open_mail(page: Page, installation: Installation, mail: StoredMail) -> None:
    """In the inbox's page, the way a person finds it."""
    page.goto(f"{installation.url}/inbox/")
    page.locator(f"a[href$='/{mail.id}/']").click()


def confirm(page: Page, installation: Installation, address: str) -> None:
    """Opens the confirmation in the inbox, follows its link, and presses the button there."""
    mail = installation.wait_for_mails(address)[-1]
    open_mail(page, installation, mail)
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name=re.compile("^confirm", re.I)).click()
    landed = opened.value
    landed.get_by_role("button", name=re.compile("confirm", re.I)).click()
    expect(landed.get_by_role("heading", level=1)).to_be_visible()
    landed.close()


def import_readers(installation: Installation, folder: Path, *addresses: str) -> None:
    """Readers who have confirmed elsewhere before."""
    path = folder / "readers.csv"
    path.write_text("email\n" + "".join(f"{address}\n" for address in addresses))
    installation.command(
        "readers",
        "import",
        str(path),
        "--topic",
        "breaking",
        "--provenance",
        "the old newsletter",
        "--consented-at",
        "2024-05-04",
    )


def write_story(
    page: Page, installation: Installation, headline: str = HEADLINE, text: str = TEXT
) -> None:
    """From Home to the screen with the mail, the checklist and *Send*."""
    page.goto(f"{installation.url}/desk/")
    page.get_by_label("What’s the news?").fill(headline)
    page.get_by_label("What’s the news?").press("Enter")
    write_text(page, text)


def write_text(page: Page, text: str) -> None:
    """Markdown, as if typed into the plain text area; the editor shows it."""
    page.locator("#id_text").evaluate(
        "(area, text) => { area.value = text;"
        " area.dispatchEvent(new Event('input', { bubbles: true })); }",
        text,
    )


def agree_to_offers(installation: Installation) -> None:
    """All readers, by the shortest way: how one agrees is told elsewhere."""
    installation.execute("UPDATE audience_reader SET offers = true")


def write_offer(page: Page, installation: Installation) -> None:
    """From the desk to the offer's screen. Needs an administrator."""
    page.goto(f"{installation.url}/desk/")
    page.get_by_role("link", name="Offers").click()
    page.get_by_role("link", name="Write an offer").click()
    page.get_by_label("Headline", exact=True).fill("The Herald for half the price")
    write_text(page, "Read the **whole paper**, every day.")


def send(page: Page) -> None:
    """Presses *Send*: the hold begins."""
    page.get_by_role(
        "button", name=re.compile("^(Approve and s|S)end (offer |drill |correction )?to ")
    ).click()
    expect(page.locator("#alert")).to_be_visible()


def send_the_draft_without_hold(page: Page, installation: Installation) -> None:
    """Restarts `up` with a hold of 0 seconds."""
    installation.stop()
    installation.environment["MOREFOLLOWS_HOLD"] = "0"
    installation.start()
    page.goto(f"{installation.url}/desk/")
    page.get_by_role("link", name=HEADLINE).click()
    send(page)
    wait_for_state(page, "sent")


def wait_for_state(page: Page, state: str) -> None:
    """Without a reload: the page follows by itself."""
    expect(page.locator("#state")).to_have_text(re.compile(f"^{state}$", re.IGNORECASE))


def links_of(mail: StoredMail) -> list[str]:
    return mail_parsing.links(mail_parsing.read(mail))
