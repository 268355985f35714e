"""The providers: Postfix and Exim, postgrey, an HTTPS server with a policy; and the DNS, signed."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections import Counter
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.providers.namespaces import run, start
from tests.support.scripted_relay import Certificate

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = all
inet_protocols = ipv4
myhostname = mx.{name}.test
mydestination =
mynetworks = 127.0.0.0/8
relay_domains = {name}.test
relay_transport = discard
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
default_process_limit = 100
{more}
"""
_MASTER = """
25        inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
proxymap  unix - - n - - proxymap
retry     unix - - n - - error
error     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
tlsmgr    unix - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""
_EXIM = """
primary_hostname = mx.{name}.test
domainlist local_domains = {name}.test
acl_smtp_rcpt = accept
smtp_accept_max = 100
smtp_accept_max_per_connection = 20
smtp_receive_timeout = 5m
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
log_selector = +smtp_confirmation
queue_only = true
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
"""


def postfix(name: str, folder: Path, more: str = "") -> None:
    """Starts a Postfix that takes all mail for NAME.test and discards it."""
    home = folder / name
    (home / "spool").mkdir(parents=True)
    (home / "data").mkdir()
    run("chown", "postfix", str(home / "data"))
    (home / "main.cf").write_text(_MAIN.format(folder=home, name=name, more=more))
    (home / "master.cf").write_text(_MASTER)
    run("chmod", "-R", "a+rX", str(home))
    run("ip", "netns", "exec", f"mf-{name}", "postfix", "-c", str(home), "start")


def exim(name: str, folder: Path) -> None:
    """Starts an Exim that closes a connection with 421 after 20 mails."""
    home = folder / name
    (home / "spool").mkdir(parents=True)
    run("chown", "-R", "Debian-exim", str(home))
    place = Path(f"/etc/netns/mf-{name}/exim4")
    place.mkdir(parents=True, exist_ok=True)
    Path("/etc/exim4").mkdir(exist_ok=True)  # what is laid over has to be there
    (place / "exim4.conf").write_text(_EXIM.format(folder=home, name=name))
    program = shutil.which("exim4") or "/usr/sbin/exim4"
    start(name, home / "out", program, "-bdf", "-oX", "25")


def dns(folder: Path, addresses: dict[str, str], certificate: Certificate) -> None:
    """Starts knot, which signs the zone test., and unbound, which validates, both on our machine.

    The provider "fast" has a TLSA record, "sts" an MTA-STS policy.
    """
    loaded = x509.load_pem_x509_certificate(certificate.path.read_bytes())
    key = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    lines = [
        "$ORIGIN test.",
        "$TTL 300",
        "@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60",
        "@ NS ns.test.",
        "ns A 127.0.0.1",
    ]
    for name, address in addresses.items():
        lines += [f"{name} MX 10 mx.{name}.test.", f"mx.{name} A {address}"]
    lines += [
        f"_25._tcp.mx.fast TLSA 3 1 1 {hashlib.sha256(key).hexdigest()}",
        '_mta-sts.sts TXT "v=STSv1; id=1;"',
        f"mta-sts.sts A {addresses['sts']}",
    ]
    home = folder / "dns"
    home.mkdir()
    (home / "test.zone").write_text("\n".join(lines) + "\n")
    (home / "knot.conf").write_text(
        f"server:\n  listen: 127.0.0.1@5300\n  rundir: {home}\n"
        f"database:\n  storage: {home}\n"
        "policy:\n  - id: p\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n"
        f"template:\n  - id: default\n    storage: {home}\n    zonefile-sync: -1\n"
        "    zonefile-load: difference-no-serial\n    journal-content: all\n"
        "zone:\n  - domain: test.\n    file: test.zone\n    dnssec-signing: on\n"
        "    dnssec-policy: p\n"
    )
    start("us", home / "knot.out", "knotd", "-c", str(home / "knot.conf"))
    anchor = ""
    deadline = time.monotonic() + 30
    while "DNSKEY" not in anchor:
        asked = ("kdig", "-p", "5300", "@127.0.0.1", "test", "DNSKEY", "+noall", "+answer")
        anchor = run("ip", "netns", "exec", "mf-us", *asked, check=False).stdout
        if time.monotonic() > deadline:
            raise RuntimeError(f"knot does not start: {(home / 'knot.out').read_text()}")
        time.sleep(0.2)
    (home / "anchor").write_text(anchor)
    (home / "unbound.conf").write_text(
        "server:\n  interface: 127.0.0.1\n  port: 53\n  do-daemonize: no\n"
        f'  username: ""\n  chroot: ""\n  directory: "{home}"\n  pidfile: ""\n'
        '  do-not-query-localhost: no\n  local-zone: "test." nodefault\n'
        f'  trust-anchor-file: "{home}/anchor"\n'
        'stub-zone:\n  name: "test."\n  stub-addr: 127.0.0.1@5300\n'
        "remote-control:\n  control-enable: no\n"
    )
    start("us", home / "unbound.out", "unbound", "-d", "-c", str(home / "unbound.conf"))


def taken(name: str, folder: Path) -> Counter[str]:
    """Message-IDs of the mails that a provider has taken, from its log."""
    log = folder / name / ("mainlog" if name == "limit" else "maillog")
    text = log.read_text(errors="replace") if log.exists() else ""
    if name == "limit":
        return Counter(re.findall(r" <= .* id=(\S+)", text))
    return Counter(re.findall(r"cleanup\[\d+\]: \w+: message-id=<([^>]+)>", text))
