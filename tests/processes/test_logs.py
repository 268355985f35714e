"""The log for programs: a JSON object a line, with what it belongs to."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest

from morefollows.courier.sender.call_thread import CallThread
from morefollows.helpers.telemetry import log_context
from morefollows.processes.logs import JsonLine, OneLine


def line(message: str, *arguments: object, error: bool = False) -> dict[str, Any]:
    info = None
    if error:
        try:
            raise ValueError("no\nroom")
        except ValueError as found:
            info = (type(found), found, found.__traceback__)
    record = logging.LogRecord("morefollows.x", 30, "f", 1, message, arguments, info)
    text = JsonLine().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_is_one_object_whatever_is_in_it() -> None:
    found = line("told %s", 'a"b\nc\u2028d')
    assert found["message"] == 'told a"b\nc\u2028d'
    assert found["level"] == "warning"
    assert found["time"].endswith("+00:00")
    assert {"request", "alert", "error"}.isdisjoint(found)
    assert "ValueError: no\nroom" in line("it failed", error=True)["error"]


@pytest.mark.parametrize("formatter", [JsonLine(), OneLine()])
def test_no_line_has_an_address(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("DETAIL: Key (email)=(o'dee+x@reader.example) already exists.")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    arguments = ("/desk/cy%40reader.example/", "smtp://us:secret@relay.example:25")
    record = logging.LogRecord("django", 30, "f", 1, "Not Found: %s %s", arguments, info)
    text = formatter.format(record)
    assert "reader.example" not in text and "secret" not in text
    assert "Not Found: /desk/" in text and "Key (email)=" in text and "raise ValueError" in text


@pytest.mark.parametrize("part", ["a", "@", "a@", "%40", "a.", "@a."])
def test_masking_a_long_line_takes_no_time(part: str) -> None:
    began = time.process_time()
    line("Not Found: /%s", part * (100_000 // len(part)))
    assert time.process_time() - began < 2  # with the square of the length it would be a minute


def test_it_names_the_request_and_the_alert() -> None:
    with log_context.about_request("from-the-proxy.7"), log_context.about_alert(12):
        found = line("waits")
    assert (found["request"], found["alert"]) == ("from-the-proxy.7", 12)
    assert line("alert %d: %s", 7, "sending")["alert"] == 7
    assert log_context.request_id() == ""


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "ä"])
def test_an_id_that_is_unfit_is_replaced(given: str) -> None:
    with log_context.about_request(given):
        name = log_context.request_id()
        assert name != given and len(name) == 36
        assert log_context.request_id() == name


def test_a_senders_database_thread_knows_the_alert() -> None:
    async def run() -> int | None:
        thread = CallThread("database")
        with log_context.about_alert(5):
            found = await thread.run(log_context.alert_id)
        thread.shutdown()
        return found

    assert asyncio.run(run()) == 5


@pytest.mark.django_db
def test_an_answer_of_the_api_names_the_request_as_the_log_does(client: Any) -> None:
    with log_context.about_request("seen-by-the-proxy"):
        assert client.get("/api/v1/stories")["Request-Id"] == "seen-by-the-proxy"
