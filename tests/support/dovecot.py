"""A private Dovecot: mailboxes by IMAP and LMTP, on free ports. Needs root to start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.ports import free_port

_CONFIG = """\
base_dir = {place}/run
log_path = {place}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
auth_username_format = %n
mail_location = maildir:{place}/mail/%n
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_plugins = quota
quota_full_tempfail = no
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = passwd-file
  args = {place}/users
}}
plugin {{
  quota = maildir:User quota
  quota_grace = 0
  sieve = file:{place}/sieve/%n.sieve
  sieve_vacation_min_period = 0
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
protocol lmtp {{
  mail_plugins = quota sieve
  postmaster_address = postmaster@dove.example
}}
"""


class Dovecot:
    """Mailboxes by name, without passwords."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="dovecot"))
        self.place.chmod(0o755)
        self.imap, self.lmtp = free_port(), free_port()
        for folder in ("run", "mail", "sieve"):
            (self.place / folder).mkdir(mode=0o755)
        shutil.chown(self.place / "mail", "dovecot", "dovecot")
        (self.place / "users").touch()
        self._times = 1
        self._file = self.place / "dovecot.conf"
        self._file.write_text(
            _CONFIG.format(
                place=self.place,
                user="dovecot",
                group="dovecot",
                imap=self.imap,
                lmtp=self.lmtp,
            )
        )

    def submission(self, port: int) -> None:
        """Has its own mail go to this SMTP port. To be called before the start."""
        with self._file.open("a") as file:
            file.write(f"submission_host = 127.0.0.1:{port}\n")

    def start(self) -> Dovecot:
        with (self.place / "out").open("w") as out:
            subprocess.run(
                ["/usr/sbin/dovecot", "-c", self._file],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.imap), 1).close()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise AssertionError((self.place / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        subprocess.run(["/usr/sbin/dovecot", "-c", self._file, "stop"], capture_output=True)
        shutil.rmtree(self.place, ignore_errors=True)

    def add(self, name: str, quota: str = "", sieve: str = "") -> None:
        """Adds a mailbox. `quota`: such as ``*:storage=1`` (kB)."""
        with (self.place / "users").open("a") as file:
            extra = f"userdb_quota_rule={quota}" if quota else ""
            file.write(f"{name}::::::: {extra}\n".replace(" \n", "\n"))
        self._changed()
        if sieve:
            (self.place / "sieve" / f"{name}.sieve").write_text(sieve)
            shutil.chown(self.place / "sieve", "dovecot", "dovecot")

    def remove(self, name: str) -> None:
        """Removes a mailbox: mail to it bounces from now on."""
        lines = (self.place / "users").read_text().splitlines(keepends=True)
        (self.place / "users").write_text(
            "".join(line for line in lines if not line.startswith(f"{name}:"))
        )
        self._changed()

    def _changed(self) -> None:
        """Dovecot reads the file again when its time has changed, in whole seconds."""
        self._times += 1
        os.utime(self.place / "users", (self._times, self._times))

    def deliver(self, name: str, raw: bytes) -> None:
        """Puts a mail into a mailbox, by LMTP. A new one is known after a second."""
        from smtplib import LMTP, SMTPRecipientsRefused

        deadline = time.monotonic() + 20
        while True:
            try:
                with LMTP("127.0.0.1", self.lmtp) as client:
                    client.sendmail("", [f"{name}@dove.example"], raw)
                return
            except SMTPRecipientsRefused:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def settle(self, name: str) -> None:
        """Waits until this mailbox is known, as are those that were added before it."""
        self.deliver(name, b"Subject: test\r\n\r\nx")

    def mails(self, name: str) -> list[bytes]:
        """The mails in a mailbox."""
        place = self.place / "mail" / name
        return [path.read_bytes() for part in ("new", "cur") for path in (place / part).glob("*")]
