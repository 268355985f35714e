"""Django's settings, derived from `settings`. To change one, set an environment variable."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.utils.translation import gettext_lazy as _

from morefollows.config import loading
from morefollows.database import connections

MOREFOLLOWS = loading.load()

_PACKAGE = Path(__file__).parents[1]
_site = urlsplit(MOREFOLLOWS.url)

DEBUG = MOREFOLLOWS.debug
SECRET_KEY, *SECRET_KEY_FALLBACKS = [
    base64.b64encode(key).decode() for key in MOREFOLLOWS.derived_keys("django")
]
ALLOWED_HOSTS = sorted({_site.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"})
USE_X_FORWARDED_HOST = False
if MOREFOLLOWS.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "morefollows.accounts",
    "morefollows.audit",
    "morefollows.audience",
    "morefollows.stories",
    "morefollows.courier",
    "morefollows.feedback",
    "morefollows.desk",
    "morefollows.live",
]
MIDDLEWARE = [
    "morefollows.processes.web.headers.SecurityHeaders",
    "morefollows.processes.web.static_files.StaticFiles",
    "morefollows.processes.web.outage.Outage",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "morefollows.processes.web.headers.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "morefollows.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": sorted(_PACKAGE.rglob("templates")),  # templates lie beside their views
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "morefollows.desk.context.newsroom",
                "morefollows.desk.sender_trouble.senders",
            ],
        },
    }
]


#: Options of the connection that DATABASE_URL gives in its query.
DATABASE_OPTIONS: dict[str, Any] = (
    dict(dj_database_url.parse(MOREFOLLOWS.database_url).get("OPTIONS") or {})
    if MOREFOLLOWS.database_url
    else {}
)


def _auto_vacuum(file: Path) -> str:
    """Returns the pragma that lets a new SQLite file shrink again; "" for a file that exists.

    With INCREMENTAL, `housekeeping` returns free pages to the file system.

    The mode is stored in the file. Setting it again writes to the file, so that each new connection
    would wait for the write lock, even to read.
    """
    is_new = not file.exists() or file.stat().st_size == 0
    return "PRAGMA auto_vacuum=INCREMENTAL; " if is_new else ""


def _database() -> dict[str, Any]:
    if MOREFOLLOWS.database_url.startswith("postgres"):
        found = dj_database_url.parse(MOREFOLLOWS.database_url)
        return {
            **found,
            "OPTIONS": connections.options(DATABASE_OPTIONS),
            "CONN_HEALTH_CHECKS": True,
        }
    if MOREFOLLOWS.database_url:
        path = str(Path(dj_database_url.parse(MOREFOLLOWS.database_url)["NAME"]).resolve())
    else:
        path = str(MOREFOLLOWS.data / "morefollows.sqlite3")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # A writer takes its lock at BEGIN. A transaction that begins as a reader can be refused
            # when it first writes.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: a committed transaction survives the end of the process and a power failure.
            "init_command": f"{_auto_vacuum(Path(path))}PRAGMA journal_mode=WAL; PRAGMA "
            f"synchronous=FULL;"
            " PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4000; PRAGMA "
            "journal_size_limit=67108864;",
        },
    }


DATABASES = {"default": {**_database(), "ATOMIC_REQUESTS": False}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Editor"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _site.scheme == "https"
SESSION_COOKIE_NAME = "morefollows-desk"
CSRF_COOKIE_NAME = "morefollows-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [_PACKAGE / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = sorted(_PACKAGE.rglob("static"))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "morefollows.processes.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": MOREFOLLOWS.log_level.upper()},
}
