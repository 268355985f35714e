"""Every setting of More Follows: its type, its default, its parser and its help text.

`config.loading.load` reads them when a process starts. docs/reference/settings.md lists the same
settings; a test compares them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morefollows.config import environment
from morefollows.config import setting_parsers as be
from morefollows.config.addresses.intake_address import IntakeAddress, parse_receivers
from morefollows.config.addresses.relay_address import RelayAddress as RelayAddress
from morefollows.config.addresses.relay_address import relays
from morefollows.config.declaring import SettingsError as SettingsError
from morefollows.config.declaring import setting
from morefollows.config.groups.arrival_settings import ArrivalSettings
from morefollows.config.groups.backup_settings import BackupSettings
from morefollows.config.groups.crowd_settings import CrowdSettings
from morefollows.config.groups.monitoring_settings import MonitoringSettings
from morefollows.config.groups.node_settings import NodeSettings
from morefollows.config.groups.retention_settings import RetentionSettings
from morefollows.config.keyring import Keys, LinkKeys
from morefollows.config.languages import codes


@dataclass(frozen=True)
class Settings(
    CrowdSettings,
    MonitoringSettings,
    NodeSettings,
    RetentionSettings,
    BackupSettings,
    ArrivalSettings,
):
    """All settings. The variable is ``MOREFOLLOWS_`` and the field's name in capitals.

    `name` in the declaration overrides that.
    """

    # Defaults are text, as a variable's value is: one parser reads both.
    data: Path = setting(
        "morefollows-data",
        be.folder,
        "The folder for the database, the secret, the images and the local inbox. A relative "
        "path begins where the "
        "process is started.",
    )
    database_url: str = setting(
        "",
        be.text,
        "`postgres://user:password@host/name`, or empty for SQLite in the data folder.",
        name="DATABASE_URL",
    )
    secret: Keys = setting(
        "",
        be.secret,
        "The keys behind all tokens, as the file `secret` has them, or one secret of 32 "
        "characters or more. "
        "Empty: the file in the data folder, which the first start makes.",
    )
    link_key_days: int = setting(
        "400",
        be.whole_number(1, 36_500),
        "Days for which links in mail stay good after `morefollows secret rotate`. Links to "
        "unsubscribe stay good "
        "for ever.",
    )
    departure_days: int = setting(
        "400",
        be.whole_number(1, 36_500),
        "Days that departures.log keeps who unsubscribed: longer than the age of any backup that "
        "you would restore.",
    )
    url: str = setting(
        "", be.site, "The public web address of this service; links in mail begin with it."
    )
    host: str = setting("127.0.0.1", be.text, "The address that the web server listens on.")
    port: int = setting(
        "8025",
        be.whole_number(0, 65535),
        "The port that the web server listens on; 0 takes a free one.",
    )
    # Each of them appends one address to X-Forwarded-For. Those before are the client's own claim.
    trusted_proxies: int = setting(
        "0",
        be.whole_number(0, 10),
        "How many proxies stand in front and may be believed about the client's address.",
    )
    relays: tuple[RelayAddress, ...] = setting(
        "",
        relays,
        "The SMTP server that mail is handed to, or several: their URLs, apart by spaces or "
        "line ends. "
        "Empty: the local inbox, and nothing leaves the machine.",
        name="MOREFOLLOWS_RELAY",
    )
    test_relay: bool = setting(
        "no",
        be.yes_no,
        "For tests and measurements: the relay delivers to nobody, so it is given mail "
        "though the newsroom still has "
        "placeholders. Only for relays on this machine.",
    )
    relay_connections: int = setting(
        "20",
        be.whole_number(1, 1000),
        "Connections to each relay that names no number, over all sender processes.",
    )
    inbox_port: int = setting(
        "2525", be.whole_number(0, 65535), "The local inbox's SMTP port, on loopback only."
    )
    # In EHLO (RFC 5321 §4.1.1.1). Some relays refuse a name that does not resolve.
    helo: str = setting(
        "", be.host_name, "The name that we greet the relay with; empty: this machine's name."
    )
    # Of the envelope's sender, whose SPF receivers check (RFC 7208 §2.4).
    bounce_domain: str = setting(
        "",
        be.host_name,
        "The domain of return paths (VERP); empty: the domain of the newsroom's sender address.",
    )
    dkim_domain: str = setting(
        "", be.host_name, "DKIM `d=`; empty: the domain of the sender address."
    )
    dkim_selector: str = setting("", be.host_name, "DKIM selector of the RSA key.")
    dkim_key: str = setting(
        "", str, "DKIM private key (RSA-2048), PEM; best given as MOREFOLLOWS_DKIM_KEY_FILE."
    )
    # A second signature beside that of RSA: few receivers check Ed25519 (RFC 8463), and the others
    # ignore it.
    dkim_ed25519_selector: str = setting(
        "", be.host_name, "DKIM selector of the second, Ed25519 key."
    )
    dkim_ed25519_key: str = setting("", str, "Second DKIM private key (Ed25519), PEM.")
    senders: int = setting(
        "0",
        be.whole_number(0, 64),
        "Sender processes; 0: one, and with DKIM one for each core of the machine, four at "
        "the most.",
    )
    hold: float = setting(
        "10", be.seconds(0, 600), "Seconds between Send and the first mail, to take it back in."
    )
    four_eyes: str = setting(
        "auto",
        be.one_of("auto", "ask", "always", "never"),
        "Whether somebody who did not write it has to approve what is sent: `auto` asks for "
        "it as soon as two people may send it, `ask` in any case; both take a reason for sending "
        "without. With `always` nothing is sent without approval.",
    )
    second_factor: str = setting(
        "optional",
        be.one_of("optional", "senders", "all"),
        "Who needs a second factor to sign in to the desk: nobody, all who may send, or all.",
    )
    password_sign_in: bool = setting(
        "yes",
        be.yes_no,
        "Whether a password lets people in. With `no`: passkeys, and the provider of "
        "MOREFOLLOWS_OIDC_ISSUER.",
    )
    fresh_minutes: int = setting(
        "15",
        be.whole_number(1, 1440),
        "Minutes after signing in for which people, keys and exports, and the first alert from "
        "a new device, need no further proof of who it is.",
    )
    oidc_issuer: str = setting(
        "",
        be.hub,
        "The OpenID Connect provider that lets people in, by its issuer, such as "
        "https://login.example.org/realms/news. Empty: none.",
    )
    oidc_client_id: str = setting("", be.text, "Our name at that provider.")
    oidc_client_secret: str = setting("", str, "Our secret at that provider, if it gave us one.")
    oidc_name: str = setting("single sign-on", be.text, "What the button to sign in calls it.")
    oidc_role_claim: str = setting(
        "",
        be.text,
        "The claim that has a person’s roles or groups, such as `groups`. Empty: only people who "
        "have an account get in.",
    )
    oidc_roles: tuple[tuple[str, str], ...] = setting(
        "administrator=administrator editor=editor reporter=reporter",
        be.roles,
        "Which value of that claim gives which role, as role=value, apart by spaces.",
    )
    alert_ttl: float = setting(
        "14400",  # 4 hours
        be.seconds(60, 604800),
        "Seconds for which a deferred alert is tried again; then it is no longer news.",
    )
    uncertain: str = setting(
        "repeat",
        be.one_of("repeat", "ask"),
        "What becomes of a mail whose outcome is uncertain: `repeat` sends it again under "
        "the same Message-ID, `ask` "
        "leaves it to an editor.",
    )
    ask_after: float = setting(
        "600",
        be.seconds(60, 604800),
        "Seconds without any sender at work after which an alert whose hold is over does not "
        "go on by itself, but asks "
        "at the desk.",
    )
    claim: float = setting(
        "30",
        be.seconds(1, 600),
        "Seconds for which a batch stays with a sender that has fallen silent; then another "
        "one takes it over.",
    )
    batch_size: int = setting("500", be.whole_number(1, 5000), "Readers in one batch.")
    digest_time: int = setting(
        "18:00",
        be.time_of_day,
        "When digests come, HH:MM on the clocks of each reader who wants one.",
    )
    bounces_before_suppression: int = setting(
        "2",
        be.whole_number(1, 10),
        "Mails to a reader that have to bounce, with none accepted in between, before the "
        "address is suppressed.",
    )
    bounce_days: int = setting("2", be.whole_number(0, 60), "Days between two bounces that count.")
    confirmation_days: int = setting(
        "7", be.whole_number(1, 60), "Days after which an unconfirmed sign-up expires."
    )
    confirmation_interval: float = setting(
        "600",
        be.seconds(0, 86400),
        "Seconds before the same address is sent another confirmation mail.",
    )
    client_address_days: int = setting(
        "90",
        be.whole_number(0, 3650),
        "Days after which client addresses in the evidence of consent are shortened to their "
        "network.",
    )
    confirmations_a_day: int = setting(
        "5",
        be.whole_number(1, 1000),
        "Confirmation mails that one address is sent in 24 hours at the most.",
    )
    sign_up_seconds: float = setting(
        "1",
        be.seconds(0, 60),
        "Seconds that a person needs for the box at the least; who is quicker has to wait.",
    )
    resolver: str = setting(
        "",
        be.resolver,
        "The DNS server that mail domains are looked up at, on sign-up and when a provider "
        "defers, such as "
        "192.0.2.53:53; empty: the system's, and none while mail goes to the local inbox; "
        "`off`: none.",
    )
    spamd: str = setting(
        "",
        be.host_and_port,
        "Where SpamAssassin's spamd listens, such as 127.0.0.1:783: the check page shows its "
        "score of each mail. "
        "Empty: no score.",
    )
    websub_hub: str = setting(
        "",
        be.hub,
        "The WebSub hub that is told when a feed has changed, such as "
        "https://hub.example.org/; empty: none.",
    )
    image_size: int = setting(
        "20000000",
        be.whole_number(100_000, 200_000_000),
        "Octets of an image file that is added to a story, at most.",
    )
    image_pixels: int = setting(
        "50000000",
        be.whole_number(1_000_000, 200_000_000),
        "Pixels of an image that is added to a story, at most.",
    )
    image_days: int = setting(
        "30",
        be.whole_number(1, 3650),
        "Days after which an image that stands in no draft and in no update is deleted.",
    )
    languages: tuple[str, ...] = setting(
        "en de",
        codes,
        "The languages of readers’ pages and mails: their codes, apart by spaces. A reader’s "
        "browser and choice decide among them.",
    )
    intake: tuple[IntakeAddress, ...] = setting(
        "",
        parse_receivers,
        "The receivers of what comes back (bounces, complaints, replies), apart by spaces or line "
        "ends, such as lmtp://127.0.0.1:2424, imaps://user:password@mail.example.org/INBOX, "
        "maildir:///var/mail/bounces or webhook://mailgun?secret=…. Empty: none.",
    )
    intake_settle: float = setting(
        "600",
        be.seconds(0, 86400),
        "Seconds that a bounce waits before it counts, so that too many at once are seen first.",
    )
    soft_bounce_days: int = setting(
        "21",
        be.whole_number(1, 80),
        "Days for which mails to a full mailbox or to a host that is down must bounce, with none "
        "delivered in between, before the address is suppressed.",
    )
    keep_incoming_days: int = setting(
        "7",
        be.whole_number(0, 14),
        "Days for which mail that came back is kept, encrypted. What it meant is kept for "
        "MOREFOLLOWS_KEEP_REPLIES_DAYS.",
    )
    forward_replies: str = setting(
        "",
        be.mail_address,
        "Where replies of readers are forwarded to; empty: they are at the desk only.",
    )
    api_requests: int = setting(
        "600", be.whole_number(1, 100_000), "Requests a minute that a key of the API may send."
    )
    api_import_size: int = setting(
        "500000000",
        be.whole_number(1_000_000, 10_000_000_000),
        "Octets of a file of readers that a program uploads, at most.",
    )
    webhooks_inside: bool = setting(
        "no",
        be.yes_no,
        "Whether webhooks may go to addresses of one's own networks, and without TLS.",
    )
    sources_inside: bool = setting(
        "no",
        be.yes_no,
        "Whether feeds, pages and images may be fetched from addresses of one's own networks.",
    )
    debug: bool = setting("no", be.yes_no, "Development only: error pages with details.")

    @property
    def inbox(self) -> bool:
        """True when mail goes to the local inbox and nothing leaves the machine."""
        return not self.relays

    @property
    def listens_for_mail(self) -> bool:
        """Whether mail to the domain of return paths comes in here."""
        return any(receiver.takes_mail for receiver in self.intake)

    @property
    def relays_or_inbox(self) -> tuple[RelayAddress, ...]:
        """The addresses that senders connect to: the relays, or the local inbox."""
        # Without TLS: the mail does not leave the machine.
        inbox = RelayAddress("127.0.0.1", self.inbox_port, starttls="never", label="local inbox")
        return self.relays or (inbox,)

    @property
    def sender_count(self) -> int:
        """The number of sender processes.

        One can keep any relay busy unless it also signs with DKIM.
        """
        # Signatures are what fills a core, and a process uses one.
        signs = self.dkim_key or self.dkim_ed25519_key
        return self.senders or (min(os.cpu_count() or 1, 4) if signs else 1)

    def derived_key(self, purpose: str) -> bytes:
        """Returns a 32-byte key for one purpose. A token of one kind is never valid as another."""
        return self.secret.derived(purpose)[0]

    def derived_keys(self, purpose: str) -> list[bytes]:
        """Returns the current key, then those of earlier generations.

        Use them to read what was created before the last rotation.
        """
        return self.secret.derived(purpose)

    def link_keys(self) -> LinkKeys:
        return self.secret.links(self.link_key_days)


def variable(spec: Any) -> str:
    """The environment variable of a field of `Settings`."""
    return str(spec.metadata["name"] or environment.PREFIX + spec.name.upper())
