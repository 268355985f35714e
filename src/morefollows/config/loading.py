"""Reads and checks the settings, from the environment or from files that ``<NAME>_FILE`` names.

A wrong setting is reported by its name and the remedy, never by a stack trace.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import dj_database_url

from morefollows.config import environment, keyring
from morefollows.config.keyring import Keyring, Keys
from morefollows.config.settings import Settings, SettingsError, variable

#: Parts of the names of settings whose values `doctor` does not show.
_SECRETS = ("SECRET", "_KEY", "RELAY", "DATABASE_URL", "INTAKE", "PASSPHRASE")


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads and checks every setting. Raises `SettingsError` for the first wrong one."""
    values: dict[str, Any] = {}
    foreign = environment.service_links(environ)
    environ = {name: value for name, value in environ.items() if name not in foreign}
    for spec in fields(Settings):
        name = variable(spec)
        values[spec.name] = _read(spec, name, _given(name, environ))
    # A misspelt name is refused: its setting would keep its default, and nobody would know.
    for name, remedy in environment.unknown(environ, {variable(spec) for spec in fields(Settings)}):
        raise SettingsError(name, remedy)
    check_together(values)
    # After the checks, as it may create the data folder and the key in it.
    values["secret"] = _keys(values["secret"], values["data"], environ)
    if not values["url"]:
        # 0.0.0.0 and :: stand for all addresses; a link needs one of them.
        host = values["host"] if values["host"] not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104 - compared, not bound
        values["url"] = f"http://{f'[{host}]' if ':' in host else host}:{values['port']}"
    return Settings(**values)


def problems(environ: Mapping[str, str] = os.environ) -> list[SettingsError]:
    """Returns all errors in the settings, where `load` raises the first one.

    Empty if the settings can be loaded.
    """
    found: list[SettingsError] = []
    foreign = environment.service_links(environ)
    ours = {name: value for name, value in environ.items() if name not in foreign}
    for spec in fields(Settings):
        try:
            _read(spec, variable(spec), _given(variable(spec), ours))
        except SettingsError as error:
            found.append(error)
    known = {variable(spec) for spec in fields(Settings)}
    found += [SettingsError(name, remedy) for name, remedy in environment.unknown(ours, known)]
    # `load` checks settings together, which needs each of them to be valid alone.
    if not found:
        try:
            load(environ)
        except SettingsError as error:
            found.append(error)
    return found


def chosen(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Returns each setting that differs from its default, as `NAME=value`.

    For settings that may hold a secret the value is replaced by `…`.
    """
    found = []
    for spec in fields(Settings):
        name = variable(spec)
        if not given(name, environ):
            continue
        secret = (
            any(word in name for word in _SECRETS) and "DAYS" not in name and "SELECTOR" not in name
        )
        found.append(f"{name}=…" if secret else f"{name}={_given(name, environ)}")
    return found


def given(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Returns whether this setting is set, even if to its default value."""
    return name + "_FILE" in environ or (
        name in environ and name not in environment.service_links(environ)
    )


def _given(name: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(name + "_FILE")
    if path is None:
        return environ.get(name)
    if name in environ:
        raise SettingsError(name, f"is given twice; keep either {name} or {name}_FILE")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingsError(name + "_FILE", f"the file can't be read: {reason}") from None


def _read(spec: Any, name: str, given: str | None) -> Any:
    value = spec.metadata["default"] if given is None else given.strip()
    if value == "" and spec.name == "url":
        return ""
    try:
        return spec.metadata["read"](value)
    except ValueError as error:
        raise SettingsError(name, str(error)) from None


def check_together(values: Mapping[str, Any]) -> None:
    """Raises `SettingsError` for settings that are valid alone but not together."""
    if values["database_url"]:
        _check_database(values["database_url"])
    if values["test_relay"] and any(not relay.on_this_machine for relay in values["relays"]):
        raise SettingsError(
            "MOREFOLLOWS_TEST_RELAY",
            "is only for relays on this machine, such as smtp://127.0.0.1:2500",
        )
    if values["port"] and values["port"] == values["inbox_port"] and not values["relays"]:
        raise SettingsError(
            "MOREFOLLOWS_INBOX_PORT", f"{values['port']} is the web server's port; take another one"
        )
    if values["oidc_issuer"] and not values["oidc_client_id"]:
        raise SettingsError(
            "MOREFOLLOWS_OIDC_CLIENT_ID", "is needed: the provider gives it to each program"
        )
    if values["sign_ups_a_network"] > values["sign_ups_a_network_at_most"]:
        raise SettingsError(
            "MOREFOLLOWS_SIGN_UPS_A_NETWORK",
            f"must not be more than MOREFOLLOWS_SIGN_UPS_A_NETWORK_AT_MOST, "
            f"{values['sign_ups_a_network_at_most']}",
        )
    for key, selector in (
        ("dkim_key", "dkim_selector"),
        ("dkim_ed25519_key", "dkim_ed25519_selector"),
    ):
        if values[key] and not values[selector]:
            raise SettingsError(
                f"MOREFOLLOWS_{selector.upper()}",
                "name the selector that this DKIM key is published at",
            )


def _check_database(url: str) -> None:
    try:
        parsed = dj_database_url.parse(url)
        engine = parsed["ENGINE"]
    except (ValueError, KeyError):
        parsed, engine = {}, ""
    # Several processes share the database. One in memory would be each process's own.
    if engine == "django.db.backends.sqlite3" and parsed.get("NAME") in ("", ":memory:", None):
        raise SettingsError(
            "DATABASE_URL", "a database in memory is nobody else's: name a file, sqlite:////path"
        )
    if engine not in ("django.db.backends.postgresql", "django.db.backends.sqlite3"):
        raise SettingsError(
            "DATABASE_URL", "must look like postgres://user:password@host/name or sqlite:////path"
        )


def _keys(given: Keyring | None, data: Path, environ: Mapping[str, str]) -> Keys:
    """Returns the keys of the setting, or of the data folder. Raises `SettingsError`."""
    if given is not None:
        file = environ.get("MOREFOLLOWS_SECRET_FILE")
        return Keys(given, Path(file).absolute() if file else None)
    try:
        # The folder holds keys, and on SQLite the readers: nobody else on this machine may look
        # into it.
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return keyring.of_folder(data.absolute())
    except OSError as error:
        raise SettingsError(
            "MOREFOLLOWS_DATA", f"the folder can't be used: {error.strerror}"
        ) from None
    except ValueError as error:
        raise SettingsError(str(data / keyring.FILE), str(error)) from None
