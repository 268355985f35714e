"""Django's settings, derived from `settings`. To change one, set an environment variable."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from morefollows.config import languages, loading
from morefollows.database import connections
from morefollows.database.sqlite_pragmas import InitCommands

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
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "morefollows.accounts",
    "morefollows.audit",
    "morefollows.nodes",
    "morefollows.setup",
    "morefollows.audience",
    "morefollows.stories",
    "morefollows.ingest",
    "morefollows.courier",
    "morefollows.feedback",
    "morefollows.desk",
    "morefollows.live",
    "morefollows.api",
]
if MOREFOLLOWS.oidc_issuer:  # it loads an HTTP client
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
MIDDLEWARE = [
    "morefollows.processes.web.headers.SecurityHeaders",
    "morefollows.processes.web.static_files.StaticFiles",
    "morefollows.processes.web.outage.Outage",
    "morefollows.audit.middleware.note_origin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "morefollows.processes.web.headers.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "morefollows.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": sorted(_PACKAGE.rglob("templates")),  # templates lie beside their views
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["morefollows.desk.templatetags.icons"],
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


def _database() -> dict[str, Any]:
    if MOREFOLLOWS.database_url.startswith("postgres"):
        return connections.command_settings(MOREFOLLOWS.database_url, MOREFOLLOWS.listen_url)
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
            "init_command": InitCommands(Path(path)),
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
    {"NAME": "morefollows.accounts.sign_in.passwords.StrengthValidator"},
]
MFA_ADAPTER = "morefollows.accounts.sign_in.mfa_adapter.MfaAdapter"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_COUNT = 10
SOCIALACCOUNT_ADAPTER = "morefollows.desk.accounts.single_sign_on.SingleSignOn"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": MOREFOLLOWS.oidc_name,
                "client_id": MOREFOLLOWS.oidc_client_id,
                "secret": MOREFOLLOWS.oidc_client_secret,
                "settings": {"server_url": MOREFOLLOWS.oidc_issuer},
            }
        ],
    }
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600

SESSION_ENGINE = "morefollows.accounts.sign_in.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _site.scheme == "https"
# __Host-: browsers take such a cookie only from this very host, over TLS and for every path. So no
# sister site can set it (RFC 6265bis §4.1.3.2).
_cookie = "__Host-" if SESSION_COOKIE_SECURE else ""
SESSION_COOKIE_NAME = f"{_cookie}morefollows-desk"
DEVICE_COOKIE_NAME = f"{_cookie}morefollows-device"
CSRF_COOKIE_NAME = f"{_cookie}morefollows-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = list(languages.LANGUAGES.items())
LOCALE_PATHS = [_PACKAGE / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = sorted(_PACKAGE.rglob("static"))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "morefollows.processes.logs.formatter", "kind": MOREFOLLOWS.log_format}
    },
    "filters": {"refusals": {"()": "morefollows.processes.logs.BriefRefusals"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["refusals"],
        }
    },
    "root": {"handlers": ["stderr"], "level": MOREFOLLOWS.log_level.upper()},
}
