"""A relay in trouble: what the desk is told, how we come back, and TLS and passwords."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from morefollows.courier.smtp import dialling
from morefollows.courier.smtp.dialling import RelayDialler
from tests.courier.smtp.support import QUICK, MemorySource, client, deliver, numbers, run
from tests.support.ports import free_port
from tests.support.scripted_relay import Certificate, Rule, Script, ScriptedRelay
from tests.support.waiting import PATIENCE


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """Of a relay that we trust."""
    made = Certificate.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@pytest.fixture
def strange_certificate(tmp_path: Path) -> Certificate:
    """Of a relay that we have no reason to trust."""
    return Certificate.make(tmp_path)


def trouble_of(
    script: Script, certificate: Certificate | None = None, **address: Any
) -> tuple[str, ScriptedRelay]:
    """The first words about a relay that can't be used. Nothing is ever offered to it."""

    async def work() -> tuple[str, ScriptedRelay]:
        troubles: list[str | None] = []
        async with ScriptedRelay(script, certificate=certificate) as relay:
            smtp = client(relay.port, MemorySource(1), troubles=troubles, **address)
            await smtp.open()
            smtp.wake()
            await until(lambda: bool(troubles))
            await smtp.close()
            assert relay.commands["MAIL"] == 0
            assert relay.violations == []
        words = troubles[0]
        assert words is not None
        return words.replace(f"127.0.0.1:{relay.port}", "HERE"), relay

    return run(work)


def test_a_relay_that_is_down_is_told_once_and_the_mail_goes_when_it_is_back() -> None:
    async def work() -> None:
        troubles: list[str | None] = []
        port, source = free_port(), MemorySource(20)
        smtp = client(port, source, connections=4, troubles=troubles)
        await smtp.open()
        smtp.wake()
        await asyncio.sleep(0.2)
        assert troubles == [f"The relay 127.0.0.1:{port} can't be reached: connection refused."]
        assert not source.in_flight  # nothing is taken that can't be offered
        async with ScriptedRelay(port=port) as relay:
            await source.settled()
            await smtp.close()
            assert sorted(numbers(relay)) == list(range(20))
        assert troubles[1:] == [None]

    run(work)


def test_a_relay_that_crashes_in_the_middle_gets_the_rest_when_it_is_back() -> None:
    async def work() -> None:
        async with ScriptedRelay() as relay:
            source = MemorySource(500, again=True)
            smtp = client(relay.port, source, connections=5)
            await smtp.open()
            smtp.wake()
            await until(lambda: len(relay.taken) > 100)
            await relay.stop()
            await asyncio.sleep(0.1)
            await relay.start_again()
            await source.settled()
            await smtp.close()
            assert source.accepted() | source.uncertain() == set(range(500))
            assert len(source.uncertain()) <= 5  # one a connection
            assert set(numbers(relay)) >= source.accepted()
            assert all(count == 1 for count in relay.message_ids.values())

    run(work)


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        ("554 5.7.1 no service for you", "greets with 554 5.7.1 no service for you"),
        ("421 4.3.2 too busy", "greets with 421 4.3.2 too busy"),
        ("554 go away, cy@reader.example", "greets with 554 go away, …"),
        ("SSH-2.0-OpenSSH_9.2", "answered something that is not SMTP"),
    ],
)
def test_a_relay_that_does_not_welcome_us(greeting: str, words: str) -> None:
    assert trouble_of(Script(greeting=greeting))[0] == f"The relay HERE {words}."


def test_a_relay_that_says_nothing() -> None:
    script = Script(rules=(Rule("connect", do="hang"),))
    words, _ = trouble_of(script, timeouts=QUICK._replace(command=0.2))
    assert words == "The relay HERE did not answer in time."


def test_waits_grow_between_attempts_and_end_at_the_longest() -> None:
    async def work() -> None:
        script = Script(greeting="421 4.3.2 busy")
        async with ScriptedRelay(script) as relay:
            timeouts = QUICK._replace(first_retry=0.02, longest_retry=0.4)
            smtp = client(relay.port, MemorySource(1), connections=10, timeouts=timeouts)
            await smtp.open()
            smtp.wake()
            for _ in range(80):
                smtp.wake()  # asking does not help
                await asyncio.sleep(0.01)
            assert 4 <= relay.connections <= 10
            await smtp.close()

    run(work)


