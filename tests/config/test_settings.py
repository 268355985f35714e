"""Settings: each wrong one names itself and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from morefollows.config.environment import service_links
from morefollows.config.loading import chosen, given, load, problems
from morefollows.config.settings import Settings, SettingsError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"MOREFOLLOWS_DATA": str(tmp_path / "data")}


def test_nothing_needs_to_be_set(environ: dict[str, str]) -> None:
    settings = load(environ)
    assert settings.inbox
    assert settings.url == "http://127.0.0.1:8025"
    assert settings.relays_or_inbox[0].host == "127.0.0.1"
    assert len(settings.derived_key("links")) == 32


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("MOREFOLLOWS_PORT", "eighty", "whole number"),
        ("MOREFOLLOWS_PORT", "65536", "from 0 to 65535"),
        ("MOREFOLLOWS_PORT", "", "whole number"),
        ("MOREFOLLOWS_URL", "alerts.example.org", "https://"),
        ("MOREFOLLOWS_URL", "https://alerts.example.org/?a=b", "web address"),
        ("MOREFOLLOWS_SECRET", "too short", "32 characters"),
        ("MOREFOLLOWS_RELAY", "mail.example.org", "smtp://"),
        ("MOREFOLLOWS_RELAY", "smtp://mail.example.org:seven", "smtp://"),
        (
            "MOREFOLLOWS_RELAY",
            "smtp://mail.example.org?tls=maybe",
            "tls= must be offered, require, optional or never",
        ),
        ("MOREFOLLOWS_RELAY", "smtp://ada:pass?word@mail.example.org", "must look like"),
        (
            "MOREFOLLOWS_RELAY",
            "smtp://a.example smtp://b.example?rate=0",
            "relay 2: rate= must be mails a second",
        ),
        ("MOREFOLLOWS_RELAY", "smtp://a.example?weight=heavy", "weight= must be a whole number"),
        (
            "MOREFOLLOWS_RELAY",
            "smtp://a.example?purpose=news",
            "purpose= must be both, alerts or bulk",
        ),
        ("MOREFOLLOWS_RELAY", "smtp://a.example?purpose=bulk", "no relay takes alerts"),
        (
            "MOREFOLLOWS_RELAY",
            "smtp://a.example smtp://b@a.example",
            "called a.example:25; give each a name",
        ),
        ("MOREFOLLOWS_RELAY", "smtp://a.example?speed=9", "takes the options tls, verify"),
        (
            "MOREFOLLOWS_RELAY",
            "smtp://ada@a.example?password_file=/nowhere",
            "password_file= can't be read",
        ),
        ("MOREFOLLOWS_HOLD", "soon", "seconds"),
        ("MOREFOLLOWS_HOLD", "-1", "from 0"),
        ("MOREFOLLOWS_HOLD", "nan", "seconds"),
        ("MOREFOLLOWS_HELO", "not a host", "host name"),
        ("MOREFOLLOWS_DEBUG", "perhaps", "yes or no"),
        ("MOREFOLLOWS_HOST", "127.0.0.1\r\nX: y", "control characters"),
        ("MOREFOLLOWS_LOG_LEVEL", "loud", "debug, info"),
        ("MOREFOLLOWS_DKIM_KEY", "-----BEGIN", "selector"),
        ("MOREFOLLOWS_DATA", "", "must name a folder"),
        ("DATABASE_URL", "sqlite://:memory:", "name a file"),
        ("DATABASE_URL", "sqlite://", "name a file"),
        ("DATABASE_URL", "oracle://somewhere", "postgres://"),
        ("DATABASE_URL", "postgres", "postgres://"),
        ("MOREFOLLOWS_TYPO", "1", "is not a setting; docs/reference/settings.md lists them all"),
        ("MOREFOLLOWS_HOLDS", "1", "is not a setting; did you mean MOREFOLLOWS_HOLD?"),
        ("MOREFOLLOWS_RELAYS_FILE", "1", "is not a setting; did you mean MOREFOLLOWS_RELAY_FILE?"),
        ("morefollows_hold", "1", "is not a setting; did you mean MOREFOLLOWS_HOLD?"),
        ("MORE_FOLLOWS_HOLD", "1", "is not a setting; did you mean MOREFOLLOWS_HOLD?"),
        ("MOREFOLLOWS_HOLD", "tcp://10.0.0.1:8000", "must be seconds"),
        ("MOREFOLLOWS_PORT", "tcp://10.0.0.1", "whole number"),
        ("MOREFOLLOWS_PORTS_FILE", "/nowhere", "is not a setting"),
    ],
)
def test_a_wrong_setting_names_itself_and_the_remedy(
    environ: dict[str, str], name: str, value: str, remedy: str
) -> None:
    environ[name] = value
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert caught.value.name == (
        name if name != "MOREFOLLOWS_DKIM_KEY" else "MOREFOLLOWS_DKIM_SELECTOR"
    )
    assert remedy in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_setting_may_stand_in_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "relay").write_text("smtps://ada:p%40ss@mail.example.org\n")
    settings = load({**environ, "MOREFOLLOWS_RELAY_FILE": str(tmp_path / "relay")})
    (relay,) = settings.relays
    assert (relay.port, relay.implicit_tls, relay.password) == (465, True, "p@ss")
    assert "p@ss" not in repr(settings) + relay.name


def test_several_relays_each_with_its_own_terms(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss word\n")
    (tmp_path / "relays").write_text(
        f"# ours\nsmtp://mail.example.org?weight=3\n\n"
        f"smtps://ada@b.example?rate=14.5&connections=5&purpose=bulk&name=second&password_file={tmp_path}/password\n"
    )
    settings = load({**environ, "MOREFOLLOWS_RELAY_FILE": str(tmp_path / "relays")})
    ours, second = settings.relays_or_inbox
    assert (ours.name, ours.weight, ours.rate, ours.alerts, ours.bulk) == (
        "mail.example.org:25",
        3,
        0,
        True,
        True,
    )
    assert (second.name, second.password, second.rate, second.connections) == (
        "second",
        "p@ss word",
        14.5,
        5,
    )
    assert (second.alerts, second.bulk) == (False, True)
    assert "p@ss" not in repr(settings)


@pytest.mark.parametrize(
    "relay", ["smtp://mail.example.org", "smtp://192.0.2.1", "smtp://localhost smtp://10.0.0.1"]
)
def test_only_a_relay_of_this_machine_is_one_for_tests(environ: dict[str, str], relay: str) -> None:
    environ["MOREFOLLOWS_TEST_RELAY"] = "yes"
    with pytest.raises(
        SettingsError, match="MOREFOLLOWS_TEST_RELAY: is only for relays on this machine"
    ):
        load({**environ, "MOREFOLLOWS_RELAY": relay})
    assert load(
        {**environ, "MOREFOLLOWS_RELAY": "smtp://localhost:25 smtp://127.0.0.2 smtp://[::1]"}
    ).test_relay


def test_a_file_that_is_missing_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(
        SettingsError, match="MOREFOLLOWS_SECRET_FILE: the file can't be read: No such file"
    ):
        load({**environ, "MOREFOLLOWS_SECRET_FILE": "/nowhere"})


def test_a_setting_given_twice_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "port").write_text("8025")
    with pytest.raises(SettingsError, match="MOREFOLLOWS_PORT: is given twice"):
        load({**environ, "MOREFOLLOWS_PORT": "1", "MOREFOLLOWS_PORT_FILE": str(tmp_path / "port")})


def test_a_secret_is_made_once_for_its_owner_only(environ: dict[str, str], tmp_path: Path) -> None:
    first = load(environ)
    assert load(environ).secret != first.secret, (
        "nothing is kept until the database is known to have no keys"
    )
    first.secret.save()
    assert load(environ).secret == first.secret
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="MOREFOLLOWS_DATA: the folder can't be used"):
        load({"MOREFOLLOWS_DATA": str(tmp_path / "file")})


def test_the_data_folder_is_absolute_and_has_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Child processes in another working directory must resolve the same path."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("there/data", "link/data", "./there/../there/data", "~/there/data"):
        assert load({"MOREFOLLOWS_DATA": name}).data == tmp_path / "there/data"
    assert load({}).data == tmp_path / "morefollows-data"
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(SettingsError, match="MOREFOLLOWS_DATA: round/data is not"):
        load({"MOREFOLLOWS_DATA": "round/data"})


def test_what_kubernetes_tells_of_a_service_is_no_setting(environ: dict[str, str]) -> None:
    """Of services called morefollows, morefollows-inbox and morefollows-relay."""
    links = {
        "MOREFOLLOWS_PORT": "tcp://10.0.0.1:8000",
        "MOREFOLLOWS_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "MOREFOLLOWS_PORT_8000_TCP_ADDR": "10.0.0.1",
        "MOREFOLLOWS_PORT_8000_TCP_PORT": "8000",
        "MOREFOLLOWS_PORT_8000_TCP_PROTO": "tcp",
        "MOREFOLLOWS_SERVICE_HOST": "10.0.0.1",
        "MOREFOLLOWS_SERVICE_PORT": "8000",
        "MOREFOLLOWS_SERVICE_PORT_HTTP": "8000",
        "MOREFOLLOWS_INBOX_PORT": "tcp://[fd00::1]:2525",
        "MOREFOLLOWS_RELAY_SERVICE_HOST": "fd00::1",
        "MOREFOLLOWS_RELAY_PORT_25_TCP": "tcp://[fd00::1]:25",
    }
    settings = load({**environ, **links})
    assert (settings.port, settings.inbox_port) == (8025, 2525)
    assert service_links({**environ, **links}) == sorted(links)
    assert not given("MOREFOLLOWS_PORT", links) and given(
        "MOREFOLLOWS_PORT", {"MOREFOLLOWS_PORT": "8025"}
    )


def test_all_that_is_wrong_is_told_at_once(environ: dict[str, str]) -> None:
    wrong = {"MOREFOLLOWS_HOLD": "soon", "MOREFOLLOWS_PORT": "x", "MOREFOLLOWS_HOLDS": "1"}
    assert [error.name for error in problems({**environ, **wrong})] == [
        "MOREFOLLOWS_PORT",
        "MOREFOLLOWS_HOLD",
        "MOREFOLLOWS_HOLDS",
    ]
    assert problems(environ) == []
    assert [str(error) for error in problems({**environ, "MOREFOLLOWS_DKIM_KEY": "x"})] != []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"MOREFOLLOWS_PORT": "2525"}, "MOREFOLLOWS_INBOX_PORT"),
        (
            {
                "MOREFOLLOWS_SIGN_UPS_A_NETWORK": "50",
                "MOREFOLLOWS_SIGN_UPS_A_NETWORK_AT_MOST": "20",
            },
            "A_NETWORK",
        ),
    ],
)
def test_settings_that_do_not_go_together(
    environ: dict[str, str], settings: dict[str, str], name: str
) -> None:
    with pytest.raises(SettingsError, match=name):
        load({**environ, **settings})


def test_what_is_set_is_listed_without_secrets(environ: dict[str, str]) -> None:
    given_ = {"MOREFOLLOWS_HOLD": "5", "MOREFOLLOWS_LINK_KEY_DAYS": "9"}
    secret = {
        "MOREFOLLOWS_SECRET": "a secret of thirty-two characters",
        "MOREFOLLOWS_RELAY": "smtp://ada:secret@mail.example.org",
        "DATABASE_URL": "postgres://ada:secret@localhost/herald",
        "MOREFOLLOWS_DKIM_KEY": "secret",
        "MOREFOLLOWS_DKIM_SELECTOR": "mf1",
    }
    told = chosen({**given_, **secret})
    assert {
        "MOREFOLLOWS_HOLD=5",
        "MOREFOLLOWS_LINK_KEY_DAYS=9",
        "MOREFOLLOWS_DKIM_SELECTOR=mf1",
    } < set(told)
    assert "secret" not in str(told) and "MOREFOLLOWS_RELAY=…" in told


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:8025"), ("::1", "http://[::1]:8025")]
)
def test_the_address_follows_the_host(environ: dict[str, str], host: str, url: str) -> None:
    assert load({**environ, "MOREFOLLOWS_HOST": host}).url == url


def test_every_setting_says_what_it_is_for() -> None:
    from dataclasses import fields

    assert all(spec.metadata["help"].endswith(".") for spec in fields(Settings))
