"""Settings of the log and of what monitoring reads."""

from __future__ import annotations

from dataclasses import dataclass

from morefollows.config import setting_parsers as be
from morefollows.config.addresses.log_sink import LogSink, log_sink
from morefollows.config.declaring import setting


@dataclass(frozen=True)
class MonitoringSettings:
    """A part of `settings.Settings`."""

    metrics_token: str = setting(
        "",
        str,
        "The token with which another machine may read /metrics, sent as `Authorization: Bearer`. "
        "Best given as MOREFOLLOWS_METRICS_TOKEN_FILE. Empty: only this machine may.",
    )
    log_level: str = setting("info", be.log_level, "debug, info, warning or error.")
    log_format: str = setting(
        "text",
        be.one_of("text", "json"),
        "How a line of the log is written: `text` for people, `json` for programs.",
    )
    log_sink: LogSink | None = setting(
        "",
        log_sink,
        "Where the activity log is sent, too: syslog+tls://, syslog+tcp://, syslog+udp:// with a "
        "host, syslog+unix:///dev/log, or a web address and, after a space, the secret that signs. "
        "Best given as MOREFOLLOWS_LOG_SINK_FILE. Empty: nowhere.",
    )
    probe_port: int = setting(
        "0",
        be.whole_number(0, 65535),
        "The port on which `send`, `intake`, `ingest` and `watcher`, each run by itself, answer "
        "/healthz, /readyz and /metrics, at MOREFOLLOWS_HOST. 0: none.",
    )
