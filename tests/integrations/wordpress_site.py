"""A real WordPress: MariaDB on a socket, PHP's own web server, and the plugin switched on.

Debian's packages `wordpress`, `php-cli`, `php-mysql` and `mariadb-server` are used as they are.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from http.client import HTTPException
from pathlib import Path

from tests.support import web
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE, until

SOURCE = Path("/usr/share/wordpress")
PLUGIN = Path(__file__).parents[2] / "integrations" / "wordpress" / "morefollows"
USER, PASSWORD = "ada", "correct horse battery staple 7"

_CONFIG = """<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:%(socket)s' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
foreach ( array( 'AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT',
    'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT' ) as $name ) {
    define( $name, 'of a test, and of nothing else: ' . $name );
}
define( 'WP_HOME', '%(url)s' );
define( 'WP_SITEURL', '%(url)s' );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ACCESSIBLE_HOSTS', '127.0.0.1' );
define( 'DISABLE_WP_CRON', true ); // The test calls wp-cron.php when it wants it.
define( 'WP_CRON_LOCK_TIMEOUT', 1 );
define( 'WP_ENVIRONMENT_TYPE', 'local' );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_DISPLAY', false );
define( 'WP_DEBUG_LOG', '%(log)s' );
$table_prefix = 'wp_';
if ( ! defined( 'ABSPATH' ) ) {
    define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
"""

# Of the test alone: what waits a minute in the field waits a second here.
_QUICK_CRON = """<?php
add_filter( 'cron_schedules', function ( $all ) {
    $all['morefollows_minute']['interval'] = 1;
    return $all;
}, 99 );
"""


class WordPressSite:
    """One site in a folder of its own, with its database and web server."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wp-"))
        self.root = self.folder / "site"
        self.log = self.folder / "debug.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._socket = self.folder / "db.sock"
        self._database: subprocess.Popen[bytes] | None = None
        self._php: subprocess.Popen[bytes] | None = None

    def start(self) -> WordPressSite:
        """Starts database and web server, installs WordPress and switches the plugin on."""
        self._start_database()
        shutil.copytree(SOURCE, self.root, ignore=shutil.ignore_patterns("wp-config.php"))
        shutil.copytree(PLUGIN, self.root / "wp-content" / "plugins" / "morefollows")
        hooks = self.root / "wp-content" / "mu-plugins"
        hooks.mkdir()
        (hooks / "quick-cron.php").write_text(_QUICK_CRON)
        values = {"socket": self._socket, "url": self.url, "log": self.log}
        (self.root / "wp-config.php").write_text(_CONFIG % values)
        self.php("define( 'WP_INSTALLING', true );", _INSTALL)
        self.start_php()
        return self

    def _start_database(self) -> None:
        data = self.folder / "db"
        data.mkdir()
        # Without tables of rights it needs no set-up: nobody but this user reaches its socket.
        self._database = self._background(
            *("mariadbd", "--no-defaults", "--skip-grant-tables", "--skip-networking"),
            *(f"--datadir={data}", f"--socket={self._socket}", "--performance-schema=off"),
            *("--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M"),
            *(["--user=root"] if os.getuid() == 0 else []),
        )
        client = ["mariadb", "--no-defaults", f"--socket={self._socket}", "-e"]
        until(
            "MariaDB",
            lambda: (
                subprocess.run(
                    [*client, "CREATE DATABASE IF NOT EXISTS wordpress"],
                    capture_output=True,
                    check=False,
                ).returncode
                == 0
            ),
        )

    def start_php(self) -> None:
        """Starts the web server: several workers, because WordPress asks itself."""
        self._php = self._background(
            *("php", "-d", "sendmail_path=/bin/true", "-S", f"127.0.0.1:{self.port}"),
            *("-t", str(self.root)),
            PHP_CLI_SERVER_WORKERS="4",
        )
        until("WordPress", self._answers)

    def _answers(self) -> bool:
        try:
            return web.request("GET", f"{self.url}/wp-login.php").status == 200
        except (OSError, HTTPException):
            return False

    def kill_php(self) -> None:
        """Kills the web server with all its workers, in the middle of what they do."""
        if self._php is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._php.pid, signal.SIGKILL)
            self._php.wait(PATIENCE)
            self._php = None

    def php(self, *code: str) -> str:
        """Runs PHP within WordPress, after `code`'s first parts; returns what it prints."""
        before, run = code if len(code) == 2 else ("", code[0])
        script = f"{before} require '{self.root}/wp-load.php'; {run}"
        done = subprocess.run(
            ["php", "-d", "sendmail_path=/bin/true", "-r", script],
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def cron(self) -> bool:
        """Calls wp-cron.php, as a system's cron does. Returns whether it survived that."""
        try:
            return web.request("GET", f"{self.url}/wp-cron.php").status == 200
        except (OSError, HTTPException):
            return False

    def complaints(self) -> str:
        """What PHP complained about in the plugin's files: warnings, notices, errors."""
        text = self.log.read_text() if self.log.exists() else ""
        return "\n".join(line for line in text.splitlines() if "morefollows" in line)

    def stop(self) -> None:
        """Ends its processes and deletes its folder."""
        self.kill_php()
        if self._database is not None:
            self._database.kill()
            self._database.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _background(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


_INSTALL = f"""
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
wp_install( 'The Harbour Herald', '{USER}', 'ada@herald.example', true, '', '{PASSWORD}', 'en_GB' );
$quiet = array( 'welcomeGuide' => false );
update_user_meta( 1, 'wp_persisted_preferences', array( 'core/edit-post' => $quiet ) );
update_option( 'show_avatars', 0 ); // They come from elsewhere.
$failed = activate_plugin( 'morefollows/morefollows.php' );
if ( is_wp_error( $failed ) ) {{
    fwrite( STDERR, $failed->get_error_message() );
    exit( 1 );
}}
"""
