"""Every address, on one page. Those that carry a token are in `token_routes`."""

from django.urls import URLPattern, URLResolver, path

from morefollows.desk.accounts import views as accounts
from morefollows.desk.activity_log import views as activity_log
from morefollows.desk.alerts import views as alerts
from morefollows.desk.consent_texts import views as consent_texts
from morefollows.desk.drills import views as drills
from morefollows.desk.images import views as images
from morefollows.desk.local_inbox import views as inbox
from morefollows.desk.readers import suppressions
from morefollows.desk.readers import views as readers
from morefollows.desk.relays import views as relays
from morefollows.desk.restores import views as restores
from morefollows.desk.sites import views as sites
from morefollows.desk.stories import preflight, presence
from morefollows.desk.stories import views as stories
from morefollows.desk.updates import views as updates
from morefollows.helpers import token_routes
from morefollows.public import (
    drill_invitation,
    embedded_box,
    feeds,
    signup,
    story_choice,
    story_page,
)
from morefollows.public.preferences import views as preferences

urlpatterns: list[URLPattern | URLResolver] = [
    # Readers
    path("", story_page.home, name="home"),
    path("story/<uuid:uuid>/", story_page.story, name="story"),
    path("story/<uuid:uuid>/events/", story_page.events, name="story-events"),
    path("story/<uuid:uuid>/live.json", feeds.story, name="story-json"),
    path("story/<uuid:uuid>/feed.<slug:name>", feeds.story_feed, name="story-feed"),
    path("story/<uuid:uuid>/<int:number>.ninjs.json", feeds.update, name="ninjs"),
    path("topic/<slug:slug>/feed.<slug:name>", feeds.topic_feed, name="topic-feed"),
    path("images/<str:file>", feeds.image, name="image"),
    path("live.js", feeds.script, name="live-script"),
    path("sitemap-news.xml", feeds.sitemap, name="news-sitemap"),
    path("robots.txt", feeds.robots, name="robots"),
    path("sign-up/<slug:topic>/", signup.sign_up, name="sign-up"),
    path("sign-up/<slug:topic>/thanks/", signup.thanks, name="thanks"),
    path("box.js", embedded_box.script, name="box-script"),
    path("box/<slug:topic>/", embedded_box.answer, name="box"),
    path("box/<slug:topic>/ticket/", embedded_box.ticket, name="box-ticket"),
    path(token_routes.FOLLOW, story_choice.choice, {"wanted": "follow"}, name="follow"),
    path(token_routes.MUTE, story_choice.choice, {"wanted": "mute"}, name="mute"),
    path(token_routes.CONFIRM, signup.confirm, name="confirm"),
    path(token_routes.LEAVE, signup.leave, name="leave"),
    path(token_routes.PREFERENCES, preferences.page, name="preferences"),
    path(token_routes.OWN_DATA, preferences.data, name="own-data"),
    path(token_routes.ERASE, preferences.erase, name="erase"),
    path(token_routes.JOIN_DRILLS, drill_invitation.accept, name="drills-accept"),
    path(token_routes.NEW_ADDRESS, preferences.new_address, name="new-address"),
    path("privacy/", signup.privacy, name="privacy"),
    # The desk
    path("desk/", stories.desk, name="desk"),
    path("desk/story/new/", stories.story_new, name="story-new"),
    path("desk/drill/new/", stories.story_new, {"drill": True}, name="drill-new"),
    path("desk/drills/", drills.page, name="drills"),
    path("desk/drills/invite/", drills.invite, name="drill-invite"),
    path("desk/drills/remove/", drills.remove, name="drill-remove"),
    path("desk/offers/", stories.desk, {"purpose": "offers"}, name="offers"),
    path("desk/offers/new/", stories.story_new, {"purpose": "offers"}, name="offer-new"),
    path("desk/story/<uuid:uuid>/", stories.story_edit, name="story-edit"),
    path("desk/story/<uuid:uuid>/here/", presence.here, name="story-here"),
    path("desk/story/<uuid:uuid>/develop/", updates.develop, name="story-develop"),
    path("desk/story/<uuid:uuid>/withdraw/", updates.withdraw, name="story-withdraw"),
    path("desk/story/<uuid:uuid>/approve/", updates.approve_draft, name="story-approve"),
    path("desk/story/<uuid:uuid>/finish/", updates.finish, name="story-finish"),
    path("desk/story/<uuid:uuid>/check/", stories.story_check, name="story-check"),
    path("desk/story/<uuid:uuid>/mail/", stories.story_mail, name="story-mail"),
    path("desk/story/<uuid:uuid>/outside/", preflight.outside, name="story-outside"),
    path("desk/story/<uuid:uuid>/send/", stories.story_send, name="story-send"),
    path("desk/images/add/", images.image_add, name="image-add"),
    path("desk/log/", activity_log.page, name="log"),
    path("desk/log/export/", activity_log.export, name="log-export"),
    path("desk/readers/", stories.topic_readers, name="topic-readers"),
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
    path("desk/words/", consent_texts.versions, name="words"),
    path("desk/words/<slug:kind>/<slug:language>/", consent_texts.publish, name="words-publish"),
    path("desk/alert/<uuid:uuid>/", alerts.alert_page, name="alert"),
    path("desk/alert/<uuid:uuid>/stream/", alerts.alert_stream, name="alert-stream"),
    path("desk/alert/<uuid:uuid>/take-back/", alerts.take_back, name="alert-take-back"),
    path("desk/alert/<uuid:uuid>/stop/", alerts.stop, name="alert-stop"),
    path("desk/alert/<uuid:uuid>/pause/", alerts.pause, name="alert-pause"),
    path("desk/alert/<uuid:uuid>/resume/", alerts.resume, name="alert-resume"),
    path("desk/alert/<uuid:uuid>/retry/", alerts.retry, name="alert-retry"),
    path("desk/alert/<uuid:uuid>/repeat/", alerts.repeat, name="alert-repeat"),
    path("desk/restores/go-on/", restores.go_on, name="restore-go-on"),
    path("desk/relays/", relays.page, name="relays"),
    path("desk/relays/pause/", relays.pause, name="relay-pause"),
    path("desk/relays/resume/", relays.resume, name="relay-resume"),
    path("desk/sign-in/", accounts.sign_in, name="sign-in"),
    path("desk/sign-out/", accounts.sign_out, name="sign-out"),
    path(token_routes.FIRST_SIGN_IN, accounts.first_sign_in, name="first-sign-in"),
    # The local inbox
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/rows/", inbox.rows, name="inbox-rows"),
    path("inbox/<int:number>/", inbox.mail, name="inbox-mail"),
    path("inbox/<int:number>/text/", inbox.mail, {"part": "text"}, name="inbox-text"),
    path("inbox/<int:number>/source/", inbox.mail, {"part": "source"}, name="inbox-source"),
    path("inbox/<int:number>/frame/", inbox.frame, name="inbox-frame"),
]

handler400 = "morefollows.desk.stories.views.bad_request"