def test_a_relay_with_few_connections_is_used_with_those_it_gives() -> None:
    """The third connection and all later ones are refused; the mails go over two."""

    async def work() -> None:
        script = Script(rules=(Rule("connect", after=2, reply="421 4.7.0 too many connections"),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(300)
            troubles = await deliver(relay, source, connections=10)
            assert len(relay.taken) == 300
            assert troubles == []

    run(work)


def test_a_relay_that_ends_each_connection_after_some_mails_gets_them_all() -> None:
    source = MemorySource(100, again=True)

    async def work() -> None:
        script = Script(
            rules=(Rule("mail", every=11, reply="421 4.7.0 enough for one connection"),)
        )
        async with ScriptedRelay(script) as relay:
            await deliver(relay, source, connections=3)
            assert sorted(numbers(relay)) == list(range(100))
            assert source.uncertain() == set()

    run(work)


def test_a_relay_that_lets_us_in_and_takes_nothing_is_trouble_until_it_takes_a_mail() -> None:
    async def work() -> None:
        troubles: list[str | None] = []
        script = Script(rules=(Rule("mail", times=6, reply="421 4.7.0 later"),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(1, again=True)
            smtp = client(relay.port, source, troubles=troubles)
            await smtp.open()
            smtp.wake()
            await source.settled()
            await smtp.close()
        where = f"The relay 127.0.0.1:{relay.port}"
        assert troubles == [f"{where} closes the connection: 4.7.0 later.", None]

    run(work)


def test_it_is_tried_with_one_connection_until_it_has_taken_a_mail() -> None:
    async def work() -> None:
        script = Script(rules=(Rule("mail", times=12, reply="421 4.7.0 later"),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(60, again=True)
            smtp = client(relay.port, source, connections=6)
            await smtp.open()
            smtp.wake()
            states: list[str] = []  # in turn: a busy machine may look when it is half-open again
            while smtp.circuit == "closed" or relay.at_once:
                states += [smtp.circuit] if smtp.circuit not in states else []
                await asyncio.sleep(0)
            relay.most_at_once = 0
            assert "open" in (*states, smtp.circuit)
            while not relay.taken:
                assert relay.most_at_once <= 1
                assert smtp.circuit != "closed"
                await asyncio.sleep(0)
            await source.settled()
            assert smtp.circuit == "closed"
            await smtp.close()

    run(work)


# --- TLS


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("how", ["starttls", "implicit"])
def test_mail_goes_encrypted_over_a_certificate_that_we_trust(
    how: str, loop: str, certificate: Certificate
) -> None:
    async def work() -> None:
        script = Script(
            starttls=how == "starttls",
            implicit_tls=how == "implicit",
            users={"ada": "s3cret pässword"},
        )
        async with ScriptedRelay(script, certificate=certificate) as relay:
            source = MemorySource(40, size=20_000)
            troubles = await deliver(
                relay,
                source,
                connections=3,
                implicit_tls=how == "implicit",
                starttls="require",
                user="ada",
                password="s3cret pässword",
            )
            assert troubles == []
            assert sorted(numbers(relay)) == list(range(40))
            assert set(relay.logins) == {"ada"}
            assert relay.violations == []
            if how == "starttls":
                assert relay.commands["EHLO"] == 2 * relay.connections  # RFC 3207 §4.2

    run(work, loop=loop)


@pytest.mark.parametrize("how", ["starttls", "implicit"])
def test_a_certificate_that_can_not_be_trusted_is_trouble(
    how: str, strange_certificate: Certificate
) -> None:
    script = Script(starttls=how == "starttls", implicit_tls=how == "implicit")
    words, _ = trouble_of(script, strange_certificate, implicit_tls=how == "implicit")
    assert words.startswith("The relay HERE has a certificate that can't be trusted: self")


def test_a_certificate_of_another_name_is_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Certificate.make(tmp_path, "mail.elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.path))
    words, _ = trouble_of(Script(starttls=True), other)
    assert "IP address mismatch" in words


def test_verification_can_be_switched_off(strange_certificate: Certificate) -> None:
    async def work() -> None:
        async with ScriptedRelay(Script(starttls=True), certificate=strange_certificate) as relay:
            source = MemorySource(3)
            await deliver(relay, source, verify=False)
            assert source.codes() == [250] * 3
            assert relay.commands["STARTTLS"] == 1

    run(work)


def test_starttls_can_be_insisted_on_and_declined(certificate: Certificate) -> None:
    words, _ = trouble_of(Script(), starttls="require")
    assert words == "The relay HERE does not offer STARTTLS, which the settings require."

    async def work() -> None:
        async with ScriptedRelay(Script(starttls=True), certificate=certificate) as relay:
            await deliver(relay, MemorySource(2), starttls="never")
            assert relay.commands["STARTTLS"] == 0

    run(work)


@pytest.mark.parametrize(
    "injected",
    [
        "250 slipped in\r\n",
        "250-relay.example\r\n250 AUTH PLAIN\r\n",
        "250-more\r\n",
        "250 half a li",
    ],
)
def test_words_slipped_in_before_the_encryption_are_not_believed(
    injected: str, certificate: Certificate
) -> None:
    """CVE-2011-0411: they would pass for what the relay said under encryption."""
    words, _ = trouble_of(Script(starttls=True, injected=injected), certificate)
    assert words == "The relay HERE spoke on, in clear text, after it had agreed to STARTTLS."


def test_a_relay_that_takes_back_its_offer_of_starttls(certificate: Certificate) -> None:
    script = Script(starttls=True, rules=(Rule("starttls", reply="454 4.7.0 not now"),))
    words, _ = trouble_of(script, certificate)
    assert words == "The relay HERE answers STARTTLS with 454 4.7.0 not now."


def test_what_has_spoken_tls_is_not_sent_to_in_clear_text(certificate: Certificate) -> None:
    """STARTTLS stripped by an attacker (RFC 3207 §6). Mail goes when it is offered again."""

    async def work() -> None:
        troubles: list[str | None] = []
        secured: list[bool] = []
        async with ScriptedRelay(Script(starttls=True), certificate=certificate) as relay:
            source = MemorySource(10)
            later, source.waiting = source.waiting[:5], source.waiting[5:]
            smtp = client(
                relay.port,
                source,
                troubles=troubles,
                secured=False,
                on_secured=lambda: secured.append(True),
            )
            smtp.wake()
            await source.settled()
            assert secured == [True]
            relay.script = Script()
            source._empty.clear()
            source.waiting = later
            for other in list(relay.clients):
                other.drop()
            await until(lambda: not smtp.connections)
            smtp.wake()
            await until(lambda: any(troubles))
            assert troubles[-1] is not None
            assert troubles[-1].endswith(
                "does not offer STARTTLS any more; nothing is sent to it in clear text."
            )
            assert relay.commands["MAIL"] == 5
            relay.script = Script(starttls=True)
            await source.settled()
            await smtp.close()
            assert source.codes() == [250] * 10
            assert troubles[-1] is None

    run(work)


@pytest.mark.parametrize("starttls", ["offered", "optional", "never"])
def test_the_settings_say_whether_a_relay_that_had_tls_may_go_without(
    starttls: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a restart: an earlier process had seen it."""
    caplog.set_level("WARNING", "morefollows.courier.smtp")
    if starttls == "offered":
        words, _ = trouble_of(Script(), starttls=starttls, secured=True)
        assert (
            words
            == "The relay HERE does not offer STARTTLS any more; nothing is sent to it in clear "
            "text."
        )
        return

    async def work() -> None:
        async with ScriptedRelay() as relay:
            source = MemorySource(3)
            await deliver(relay, source, starttls=starttls, secured=True)
            assert source.codes() == [250] * 3

    run(work)
    assert ("mail goes there in clear text" in caplog.text) is (starttls == "optional")


# --- AUTH (RFC 4954)


@pytest.mark.parametrize(
    "mechanisms", [("PLAIN",), ("LOGIN",), ("CRAM-MD5", "LOGIN", "PLAIN"), ("login",)]
)
def test_it_signs_in(mechanisms: tuple[str, ...]) -> None:
    async def work() -> None:
        async with ScriptedRelay(Script(users={"ada": "s3cret"}, mechanisms=mechanisms)) as relay:
            await deliver(relay, MemorySource(2), user="ada", password="s3cret")
            assert relay.logins == ["ada"]

    run(work)


def test_a_wrong_password_is_trouble_and_is_not_told() -> None:
    words, relay = trouble_of(Script(users={"ada": "s3cret"}), user="ada", password="wr0ng")
    assert words == "The relay HERE refused the user name or password (535)."
    # A relay that says no is not asked again at once; the tests' own pause is a short one.
    assert relay.connections <= 3


def test_a_relay_without_a_mechanism_that_we_speak() -> None:
    for script in (Script(), Script(users={"ada": "s3cret"}, mechanisms=("CRAM-MD5",))):
        words, _ = trouble_of(script, user="ada", password="s3cret")
        assert words == "The relay HERE offers neither AUTH PLAIN nor AUTH LOGIN."


def test_the_password_never_leaves_the_machine_in_clear_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On loopback there is nobody to listen; a relay elsewhere gets the password over TLS only."""
    from morefollows.courier.smtp import handshake

    monkeypatch.setattr(handshake, "_on_this_machine", lambda connection: False)
    words, relay = trouble_of(Script(users={"ada": "s3cret"}), user="ada", password="s3cret")
    assert words == "The relay HERE offers no encryption, and the password is not sent without."
    assert relay.commands["AUTH"] == 0


def test_mails_that_nobody_reads_are_given_up_in_time() -> None:
    """The relay stops reading inside a big mail: the block's time-out applies."""

    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            await reader.readline()
            writer.write(b"250-relay.example\r\n250 PIPELINING\r\n")
            for _ in range(3):
                await reader.readline()
            writer.write(b"250 ok\r\n250 ok\r\n354 go\r\n")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        source = MemorySource(1, size=20_000_000)
        smtp = client(
            server.sockets[0].getsockname()[1],
            source,
            timeouts=QUICK._replace(block=0.3, content=600, data=600),
        )
        await smtp.open()
        smtp.wake()
        await source.settled()
        assert source.uncertain() == {0}
        await smtp.close()
        server.close()

    run(work)


@pytest.mark.parametrize("how", ["implicit_tls", "starttls"])
def test_a_certificate_that_has_run_out_is_trouble(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expired certificate: nothing is offered and nothing is sent in clear text."""
    old = Certificate.make(tmp_path, days=-1)
    monkeypatch.setenv("SSL_CERT_FILE", str(old.path))
    words, _ = trouble_of(Script(**{how: True}), old, implicit_tls=how == "implicit_tls")  # type: ignore[arg-type]
    assert (
        words == "The relay HERE has a certificate that can't be trusted: certificate has expired."
    )


def test_mail_waits_while_the_relay_s_name_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name server fails for a while: the desk is told and all mail goes afterwards."""
    known = socket.getaddrinfo
    gone = True

    def look_up(host: Any, *more: Any, **options: Any) -> Any:
        if gone and host == "relay.example":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return known("127.0.0.1" if host == "relay.example" else host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    async def work() -> None:
        nonlocal gone
        troubles: list[str | None] = []
        async with ScriptedRelay() as relay:
            source = MemorySource(5)
            smtp = client(relay.port, source, troubles=troubles)
            smtp.address = dataclasses.replace(smtp.address, host="relay.example")
            smtp.dialler = RelayDialler(smtp.address, b"courier.example")
            smtp.wake()
            await until(lambda: bool(troubles))
            assert str(troubles[0]).endswith("can't be found: its host name is not known.")
            assert source.replies == {}
            gone = False
            await source.settled()
            await smtp.close()
            assert source.codes() == [250] * 5
        assert troubles[-1] is None

    run(work, loop="asyncio")


def test_a_name_server_that_is_gone_does_not_matter_once_the_relay_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither one that says no, nor one that does not answer."""
    monkeypatch.setattr(dialling, "_DNS_PATIENCE", 0.1)
    known, answers = socket.getaddrinfo, "well"
    let_go = threading.Event()

    def look_up(host: Any, *more: Any, **options: Any) -> Any:
        if host == "relay.example" and answers == "no":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if host == "relay.example" and answers == "never":
            let_go.wait(PATIENCE)
        return known("127.0.0.1" if host == "relay.example" else host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    async def work() -> None:
        nonlocal answers
        async with ScriptedRelay() as relay:
            source = MemorySource(9)
            later, source.waiting = source.waiting[:6], source.waiting[6:]
            smtp = client(relay.port, source)
            smtp.address = dataclasses.replace(smtp.address, host="relay.example")
            smtp.dialler = RelayDialler(smtp.address, b"courier.example")
            for now in ("well", "no", "never"):
                answers = now
                smtp.wake()
                await source.settled()
                source._empty.clear()
                source.waiting, later = later[:3], later[3:]
                for one in list(relay.clients):
                    one.drop()
                await until(lambda: not smtp.connections)
            let_go.set()
            await smtp.close()
            assert source.codes() == [250] * 9

    run(work, loop="asyncio")


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with a firewalled IPv6 address. The address that answered is tried first next time."""

    async def work() -> None:
        async with ScriptedRelay() as relay:
            loop = asyncio.get_running_loop()
            connect, tried = loop.create_connection, []

            async def found(host: str, port: int, **options: Any) -> Any:
                return [
                    (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))
                    for ip in ("192.0.2.1", "127.0.0.1")
                ]

            async def create(protocol: Any, host: str, port: int, **options: Any) -> Any:
                tried.append(host)
                if host == "192.0.2.1":
                    await asyncio.sleep(60)
                return await connect(protocol, host, port, **options)

            monkeypatch.setattr(loop, "getaddrinfo", found)
            monkeypatch.setattr(loop, "create_connection", create)
            source = MemorySource(5)
            smtp = client(relay.port, source, timeouts=QUICK._replace(connect=0.4))
            smtp.address = dataclasses.replace(smtp.address, host="relay.example")
            smtp.dialler = RelayDialler(smtp.address, b"courier.example")
            smtp.wake()
            await source.settled()
            assert tried[:2] == ["192.0.2.1", "127.0.0.1"]
            for one in list(relay.clients):
                one.drop()
            await until(lambda: not smtp.connections)
            smtp.wake()
            await until(lambda: smtp.connections == 1)
            assert tried[-1] == "127.0.0.1"
            assert tried.count("192.0.2.1") == 1
            await smtp.close()

    run(work, loop="asyncio")
