"""A newsroom breaks a story in WordPress: a real one, in a real browser."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.integrations.dying import DyingCaller
from tests.integrations.wordpress_site import PASSWORD, USER, WordPressSite
from tests.journeys import steps
from tests.support import mail_parsing
from tests.support.installation import Installation
from tests.support.validators import accessible
from tests.support.waiting import until

CY = "cy@reader.example"
HEADLINE = "Ferry runs aground off the harbour mouth"
_DRAFTS = ("stories:read", "stories:write", "alerts:read", "alerts:send", "topics:read")


@pytest.fixture(scope="module")
def site() -> Iterator[WordPressSite]:
    made = WordPressSite()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def newsroom(build: Callable[..., Installation], tmp_path: Path) -> Installation:
    made = build(hold="10", api_requests="100000").start("--sample")
    steps.import_readers(made, tmp_path, CY)
    return made


def make_key(newsroom: Installation, *more: str) -> str:
    scopes = [word for scope in (*_DRAFTS, *more) for word in ("--scope", scope)]
    made = newsroom.command("keys", "add", "WordPress", *scopes, "--json")
    return str(json.loads(made.stdout)["key"])


def sign_in(page: Page, site: WordPressSite) -> None:
    # WordPress's own pages ask for pictures of elsewhere: they get nothing, and that is no error.
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.fulfill(status=204))
    page.goto(f"{site.url}/wp-login.php")
    page.get_by_label("Username or Email Address").fill(USER)
    page.locator("#user_pass").fill(PASSWORD)
    page.get_by_role("button", name="Log In").click()


def connect(page: Page, site: WordPressSite, newsroom: Installation, key: str) -> None:
    """Enters address and key, and tests the connection."""
    sign_in(page, site)
    page.goto(f"{site.url}/wp-admin/options-general.php?page=morefollows")
    page.get_by_label("Address", exact=True).fill(newsroom.url)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_text("Connected to")).to_be_visible()
    expect(page.get_by_text("without approval")).to_be_visible()
    picture(page, "settings")
    assert key not in page.content()


def picture(page: Page, name: str) -> None:
    """Into the folder that PICTURES names, if there is one: for docs/pictures, and to look at."""
    if os.environ.get("PICTURES"):
        page.screenshot(path=Path(os.environ["PICTURES"]) / f"wordpress-{name}.png")


def write_post(page: Page, site: WordPressSite) -> Locator:
    """Writes a post in the block editor, with the tick. Returns the panel."""
    page.goto(f"{site.url}/wp-admin/post-new.php")
    page.get_by_role("textbox", name="Add title").fill(HEADLINE)
    page.get_by_role("textbox", name="Add title").press("Enter")
    page.keyboard.type("All 40 passengers are safe.")
    page.get_by_label("Post", exact=True).click()
    page.get_by_role("button", name="Break this story").click()
    panel = page.locator(".edit-post-sidebar .morefollows")
    expect(panel.get_by_text("1 reader")).to_be_visible()
    panel.get_by_label("Send the alert when this post is published").check()
    picture(page, "compose")
    return panel


def test_a_story_is_broken_taken_back_sent_and_corrected(
    page: Page, site: WordPressSite, newsroom: Installation
) -> None:
    key = make_key(newsroom, "alerts:send-alone")
    connect(page, site, newsroom, key)
    panel = write_post(page, site)

    # Publish, twice; then she thinks again.
    page.get_by_role("button", name="Publish", exact=True).click()
    publish = page.locator(".editor-post-publish-panel").get_by_role(
        "button", name="Publish", exact=True
    )
    publish.dblclick()
    over = page.locator(".editor-post-publish-panel .morefollows")
    expect(over.get_by_role("button", name="Take back")).to_be_visible()
    picture(page, "hold")
    over.get_by_role("button", name="Take back").click()
    expect(over.get_by_text("Nothing was mailed")).to_be_visible()

    # And sends it after all, pressing twice again; the figures come by themselves.
    page.get_by_role("button", name="Close panel").click()
    panel.get_by_role("button", name="Send to 1 reader").dblclick()
    expect(panel.locator("[data-state=sent]")).to_be_visible()
    expect(panel.locator(".morefollows-figures")).to_contain_text(re.compile("Accepted\\s*1"))
    picture(page, "figures")
    first = mail_parsing.read(newsroom.wait_for_mails(CY)[0])
    assert HEADLINE in str(first["Subject"])
    assert "All 40 passengers are safe." in mail_parsing.body(first, "plain")
    assert states(newsroom) == ["sent", "taken back"]

    # Something was wrong: she mends the post, and says so.
    page.get_by_text("All 40 passengers are safe.").click()
    page.keyboard.press("End")
    page.keyboard.type(" One was hurt.")
    page.get_by_role("button", name="Update", exact=True).click()
    expect(panel.get_by_text("The post has changed. Tell readers?")).to_be_visible()
    panel.get_by_label("A correction").check()
    panel.get_by_label("What was wrong").fill("We said that all passengers were safe.")
    picture(page, "correction")
    panel.get_by_role("button", name="Send correction").click()
    correction = mail_parsing.read(newsroom.wait_for_mails(CY, 2)[1])
    text = mail_parsing.body(correction, "plain")
    assert "We said that all passengers were safe." in text
    assert "One was hurt." in text
    expect(panel.get_by_text("Correction")).to_be_visible()
    assert len(newsroom.mails(CY)) == 2
    assert key not in page.content()
    assert site.complaints() == ""


def states(newsroom: Installation) -> list[str]:
    """States of all alerts."""
    return sorted(str(row[0]) for row in newsroom.query("SELECT state FROM stories_alert"))


def publish_by_program(site: WordPressSite, newsroom_url: str, key: str, title: str) -> int:
    """As a scheduled post is: nobody's browser is there. Returns the post's number."""
    return int(
        site.php(
            f"update_option( 'morefollows_settings', array( 'url' => '{newsroom_url}' ) );"
            f"update_option( 'morefollows_key', '{key}' );"
            "echo wp_insert_post( array( 'post_status' => 'publish',"
            " 'post_content' => '<!-- wp:paragraph --><p>Text.</p><!-- /wp:paragraph -->"
            "<!-- wp:morefollows/live-story /-->',"
            f" 'post_title' => '{title}',"
            " 'meta_input' => array( 'morefollows_plan' => array( 'send' => true ) ) ) );"
        )
    )


def status(site: WordPressSite, post: int) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        site.php(f"echo wp_json_encode( MoreFollows\\state_of( {post} ) );")
    )
    return found


def test_wordpress_killed_after_we_committed_sends_one_alert(
    site: WordPressSite, newsroom: Installation
) -> None:
    key = make_key(newsroom, "alerts:send-alone")
    with DyingCaller(newsroom.url, lambda: site.kill_php()) as between:
        post = publish_by_program(site, between.url, key, "Lock gate jammed")
        assert status(site, post)["status"] == "queued"
        until("the kill", lambda: not site.cron() and between.killed)
        assert len(states(newsroom)) == 1  # we had committed it
        assert status(site, post)["status"] == "queued"  # and WordPress does not know
        site.start_php()
        until("the retry", lambda: site.cron() and status(site, post)["status"] == "sent")
    assert between.sends >= 2
    newsroom.wait_for_mails(CY)
    until("the end", lambda: states(newsroom) == ["sent"])
    assert len(newsroom.mails(CY)) == 1


def open_post(page: Page, site: WordPressSite, post: int) -> Locator:
    """Opens a post in the block editor. Returns the panel."""
    page.goto(f"{site.url}/wp-admin/post.php?post={post}&action=edit")
    panel = page.locator(".edit-post-sidebar .morefollows")
    title = page.get_by_role("button", name="Break this story")
    expect(title).to_be_visible()
    if title.get_attribute("aria-expanded") == "false":  # WordPress remembers what was open
        title.click()
    expect(panel).to_be_visible()
    return panel


def test_what_a_key_may_not_send_alone_is_sent_at_the_desk(
    page: Page, site: WordPressSite, newsroom: Installation
) -> None:
    key = make_key(newsroom)
    post = publish_by_program(site, newsroom.url, key, "Tide table was wrong")
    until("the desk", lambda: site.cron() and status(site, post)["status"] == "desk")
    assert states(newsroom) == []
    sign_in(page, site)
    panel = open_post(page, site, post)
    expect(panel.get_by_text("Waits for approval at the desk")).to_be_visible()
    desk = page.context.new_page()
    steps.first_sign_in(desk, newsroom.invitation)
    desk.goto(str(panel.get_by_role("link", name="Open it at the desk").get_attribute("href")))
    steps.send(desk)
    expect(panel.locator("[data-state=sent]")).to_be_visible()
    assert states(newsroom) == ["sent"]


def test_the_panel_on_a_phone_in_german(
    page: Page, site: WordPressSite, newsroom: Installation
) -> None:
    """By axe-core, at each step that the panel has, without scrolling sideways."""
    key = make_key(newsroom, "alerts:send-alone")
    post = publish_by_program(site, newsroom.url, key, "Harbour bridge closed")
    until("the alert", lambda: site.cron() and status(site, post)["status"] == "sent")
    until("its end", lambda: states(newsroom) == ["sent"])
    draft = int(site.php("echo wp_insert_post( array( 'post_title' => 'Bridge open again' ) );"))
    site.php("update_user_meta( 1, 'locale', 'de_DE' );")
    try:
        sign_in(page, site)
        page.set_viewport_size({"width": 390, "height": 844})
        for number, step in ((draft, "compose"), (post, "figures")):
            panel = open_on_phone(page, site, number)
            picture(page, f"phone-{step}")
            words = "Überschrift der Eilmeldung" if number == draft else "Angenommen"
            expect(panel.get_by_text(words).first).to_be_visible()
            assert accessible(page, ".edit-post-sidebar .morefollows") == []
            changed = panel.get_by_text("Der Beitrag wurde geändert.")
            assert not changed.is_visible(), "the editor's language is none of the post's"
            wide = panel.evaluate("one => one.scrollWidth - one.clientWidth")
            assert wide <= 0, f"{step}: {wide} pixels too wide"
    finally:
        site.php("delete_user_meta( 1, 'locale' );")


def open_on_phone(page: Page, site: WordPressSite, post: int) -> Locator:
    """Opens a post's settings, which a phone hides at first, and in them the panel."""
    page.goto(f"{site.url}/wp-admin/post.php?post={post}&action=edit")
    expect(page.locator(".edit-post-header__settings")).to_be_visible()
    panel = page.locator(".edit-post-sidebar .morefollows")
    if not page.locator(".edit-post-sidebar").is_visible():
        page.locator(".edit-post-header .interface-pinned-items button").first.click()
    title = page.locator(".edit-post-sidebar").get_by_role("button", name="Als Eilmeldung senden")
    expect(title).to_be_visible()
    if title.get_attribute("aria-expanded") == "false":
        title.click()
    expect(panel).to_be_visible()
    return panel


