"""Settings that can be changed at the desk. Needs a key of an administrator's role."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Path, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import Text
from morefollows.api.http.preconditions import expected_tag, set_tag
from morefollows.api.http.problems import FieldError, ProblemDetails, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator
from morefollows.api.scopes import Scope
from morefollows.config.editable import EDITABLE
from morefollows.setup import actions
from morefollows.setup.shown_settings import ShownSetting, shown_settings

router = Router()
_MAY = "see and change settings"  # with the role administrator alone
SettingName = Annotated[str, Path(pattern="^[a-z0-9_]+$", min_length=1, max_length=50)]


class SettingOut(Schema):
    name: str
    variable: str = Field(description="In the environment.")
    group: str
    value: str = Field(description="Empty for a secret.")
    default: str
    origin: Literal["environment", "desk", "default"]
    secret: bool
    is_set: bool
    acts: Literal["now", "senders", "restart"] = Field(description="When a change takes effect.")
    help: str


class SettingList(Schema):
    items: list[SettingOut]


class SettingIn(Schema):
    value: Text = Field(max_length=10_000, description="As in the environment.")


def _setting_out(one: ShownSetting) -> SettingOut:
    names = set(SettingOut.model_fields) - {"value"}
    return SettingOut(value=one.text, **{name: getattr(one, name) for name in names})


def _setting(name: str) -> ShownSetting:
    if name not in EDITABLE:
        raise not_found(f"setting {name} that can be changed; GET /api/v1/settings lists them")
    return next(one for one in shown_settings() if one.name == name)


def _tag(one: ShownSetting) -> str:
    return hashlib.sha256(f"{one.origin}\0{one.text}\0{one.is_set}".encode()).hexdigest()[:16]


def _shown(response: HttpResponse, name: str) -> SettingOut:
    found = _setting(name)
    set_tag(response, _tag(found))
    return _setting_out(found)


@router.get(
    "", auth=KeyWith(Scope.SETTINGS_READ), response=SettingList, operation_id="listSettings"
)
def list_settings(request: ApiRequest) -> Any:
    """List the settings that can be changed here, with their values. Secrets are never shown."""
    administrator(request, _MAY)
    return {"items": [_setting_out(one) for one in shown_settings()]}


@router.get(
    "/{slug:name}",
    auth=KeyWith(Scope.SETTINGS_READ),
    response=SettingOut,
    operation_id="getSetting",
)
def get_setting(request: ApiRequest, response: HttpResponse, name: SettingName) -> Any:
    """Show a setting."""
    administrator(request, _MAY)
    return _shown(response, name)


def _change(request: ApiRequest, name: str, value: str | None) -> None:
    by = administrator(request, _MAY)
    with transaction.atomic():
        expected_tag(request, _tag(_setting(name)))
        _changed(by, name, value)


def _changed(by: Editor, name: str, value: str | None) -> None:
    try:
        actions.change_settings(by, {name: value})
    except ValidationError as error:
        detail = " ".join(error.messages)
        raise ProblemDetails(
            409, "invalid", f"value: {detail}", errors=[FieldError("value", detail)]
        ) from None


@router.put(
    "/{slug:name}",
    auth=KeyWith(Scope.SETTINGS_WRITE),
    response=SettingOut,
    operation_id="changeSetting",
)
def change_setting(
    request: ApiRequest, response: HttpResponse, name: SettingName, payload: SettingIn
) -> Any:
    """Change a setting. What the environment gives can’t be changed here."""
    _change(request, name, payload.value)
    return _shown(response, name)


@router.delete(
    "/{slug:name}",
    auth=KeyWith(Scope.SETTINGS_WRITE),
    response={204: None},
    operation_id="unsetSetting",
)
def unset_setting(request: ApiRequest, name: SettingName) -> Any:
    """Put a setting back to its default."""
    _change(request, name, None)
    return Status(204, None)
