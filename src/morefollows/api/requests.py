"""What every request of the API goes through: its key, its rate, and its errors."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils import translation
from ninja.security import HttpBearer

from morefollows.api import keys
from morefollows.api.http import problems
from morefollows.api.http.problems import ProblemDetails
from morefollows.api.http.quotas import quota
from morefollows.api.http.repeated_requests import once
from morefollows.api.http.uploads import close_upload
from morefollows.api.models import ApiKey
from morefollows.api.scopes import Scope
from morefollows.helpers.telemetry import log_context

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


class ApiRequest(HttpRequest):
    """A request of the API. `api_key` is None where none was given."""

    api_key: ApiKey | None


class AnyKey(HttpBearer):
    """Lets a request pass with any valid key."""

    def __call__(self, request: HttpRequest) -> ApiKey:
        """Raises `ProblemDetails`."""
        key: ApiKey | None = getattr(request, "api_key", None)
        if key is None:
            raise no_key("Send it as `Authorization: Bearer mf_…`.")
        return key

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # pragma: no cover
        raise NotImplementedError("`handled` has looked the key up")


class KeyWith(AnyKey):
    """Lets a request pass if its key has this scope: ``auth=KeyWith(Scope.STORIES_READ)``."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey:
        """Raises `ProblemDetails`."""
        key = super().__call__(request)
        if self.scope.value not in key.scopes:
            raise ProblemDetails(
                403,
                "scope",
                f"This needs a key with the scope {self.scope.value}. "
                "An administrator makes one at the desk.",
                scope=self.scope.value,
            )
        return key


def no_key(detail: str) -> ProblemDetails:
    return ProblemDetails(401, "no-key", detail, headers={"WWW-Authenticate": 'Bearer realm="api"'})


def handled(view: View) -> View:
    """Wraps a view of the API: sets `api_key`, and makes every error a problem."""

    @wraps(view)
    def wrapped(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        number = log_context.request_id() or str(uuid.uuid4())
        rate: dict[str, str] = {}
        try:
            with translation.override("en"):  # a program reads English, whatever its browser says
                request.api_key = _key(request)
                if request.api_key is not None:
                    rate = quota.spend(request.api_key.uuid)
                answer = once(request, request.api_key, lambda: view(request, *args, **kwargs))
        except ProblemDetails as problem:
            answer = problems.response(problem)
        except RequestDataTooBig:
            answer = problems.response(ProblemDetails(413, "too-large", "Send a smaller body."))
        except (InterfaceError, OperationalError) as error:
            log.warning("request %s: the database: %s", number, type(error.__cause__).__name__)
            answer = problems.response(
                ProblemDetails(
                    503, "busy", "Nothing was done. Try again.", headers={"Retry-After": "2"}
                )
            )
        except Exception:
            log.exception("request %s failed", number)
            detail = f"Nothing was done. The log has more: {number}."
            answer = problems.response(ProblemDetails(500, "failed", detail))
        finally:
            close_upload(request)
        if isinstance(answer, HttpResponseNotAllowed):
            answer = problems.response(
                ProblemDetails(
                    405,
                    "method",
                    f"Possible here: {answer['Allow']}.",
                    headers={"Allow": answer["Allow"]},
                )
            )
        answer["Request-Id"] = number
        answer.setdefault("Cache-Control", "no-store")
        for name, value in rate.items():
            answer.setdefault(name, value)
        return answer

    return wrapped


def _key(request: HttpRequest) -> ApiKey | None:
    """The key that was sent; None without one. Raises `ProblemDetails` for a wrong one."""
    given = request.headers.get("Authorization", "")
    if not given:
        return None
    scheme, _, text = given.partition(" ")
    found = keys.find_key(text.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise no_key("The key is unknown, has expired or was revoked, or is no Bearer key.")
    return found
