"""Who and from where: what each entry of the activity log has beside the editor."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.audit import origin
from morefollows.audit.actions import changes, record
from morefollows.audit.models import AuditEntry
from morefollows.cli.main import run

USER = pwd.getpwuid(os.geteuid()).pw_name


def test_a_command_has_its_user_and_who_logged_in(tmp_path: Path) -> None:
    login = tmp_path / "loginuid"
    assert origin.of_process({}, login) == (USER, "")
    login.write_text("4294967295")
    assert origin.of_process({"SUDO_USER": "ada\x1b[31m"}, login).operator == (
        f"{USER} (sudo ada[31m)"
    )
    assert origin.of_process({"SUDO_USER": USER}, login).operator == USER
    login.write_text(str(os.geteuid()))
    assert origin.of_process({"SUDO_USER": "forged"}, login).operator == USER
    login.write_text("987654")
    assert origin.of_process({"SUDO_USER": "forged"}, login).operator == (
        f"{USER} (login uid 987654)"
    )
    ssh = {"SSH_CONNECTION": "198.51.100.7 50022 192.0.2.1 22"}
    assert origin.of_process(ssh, login).network == "198.51.100.0/24"
    assert origin.of_process({"SSH_CONNECTION": "UNKNOWN"}, login).network == ""


def test_an_action_at_the_desk_has_the_clients_network(
    ada_at_desk: Client, ada: Editor, cy: object
) -> None:
    ada_at_desk.post(
        reverse("reader-find"), {"address": "cy@reader.example"}, REMOTE_ADDR="2001:db8:5:6::7"
    )
    entry = AuditEntry.objects.get(what="look up reader")
    assert (entry.editor, entry.operator, entry.network) == (ada, "", "2001:db8:5::/48")
    assert origin.of_action() == ("", ""), "it ends with the request"


@pytest.mark.django_db
def test_a_command_is_of_its_user_and_a_process_of_the_system(ada: Editor) -> None:
    assert run(["editors", "offers", ada.email]) == 0
    assert AuditEntry.objects.get().operator.split(" ")[0] == USER
    record(None, "sender died", begun=1)
    assert AuditEntry.objects.latest("pk").operator == ""


@pytest.mark.django_db
def test_what_a_database_can_not_keep_is_left_out() -> None:
    entry = record(None, "add site", subject="a\x00b\ud800" + "x" * 500, site="\x00\udfff" * 900)
    entry.refresh_from_db()
    assert entry.subject.startswith("a\ufffdb?x")
    assert (len(entry.subject), len(entry.details["site"])) == (150, 300)


def test_changes_are_what_stood_before_and_after() -> None:
    before, after = (
        {"name": "Herald", "language": "en", "gone": 1},
        {"name": "Post", "language": "en"},
    )
    assert changes(before, after) == {"gone": ["1", ""], "name": ["Herald", "Post"]}
