"""Every address, on one page. Those that carry a token are in `token_routes`."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from morefollows.api import docs_page as api_docs
from morefollows.api import v1 as api_v1
from morefollows.api.ghost import hook_endpoint as ghost
from morefollows.desk.accounts import account, confirm_page, single_sign_on
from morefollows.desk.accounts import views as accounts
from morefollows.desk.activity_log import views as activity_log
from morefollows.desk.alerts import figures
from morefollows.desk.alerts import views as alerts
from morefollows.desk.bring_in import views as bring_in
from morefollows.desk.came_back import views as came_back
from morefollows.desk.consent_texts import views as consent_texts
from morefollows.desk.drills import views as drills
from morefollows.desk.first_run import views as first_run
from morefollows.desk.home import views as home
from morefollows.desk.images import views as desk_images
from morefollows.desk.local_inbox import views as inbox
from morefollows.desk.machines import views as machines
from morefollows.desk.people import views as people
from morefollows.desk.readers import suppressions
from morefollows.desk.readers import views as readers
from morefollows.desk.relays import views as relays
from morefollows.desk.restores import views as restores
from morefollows.desk.settings.api_keys import views as api_keys
from morefollows.desk.settings.arrival import views as settings_arrival
from morefollows.desk.settings.brand import views as settings_brand
from morefollows.desk.settings.delivery import views as settings_delivery
from morefollows.desk.settings.newsroom import views as settings_newsroom
from morefollows.desk.settings.rules import views as settings_rules
from morefollows.desk.settings.sources import views as settings_sources
from morefollows.desk.settings.topics import views as settings_topics
from morefollows.desk.settings.webhooks import views as webhooks
from morefollows.desk.sites import views as sites
from morefollows.desk.stories import approvals, preflight
from morefollows.desk.stories import views as stories
from morefollows.desk.stories.writing import live, mail_frame, presence
from morefollows.desk.style import views as style
from morefollows.desk.updates import views as updates
from morefollows.desk.wire import rule_views as item_rules
from morefollows.desk.wire import views as wire
from morefollows.helpers import token_routes
from morefollows.public import (
    archive,
    brand,
    drill_invitation,
    embedded_box,
    feeds,
    images,
    signup,
    story_choice,
    story_page,
    unsubscribe,
    well_known,
)
from morefollows.public.callbacks import hub_callback, provider_webhooks
from morefollows.public.preferences import link_request
from morefollows.public.preferences import views as preferences

urlpatterns: list[URLPattern | URLResolver] = [
    # Readers
    path("", story_page.home, name="home"),
    path("stories/", archive.stories, name="stories"),
    path("manage/", link_request.manage, name="manage"),
    path("manage/sent/", link_request.sent, name="manage-sent"),
    path("story/<uuid:uuid>/", story_page.story, name="story"),
    path("story/<uuid:uuid>/events/", story_page.events, name="story-events"),
    path("story/<uuid:uuid>/live.json", feeds.story, name="story-json"),
    path("story/<uuid:uuid>/feed.<slug:name>", feeds.story_feed, name="story-feed"),
    path("story/<uuid:uuid>/<int:number>.ninjs.json", feeds.update, name="ninjs"),
    path("topic/<slug:slug>/feed.<slug:name>", feeds.topic_feed, name="topic-feed"),
    path("images/<str:file>", images.image, name="image"),
    path("live.js", feeds.script, name="live-script"),
    path("sitemap-news.xml", feeds.sitemap, name="news-sitemap"),
    path(".well-known/security.txt", well_known.security_txt, name="security-txt"),
    path("robots.txt", feeds.robots, name="robots"),
    path("sign-up/<slug:topic>/", signup.sign_up, name="sign-up"),
    path("sign-up/<slug:topic>/thanks/", signup.thanks, name="thanks"),
    path("brand.css", brand.brand_sheet, name="brand-sheet"),
    path("box.js", embedded_box.script, name="box-script"),
    path("box/<slug:topic>/", embedded_box.answer, name="box"),
    path("box/<slug:topic>/ticket/", embedded_box.ticket, name="box-ticket"),
    path(token_routes.FOLLOW, story_choice.choice, {"wanted": "follow"}, name="follow"),
    path(token_routes.MUTE, story_choice.choice, {"wanted": "mute"}, name="mute"),
    path(token_routes.CONFIRM, signup.confirm, name="confirm"),
    path(token_routes.LEAVE, unsubscribe.leave, name="leave"),
    path(token_routes.PREFERENCES, preferences.page, name="preferences"),
    path(token_routes.OWN_DATA, preferences.data, name="own-data"),
    path(token_routes.ERASE, preferences.erase, name="erase"),
    path(token_routes.JOIN_DRILLS, drill_invitation.accept, name="drills-accept"),
    path(token_routes.NEW_ADDRESS, preferences.new_address, name="new-address"),
    path(token_routes.WEBSUB, hub_callback.callback, name="websub"),
    path(token_routes.GHOST, ghost.ghost_hook, name="ghost-hook"),
    path(token_routes.HOOK, provider_webhooks.hook, name="hook"),
    path("privacy/", signup.privacy, name="privacy"),
    # The desk
    path("desk/", home.home_page, name="desk"),
    path("desk/parts/", home.parts, name="home-parts"),
    path("desk/start/", home.start, name="story-start"),
    path("desk/bring-in/", bring_in.bring_in, name="story-bring-in"),
    path("desk/go/", home.go, name="go"),
    path("desk/deleted/", home.deleted_drafts, name="deleted-drafts"),
    path("desk/story/<uuid:uuid>/delete/", home.delete, name="story-delete"),
    path("desk/story/<uuid:uuid>/restore/", home.restore, name="story-restore"),
    path("desk/story/new/", stories.story_new, name="story-new"),
    path("desk/drill/new/", stories.story_new, {"drill": True}, name="drill-new"),
    path("desk/drills/", drills.page, name="drills"),
    path("desk/drills/invite/", drills.invite, name="drill-invite"),
    path("desk/drills/remove/", drills.remove, name="drill-remove"),
    path("desk/offers/", stories.offers, name="offers"),
    path("desk/offers/new/", stories.story_new, {"purpose": "offers"}, name="offer-new"),
    path("desk/story/<uuid:uuid>/", stories.story_edit, name="story-edit"),
    path("desk/story/<uuid:uuid>/here/", presence.here, name="story-here"),
    path("desk/story/<uuid:uuid>/develop/", updates.develop, name="story-develop"),
    path("desk/story/<uuid:uuid>/withdraw/", updates.withdraw, name="story-withdraw"),
    path("desk/story/<uuid:uuid>/approve/", approvals.approve_draft, name="story-approve"),
    path("desk/story/<uuid:uuid>/finish/", updates.finish, name="story-finish"),
    path("desk/story/<uuid:uuid>/check/", stories.story_check, name="story-check"),
    path("desk/story/<uuid:uuid>/mail/", mail_frame.story_mail, name="story-mail"),
    path("desk/story/<uuid:uuid>/send-back/", approvals.send_draft_back, name="story-send-back"),
    path("desk/story/<uuid:uuid>/reopen/", updates.reopen, name="story-reopen"),
    path("desk/typed/", live.parts, name="story-live"),
    path("desk/typed/mail/", mail_frame.typed_mail, name="story-live-mail"),
    path("desk/story/<uuid:uuid>/outside/", preflight.outside, name="story-outside"),
    path("desk/story/<uuid:uuid>/send/", stories.story_send, name="story-send"),
    path("desk/images/add/", desk_images.image_add, name="image-add"),
    path("desk/wire/", wire.wire, name="wire"),
    path("desk/wire/rows/", wire.wire_rows, name="wire-rows"),
    path("desk/wire/item/<int:pk>/", wire.wire_item, name="wire-item"),
    path("desk/wire/item/<int:pk>/do/", wire.wire_do, name="wire-do"),
    path("desk/wire/rules/", item_rules.item_rules, name="item-rules"),
    path("desk/wire/rules/new/", item_rules.item_rule, name="item-rule-new"),
    path("desk/wire/rules/<int:pk>/", item_rules.item_rule, name="item-rule"),
    path("desk/wire/rules/<int:pk>/do/", item_rules.item_rule_do, name="item-rule-do"),
    path("desk/settings/sources/", settings_sources.sources_page, name="sources"),
    path("desk/settings/sources/new/", settings_sources.source_page, name="source-new"),
    path("desk/settings/sources/<int:pk>/", settings_sources.source_page, name="source"),
    path("desk/settings/sources/<int:pk>/do/", settings_sources.source_do, name="source-do"),
    path("desk/settings/arrival/", settings_arrival.arrival_page, name="arrival"),
    path("desk/settings/arrival/new/", settings_arrival.seed_new, name="seed-new"),
    path("desk/settings/arrival/<int:pk>/do/", settings_arrival.seed_do, name="seed-do"),
    path("desk/came-back/", came_back.page, name="came-back"),
    path("desk/came-back/flood/<int:pk>/", came_back.flood, name="flood"),
    path("desk/came-back/judgements/", came_back.judgements, name="judgements"),
    path("desk/came-back/judgements/<int:pk>/", came_back.correct, name="correct-judgement"),
    path("desk/came-back/export/<int:pk>/", came_back.export, name="export-came-back"),
    path("desk/replies/", came_back.replies, name="replies"),
    path("desk/replies/<int:pk>/", came_back.reply_done, name="reply-done"),
    path("desk/log/", activity_log.page, name="log"),
    path("desk/log/export/", activity_log.export, name="log-export"),
    path("desk/box/", sites.page, name="sites"),
    path("desk/box/preview/<slug:topic>/", sites.preview, name="box-preview"),
    path("desk/box/sites/add/", sites.add, name="site-add"),
    path("desk/box/sites/remove/", sites.remove, name="site-remove"),
    path("desk/audience/", readers.overview, name="audience"),
    path("desk/audience/find/", readers.find_reader, name="reader-find"),
    path("desk/audience/<int:pk>/", readers.reader_page, name="reader"),
    path("desk/audience/<int:pk>/evidence/", readers.evidence, name="reader-evidence"),
    path("desk/audience/<int:pk>/withdraw/", readers.withdraw, name="reader-withdraw"),
    path("desk/audience/<int:pk>/erase/", readers.erase, name="reader-erase"),
    path("desk/suppression/<int:pk>/lift/", readers.lift, name="suppression-lift"),
    path("desk/suppressions/", suppressions.page, name="suppressions"),
    path("desk/suppressions/lift/", suppressions.lift, name="suppressions-lift"),
    path("desk/setup/", first_run.resume, name="setup"),
    path("desk/setup/<int:step>/", first_run.step_page, name="setup-step"),
    path("desk/settings/", settings_newsroom.settings_page, name="settings"),
    path("desk/settings/newsroom/", settings_newsroom.newsroom_page, name="settings-newsroom"),
    path("desk/settings/brand/", settings_brand.brand_page, name="settings-brand"),
    path("desk/settings/brand/palette/", settings_brand.brand_palette, name="settings-palette"),
    path("desk/settings/topics/", settings_topics.topics_page, name="settings-topics"),
    path("desk/settings/topics/new/", settings_topics.topic_page, name="settings-topic-new"),
    path("desk/settings/topics/<slug:slug>/", settings_topics.topic_page, name="settings-topic"),
    path(
        "desk/settings/topics/<slug:slug>/do/", settings_topics.topic_do, name="settings-topic-do"
    ),
    path(
        "desk/settings/topics/<slug:slug>/merge/",
        settings_topics.topic_merge,
        name="settings-topic-merge",
    ),
    path("desk/settings/delivery/", settings_delivery.delivery_page, name="settings-delivery"),
    path("desk/settings/delivery/check/", settings_delivery.delivery_check, name="settings-check"),
    path("desk/settings/delivery/dkim/", settings_delivery.dkim_do, name="settings-dkim"),
    path(
        "desk/settings/delivery/relays/new/",
        settings_delivery.relay_page,
        name="settings-relay-new",
    ),
    path(
        "desk/settings/delivery/relays/<str:name>/",
        settings_delivery.relay_page,
        name="settings-relay",
    ),
    path(
        "desk/settings/delivery/relays/<str:name>/remove/",
        settings_delivery.relay_remove,
        name="settings-relay-remove",
    ),
    *(
        path(
            f"desk/settings/{group}/",
            settings_rules.group_page,
            {"group": group},
            name=f"settings-{group}",
        )
        for group in ("rules", "sign-ups", "retention")
    ),
    path("desk/settings/api-keys/", api_keys.api_keys_page, name="api-keys"),
    path("desk/settings/api-keys/new/", api_keys.api_key_new, name="api-key-new"),
    path("desk/settings/api-keys/<int:pk>/revoke/", api_keys.api_key_revoke, name="api-key-revoke"),
    path("desk/settings/webhooks/", webhooks.webhooks_page, name="webhooks"),
    path("desk/settings/webhooks/new/", webhooks.webhook_new, name="webhook-new"),
    path("desk/settings/webhooks/<int:pk>/", webhooks.webhook_page, name="webhook"),
    path("desk/settings/webhooks/<int:pk>/do/", webhooks.webhook_do, name="webhook-do"),
    path("desk/words/", consent_texts.versions, name="words"),
    path("desk/words/<slug:kind>/<slug:language>/", consent_texts.publish, name="words-publish"),
    path("desk/alert/<uuid:uuid>/", alerts.alert_page, name="alert"),
    path("desk/alert/<uuid:uuid>/mail/", mail_frame.alert_mail, name="alert-mail"),
    path("desk/alert/<uuid:uuid>/stream/", alerts.alert_stream, name="alert-stream"),
    path("desk/alert/<uuid:uuid>/take-back/", alerts.take_back, name="alert-take-back"),
    path("desk/alert/<uuid:uuid>/send-now/", alerts.send_now, name="alert-send-now"),
    path("desk/alert/<uuid:uuid>/change-time/", alerts.change_time, name="alert-change-time"),
    path("desk/alert/<uuid:uuid>/figures.csv", figures.figures, name="alert-figures"),
    path("desk/alert/<uuid:uuid>/curve.svg", figures.picture, name="alert-curve"),
    path("desk/alert/<uuid:uuid>/compare/", figures.compare, name="alert-compare"),
    path("desk/alert/<uuid:uuid>/stop/", alerts.stop, name="alert-stop"),
    path("desk/alert/<uuid:uuid>/pause/", alerts.pause, name="alert-pause"),
    path("desk/alert/<uuid:uuid>/resume/", alerts.resume, name="alert-resume"),
    path("desk/alert/<uuid:uuid>/retry/", alerts.retry, name="alert-retry"),
    path("desk/alert/<uuid:uuid>/repeat/", alerts.repeat, name="alert-repeat"),
    path("desk/restores/go-on/", restores.go_on, name="restore-go-on"),
    path("desk/machines/", machines.page, name="machines"),
    path("desk/machines/forget/", machines.forget, name="machine-forget"),
    path("desk/relays/", relays.page, name="relays"),
    path("desk/relays/pause/", relays.pause, name="relay-pause"),
    path("desk/relays/resume/", relays.resume, name="relay-resume"),
    path("desk/sign-in/", accounts.sign_in, name="sign-in"),
    path("desk/sign-in/passkey/", accounts.sign_in_by_passkey, name="sign-in-passkey"),
    path("desk/sign-in/code/", accounts.second_factor, name="second-factor"),
    path("desk/sign-in/forgotten/", accounts.forgotten, name="forgotten"),
    path("desk/sign-in/sso/", single_sign_on.begin, name="single-sign-on"),
    # allauth makes the address of the answer by this name.
    path(
        "desk/sign-in/<slug:provider_id>/answer/",
        single_sign_on.answer,
        name="openid_connect_callback",
    ),
    path("desk/confirm/", confirm_page.confirm_identity, name="confirm-identity"),
    path("desk/people/", people.page, name="people"),
    path("desk/people/invite/", people.people_invite, name="people-invite"),
    path("desk/people/<int:pk>/", people.person, name="person"),
    path("desk/people/<int:pk>/do/", people.person_do, name="person-do"),
    path("desk/account/", account.page, name="account"),
    path("desk/account/save/", account.save, name="account-save"),
    path("desk/account/password/", account.set_password, name="account-password"),
    path("desk/account/passkey/", account.add_passkey, name="account-passkey"),
    path("desk/account/app/", account.add_app, name="account-app"),
    path("desk/account/codes/", account.make_codes, name="account-codes"),
    path("desk/account/remove/", account.remove_factor, name="account-remove"),
    path("desk/account/sessions/", account.end_sessions, name="account-sessions"),
    path(".well-known/change-password", accounts.change_password, name="change-password"),
    path("desk/sign-out/", accounts.sign_out, name="sign-out"),
    path(token_routes.FIRST_SIGN_IN, accounts.first_sign_in, name="first-sign-in"),
    # Programs
    path("api/v1/docs", api_docs.page, name="api-docs"),
    path("api/v1/openapi.json", api_v1.openapi, name="api-openapi"),
    path("api/v1/", include((api_v1.urls(), "api"))),
    # Also with a line feed in it, which <path:…> has not.
    re_path(r"^api/(?P<rest>[\s\S]+)$", api_v1.not_found, name="api-not-found"),
    # The local inbox
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/rows/", inbox.rows, name="inbox-rows"),
    path("inbox/<int:number>/", inbox.mail, name="inbox-mail"),
    path("inbox/<int:number>/text/", inbox.mail, {"part": "text"}, name="inbox-text"),
    path("inbox/<int:number>/source/", inbox.mail, {"part": "source"}, name="inbox-source"),
    path("inbox/<int:number>/frame/", inbox.frame, name="inbox-frame"),
]

if settings.DEBUG:
    urlpatterns.append(path("desk/style/", style.page, name="style"))

handler400 = "morefollows.desk.stories.views.bad_request"
