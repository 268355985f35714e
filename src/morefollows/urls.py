"""Every address, on one page. Those that carry a token are in `token_routes`."""

from django.urls import URLPattern, URLResolver, path

from morefollows.accounts import views as accounts
from morefollows.audience.drill import views as drills
from morefollows.audience.readers_desk import views as readers
from morefollows.audience.sites import views as sites
from morefollows.audience.suppressions import views as suppressions
from morefollows.audience.words_desk import views as words
from morefollows.bulletin import views as bulletin
from morefollows.bulletin.deeds import views as deeds
from morefollows.bulletin.developing import views as developing
from morefollows.bulletin.images import views as images
from morefollows.bulletin.presence import views as presence
from morefollows.bulletin.restores import views as restores
from morefollows.courier.checklist import views as checks
from morefollows.delivery import views as delivery
from morefollows.delivery.relays import views as relays
from morefollows.helpers import token_routes
from morefollows.inbox import views as inbox
from morefollows.public import box
from morefollows.public import feeds as out
from morefollows.public import signup as audience
from morefollows.public import story_choice as wishes
from morefollows.public import story_page as live
from morefollows.public.preferences import views as preferences

urlpatterns: list[URLPattern | URLResolver] = [
    # Readers
    path("", live.home, name="home"),
    path("story/<uuid:uuid>/", live.story, name="story"),
    path("story/<uuid:uuid>/events/", live.events, name="story-events"),
    path("story/<uuid:uuid>/live.json", out.story, name="story-json"),
    path("story/<uuid:uuid>/feed.<slug:name>", out.story_feed, name="story-feed"),
    path("story/<uuid:uuid>/<int:number>.ninjs.json", out.update, name="ninjs"),
    path("topic/<slug:slug>/feed.<slug:name>", out.topic_feed, name="topic-feed"),
    path("images/<str:file>", out.image, name="image"),
    path("live.js", out.script, name="live-script"),
    path("sitemap-news.xml", out.sitemap, name="news-sitemap"),
    path("robots.txt", out.robots, name="robots"),
    path("sign-up/<slug:topic>/", audience.sign_up, name="sign-up"),
    path("sign-up/<slug:topic>/thanks/", audience.thanks, name="thanks"),
    path("box.js", box.script, name="box-script"),
    path("box/<slug:topic>/", box.answer, name="box"),
    path("box/<slug:topic>/ticket/", box.ticket, name="box-ticket"),
    path(token_routes.FOLLOW, wishes.wish, {"wanted": "follow"}, name="follow"),
    path(token_routes.MUTE, wishes.wish, {"wanted": "mute"}, name="mute"),
    path(token_routes.CONFIRM, audience.confirm, name="confirm"),
    path(token_routes.LEAVE, audience.leave, name="leave"),
    path(token_routes.PREFERENCES, preferences.page, name="preferences"),
    path(token_routes.OWN_DATA, preferences.data, name="own-data"),
    path(token_routes.ERASE, preferences.erase, name="erase"),
    path(token_routes.JOIN_DRILLS, drills.accept, name="drills-accept"),
    path(token_routes.NEW_ADDRESS, preferences.new_address, name="new-address"),
    path("privacy/", audience.privacy, name="privacy"),
    # The desk
    path("desk/", bulletin.desk, name="desk"),
    path("desk/story/new/", bulletin.story_new, name="story-new"),
    path("desk/drill/new/", bulletin.story_new, {"drill": True}, name="drill-new"),
    path("desk/drills/", drills.page, name="drills"),
    path("desk/drills/invite/", drills.invite, name="drill-invite"),
    path("desk/drills/remove/", drills.remove, name="drill-remove"),
    path("desk/offers/", bulletin.desk, {"purpose": "offers"}, name="offers"),
    path("desk/offers/new/", bulletin.story_new, {"purpose": "offers"}, name="offer-new"),
    path("desk/story/<uuid:uuid>/", bulletin.story_edit, name="story-edit"),
    path("desk/story/<uuid:uuid>/here/", presence.here, name="story-here"),
    path("desk/story/<uuid:uuid>/develop/", developing.develop, name="story-develop"),
    path("desk/story/<uuid:uuid>/withdraw/", developing.withdraw, name="story-withdraw"),
    path("desk/story/<uuid:uuid>/approve/", developing.approve_draft, name="story-approve"),
    path("desk/story/<uuid:uuid>/finish/", developing.finish, name="story-finish"),
    path("desk/story/<uuid:uuid>/check/", bulletin.story_check, name="story-check"),
    path("desk/story/<uuid:uuid>/mail/", bulletin.story_mail, name="story-mail"),
    path("desk/story/<uuid:uuid>/outside/", checks.outside, name="story-outside"),
    path("desk/story/<uuid:uuid>/send/", bulletin.story_send, name="story-send"),
    path("desk/images/add/", images.image_add, name="image-add"),
    path("desk/log/", deeds.page, name="log"),
    path("desk/log/export/", deeds.export, name="log-export"),
    path("desk/readers/", bulletin.topic_readers, name="topic-readers"),
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
    path("desk/words/", words.versions, name="words"),
    path("desk/words/<slug:kind>/<slug:language>/", words.publish, name="words-publish"),
    path("desk/alert/<uuid:uuid>/", delivery.alert_page, name="alert"),
    path("desk/alert/<uuid:uuid>/stream/", delivery.alert_stream, name="alert-stream"),
    path("desk/alert/<uuid:uuid>/take-back/", delivery.take_back, name="alert-take-back"),
    path("desk/alert/<uuid:uuid>/stop/", delivery.stop, name="alert-stop"),
    path("desk/alert/<uuid:uuid>/pause/", delivery.pause, name="alert-pause"),
    path("desk/alert/<uuid:uuid>/resume/", delivery.resume, name="alert-resume"),
    path("desk/alert/<uuid:uuid>/retry/", delivery.retry, name="alert-retry"),
    path("desk/alert/<uuid:uuid>/repeat/", delivery.repeat, name="alert-repeat"),
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

handler400 = "morefollows.bulletin.views.bad_request"
