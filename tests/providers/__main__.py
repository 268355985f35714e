"""`make providers`: an alert straight to six real providers, and every outcome compared.

Root and Linux only. Needs postfix, exim4, postgrey, knot, unbound. Exim and Postfix exclude each
other as Debian packages: unpack exim4-daemon-light with ``dpkg -x``, put it on the PATH, and make a
user Debian-exim. Senders are killed on the way (``--kills``). Prints a line for each provider and
how soon it took the mail. Fails if a mail is lost, an outcome is wrong, or mail went to a wrong
certificate.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.providers import servers
from tests.providers.namespaces import US, hosts, run, start
from tests.support.scripted_relay import Certificate

#: Provider → its share of the readers, of 50.
SHARES = {"fast": 30, "slow": 2, "grey": 4, "limit": 5, "sts": 4, "users": 5}
_OURS = ["us", *SHARES]
_APART = 15.0  # seconds between two kills: `up` gives up a process that dies again and again


def main() -> int:
    parser = argparse.ArgumentParser(prog="make providers", description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=3, help="of senders, with SIGKILL")
    parser.add_argument("--patience", type=float, default=600, help="seconds")
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return perform(Path(options.inside), options.readers, options.kills, options.patience)
    with (
        tempfile.TemporaryDirectory(prefix="morefollows-providers-") as name,
        hosts(_OURS) as there,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        roots = prepare(folder, {one: there[one] for one in SHARES})
        command = [sys.executable, "-m", "tests.providers", "--inside", name]
        command += [f"--{one}={getattr(options, one)}" for one in ("readers", "kills", "patience")]
        environment = os.environ | {"SSL_CERT_FILE": str(roots), "MOREFOLLOWS_RESOLVER": ""}
        try:
            return subprocess.run(
                ["ip", "netns", "exec", "mf-us", *command],
                env=environment,
                check=False,
            ).returncode
        finally:
            for one in SHARES:
                if one != "limit":
                    run("postfix", "-c", str(folder / one), "stop", check=False)


def prepare(folder: Path, addresses: dict[str, str]) -> Path:
    """Starts everything. Returns the file with the roots that we trust."""
    certificates = {}
    for name, host in (
        ("fast", "mx.fast.test"),
        ("sts", "wrong.test"),
        ("policy", "mta-sts.sts.test"),
    ):
        (folder / f"{name}-tls").mkdir()
        certificates[name] = Certificate.make(folder / f"{name}-tls", host)
        run("chmod", "-R", "a+rX", str(folder / f"{name}-tls"))

    def tls(name: str) -> str:
        made = certificates[name]
        return (
            f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {made.path}\n"
            f"smtpd_tls_key_file = {made.key}\n"
        )

    servers.postfix("fast", folder, tls("fast"))
    servers.postfix(
        "slow", folder, "smtpd_recipient_restrictions = sleep 1, reject_unauth_destination"
    )
    (folder / "greylist").mkdir()
    run("chown", "postgrey", str(folder / "greylist"))
    start(
        "grey",
        folder / "postgrey.out",
        "postgrey",
        "--inet=127.0.0.1:10023",
        "--delay=5",
        "--auto-whitelist-clients=0",
        f"--dbdir={folder}/greylist",
    )
    servers.postfix(
        "grey",
        folder,
        "smtpd_recipient_restrictions = reject_unauth_destination, "
        "check_policy_service inet:127.0.0.1:10023",
    )
    servers.exim("limit", folder)
    servers.postfix("sts", folder, tls("sts"))
    servers.postfix(
        "users",
        folder,
        "relay_recipient_maps = regexp:{{/^r[0-9]*x0@/ ok}}\n"
        "smtpd_reject_unlisted_recipient = yes\nunknown_relay_recipient_reject_code = 550",
    )
    policy = certificates["policy"]
    start(
        "sts",
        folder / "policy.out",
        sys.executable,
        "-m",
        "tests.providers.policy_server",
        str(policy.path),
        str(policy.key),
    )
    servers.dns(folder, addresses, certificates["fast"])
    roots = folder / "roots.pem"
    roots.write_bytes(policy.path.read_bytes())
    return roots


# -- in our namespace ------------------------------------------------------------------------------


def perform(folder: Path, readers: int, kills: int, patience: float) -> int:
    """Sends one alert with the whole product, and compares."""
    from bench.stage import stage

    url = f"mx://localhost?private=yes&sources={US}/mail.us.test/1&resolver=127.0.0.1:53"
    begun = time.monotonic()
    with stage(folder, ("127.0.0.1", 1), settings={"MOREFOLLOWS_RELAY": url}) as product:
        _fill(readers)
        alert = _send(product)
        killed, last_kill = 0, 0.0
        while True:
            outcomes = _outcomes(alert)
            left = sum(
                count for name in SHARES for code, count in outcomes[name].items() if code == 0
            )
            waits = sum(
                outcomes[name][2] + outcomes[name][5]  # deferred or uncertain
                for name in SHARES
                if name not in ("sts", "users")
            )
            if left + waits == 0 or time.monotonic() - begun > patience:
                break
            due = left < readers * (1 - (killed + 1) / (kills + 2)) or left == 0
            if killed < kills and due and time.monotonic() - last_kill > _APART:
                killed += _kill(product.up)
                last_kill = time.monotonic()
            time.sleep(0.5)
        speeds = _speeds(alert)
        problems = _compare(folder, outcomes, readers)
        print(f"{killed} senders killed; {time.monotonic() - begun:.0f} s in all")
        for line in speeds:
            print(line)
    for problem in problems:
        print("WRONG:", problem)
    return 1 if problems else 0


def _fill(readers: int) -> None:
    from django.utils import timezone

    from morefollows.audience import addresses
    from morefollows.audience.lists import learn_sizes
    from morefollows.audience.models import Reader, Subscription, Topic

    names = [name for name, share in SHARES.items() for _ in range(share)]
    now, topic = timezone.now(), Topic.objects.get(slug="breaking")
    for first in range(0, readers, 2_000):
        chunk = []
        for number in range(first, min(first + 2_000, readers)):
            address = addresses.parse(
                f"r{number}x{(number // 50 + number) % 2}@{names[number % 50]}.test"
            )
            chunk.append(
                Reader(
                    address=address.text,
                    key=address.key,
                    domain=address.domain,
                    state=Reader.State.CONFIRMED,
                    created_at=now,
                    confirmed_at=now,
                )
            )
        Reader.objects.bulk_create(chunk)
        Subscription.objects.bulk_create(
            Subscription(reader=one, topic=topic, state=Subscription.State.ACTIVE, since=now)
            for one in chunk
        )
    learn_sizes()


def _send(product: Any) -> Any:
    from morefollows.ingest.drafts.file_drafts import save_draft
    from morefollows.ingest.story_file import StoryFile
    from morefollows.stories import actions

    read = StoryFile(
        headline="Lighthouse keeper found safe",
        standfirst="",
        text="More follows.",
        language="en",
        topic="",
        dropped=(),
        notes=(),
    )
    editor = product.editor()
    return actions.send(save_draft(read, editor, product.topic()), editor, hold=1)


def _outcomes(alert: Any) -> dict[str, Counter[int]]:
    """Provider → outcome → readers, by the ledger."""
    from morefollows.audience.models import Reader
    from tests.courier.support import states

    found: dict[str, Counter[int]] = {name: Counter() for name in SHARES}
    domains = dict(Reader.objects.values_list("pk", "domain"))
    known = states(alert)
    for reader, domain in domains.items():
        found[domain.removesuffix(".test")][known.get(reader, 0)] += 1
    return found


def _kill(up: int) -> int:
    import psutil  # type: ignore[import-untyped]

    # The first is forked and has a name; those started again have a command line.
    senders = [
        one
        for one in psutil.Process(up).children(recursive=True)
        if one.name() == "mf send" or one.cmdline()[2:4] == ["morefollows", "send"]
    ]
    if senders:
        os.kill(random.choice(senders).pid, signal.SIGKILL)
    return len(senders[:1])


def _speeds(alert: Any) -> list[str]:
    from morefollows.feedback.provider_times import provider_speeds

    return [
        f"{one.provider or 'small ones':<12}{one.mails:>7} accepted; first {one.first:.1f} s, "
        f"50 % {one.p50:.1f} s, 90 % {one.p90:.1f} s, 99 % {one.p99:.1f} s"
        for one in provider_speeds(alert)
    ]


def _compare(folder: Path, outcomes: dict[str, Counter[int]], readers: int) -> list[str]:
    from morefollows.courier.models import Outcome

    wrong: list[str] = []
    if sum(one.total() for one in outcomes.values()) != readers:
        wrong.append("readers are missing in the ledger")
    for name, found in outcomes.items():
        took = servers.taken(name, folder)
        accepted, repeats = found[Outcome.ACCEPTED], took.total() - len(took)
        words = ", ".join(f"{Outcome(code).name.lower()} {count}" for code, count in found.items())
        print(f"{name:<8}{words}; the provider has {len(took)} mails, {repeats} of them twice")
        if name == "sts":
            if accepted or took:
                wrong.append("mail went to a host with a wrong certificate")
            continue
        expected = (
            found.total()
            if name != "users"
            else sum(count for code, count in found.items() if code == Outcome.ACCEPTED)
        )
        if accepted != expected:
            wrong.append(f"{name}: {accepted} of {expected} accepted")
        if len(took) < accepted:
            wrong.append(f"{name}: {accepted - len(took)} lost")
        if len(took) > accepted + found[Outcome.UNCERTAIN]:
            wrong.append(f"{name}: {len(took) - accepted} more than the ledger knows")
        if name == "users" and not 0.45 < accepted / found.total() < 0.55:
            wrong.append(f"users: {accepted} of {found.total()} accepted")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