def test_unpublishing_asks_and_retracts(
    page: Page, site: WordPressSite, newsroom: Installation
) -> None:
    key = make_key(newsroom, "alerts:send-alone")
    post = publish_by_program(site, newsroom.url, key, "Lighthouse goes dark")
    until("the alert", lambda: site.cron() and status(site, post)["status"] == "sent")
    until("its end", lambda: states(newsroom) == ["sent"])
    page.goto(f"{site.url}/?p={post}")  # as readers see it: the blocks are alive
    expect(page.locator("more-follows-story")).to_contain_text("More follows")
    site.php(f"wp_update_post( array( 'ID' => {post}, 'post_status' => 'draft' ) );")
    sign_in(page, site)
    panel = open_post(page, site, post)
    panel.get_by_label("Reason").fill("The lighthouse never went dark.")
    panel.get_by_role("button", name="Retract the story").click()
    expect(panel.get_by_text("Retraction")).to_be_visible()
    retraction = mail_parsing.read(newsroom.wait_for_mails(CY, 2)[1])
    assert "The lighthouse never went dark." in mail_parsing.body(retraction, "plain")


def test_strangers_and_forged_webhooks_are_refused(site: WordPressSite) -> None:
    answers = json.loads(site.php(_REFUSALS))
    assert [answers[name] for name in ("contributor", "nobody", "settings")] == [403, 401, 401]
    assert [answers[name] for name in ("unsigned", "old", "signed")] == [401, 401, 204]
    assert answers["scheduled"] == "queued"


