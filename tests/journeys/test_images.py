"""An image from file to page and mail in the browser, by the button and by pasting."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.journeys import steps
from tests.stories.images.pictures import photo, sideways
from tests.support import validators
from tests.support.installation import Installation

PASTE = """async (text, file) => {
  const bytes = Uint8Array.from(atob(file), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "pier.png", { type: "image/png" }));
  data.setData("text/html", "<meta charset='utf-8'><img src='https://port.example/pier.png'>");
  const options = { clipboardData: data, bubbles: true, cancelable: true };
  text.dispatchEvent(new ClipboardEvent("paste", options));
}"""


def loaded(image: Locator) -> None:
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("one => one.naturalWidth") > 0


def test_an_image_from_the_file_to_the_readers(
    build: Callable[..., Installation], page: Page
) -> None:
    installation = build(hold="0", four_eyes="never").start("--sample")
    steps.first_sign_in(page, installation.invitation)
    steps.sign_up(page, installation, "cy@reader.example")
    steps.confirm(page, installation, "cy@reader.example")
    page.goto(f"{installation.url}/desk/story/new/")
    page.get_by_label("Headline", exact=True).fill(steps.HEADLINE)
    page.get_by_role("button", name="Plain text").click()
    text = page.locator("#id_text")
    text.fill("Fog.\n\nMore fog.")
    text.evaluate("one => one.setSelectionRange(4, 4)")

    # Without words for who can't see it, it is not added, and the dialog says so where they belong.
    page.get_by_role("link", name="Add an image").click()
    dialog = page.get_by_role("dialog", name="Add an image")
    dialog.get_by_label("Image file").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": sideways()}
    )
    dialog.get_by_role("button", name="Add the image").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Say what is to be seen")
    alt = dialog.get_by_label("Alternative text")
    expect(alt).to_have_attribute("aria-invalid", "true")
    described = str(alt.get_attribute("aria-describedby")).split()
    assert any("Say what" in page.locator(f"#{one}").inner_text() for one in described)
    assert not validators.accessible(page) + validators.narrow(page)
    dialog.get_by_label("Image file").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": sideways()}
    )
    alt.fill("Tugs at the pier")
    dialog.get_by_label("Credit").fill("Photo: Ada")
    dialog.get_by_role("button", name="Add the image").click()
    expect(dialog).to_be_hidden()
    line = r"!\[Tugs at the pier\]\(/images/[0-9a-f]{32}-1000x1600\.jpg \"\| Photo: Ada\"\)"
    expect(text).to_have_value(re.compile(rf"^Fog\.\n\n{line}\n\nMore fog\.$"))
    expect(text).to_be_focused()
    expect(
        page.get_by_role("status").filter(has_text="The image stands in the text now.")
    ).to_be_visible()

    # Pasted: the file is in the dialog already.
    text.evaluate(f"text => ({PASTE})(text, '{base64.b64encode(photo(400, 300, 'PNG')).decode()}')")
    expect(alt).to_be_focused()
    alt.fill("A white square")
    dialog.get_by_role("button", name="Add the image").click()
    expect(text).to_have_value(re.compile("A white square"))

    # The preview of all that was typed: it takes the place of the one before.
    preview = page.frame_locator("iframe:not(.spare)")
    expect(preview.get_by_role("img", name="A white square")).to_be_attached()
    loaded(preview.get_by_role("img", name="Tugs at the pier"))  # though it is not public
    steps.send(page)
    steps.wait_for_state(page, "sent")

    page.goto(f"{installation.url}/")
    page.reload()  # the browser may show the page of the sign-up once more, for up to 15 seconds
    page.get_by_role("link", name=steps.HEADLINE).click()
    for name in ("Tugs at the pier", "A white square"):
        loaded(page.get_by_role("img", name=name))
    source = page.request.get(page.url).text()
    assert (
        not validators.accessible(page)
        + validators.valid({"image-story": source})
        + validators.narrow(page)
    )
    steps.open_mail(page, installation, installation.wait_for_mails("cy@reader.example", 3)[-1])
    loaded(page.frame_locator("iframe").get_by_role("img", name="Tugs at the pier"))