_REFUSALS = r"""
$post = wp_insert_post( array( 'post_title' => 'X', 'post_status' => 'draft' ) );
$ask = function ( $path, $headers = array(), $body = '' ) {
    $request = new WP_REST_Request( 'POST', '/morefollows/v1/' . $path );
    $request->set_body( $body );
    $request->set_header( 'content-type', 'application/json' );
    foreach ( $headers as $name => $value ) {
        $request->set_header( $name, $value );
    }
    return rest_do_request( $request )->get_status();
};
$found = array();
wp_set_current_user( wp_insert_user( array(
    'user_login' => 'ben', 'user_pass' => 'x', 'role' => 'contributor' ) ) );
$found['contributor'] = $ask( "posts/$post/break" );
wp_set_current_user( 0 );
$found['nobody'] = $ask( "posts/$post/take-back" );
$found['settings'] = $ask( 'connection' );
update_option( 'morefollows_hook_secret', 'whsec_' . base64_encode( 'secret' ) );
$hook = function ( $at, $key ) use ( $ask ) {
    $body = '{"type":"alert.held","data":{}}';
    $signed = base64_encode( hash_hmac( 'sha256', "m.$at.$body", $key, true ) );
    return $ask( 'hook', array( 'webhook-id' => 'm', 'webhook-timestamp' => (string) $at,
        'webhook-signature' => "v1,$signed" ), $body );
};
$found['unsigned'] = $hook( time(), 'another' );
$found['old'] = $hook( time() - 3600, 'secret' );
$found['signed'] = $hook( time(), 'secret' );
update_option( 'morefollows_settings', array( 'url' => 'http://127.0.0.1:9' ) );
update_option( 'morefollows_key', 'mf_x' );
$later = wp_insert_post( array( 'post_title' => 'Y', 'post_status' => 'future',
    'post_date' => '2099-01-01 00:00:00',
    'meta_input' => array( 'morefollows_plan' => array( 'send' => true ) ) ) );
wp_publish_post( $later ); // as WordPress does when its time has come
$found['scheduled'] = MoreFollows\state_of( $later )['status'];
echo wp_json_encode( $found );
"""
