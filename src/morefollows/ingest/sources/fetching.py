"""Fetches from addresses that strangers name, over HTTP/1.1, and never from our own networks.

Each hop's name is looked up once, every address that it has must be a public one, and the
connection goes to that address. Size and time of the whole are limited, also of what is unpacked.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

import httptools

from morefollows import __version__
from morefollows.helpers import guarded_lookup, public_addresses

MOST_OCTETS = 10 * 1024 * 1024  #: of a body, unpacked
SECONDS = 30.0  #: for the whole of it
_CONNECT_SECONDS = 8.0  # for one address
_HOPS = 5
_MOST_HEADERS = 64 * 1024
_PERMANENT = (301, 308)
_REDIRECTS = (*_PERMANENT, 302, 303, 307)
_PORTS = {"http": 80, "https": 443}
_NO_ADDRESS = "it leads to what is no web address"
USER_AGENT = f"MoreFollows/{__version__} (news desk; feed reader)"


class NotFetched(Exception):
    """It could not be fetched. ``str()`` says why, without any secret."""


class FetchResponse(NamedTuple):
    """An HTTP response. `headers`: by lower-case name; of several the last, of `link` all."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str  #: after redirects
    moved_to: str  #: if all redirects that led there are permanent; else ""


@dataclass(frozen=True)
class FetchLimits:
    """What a fetch may take. `inside`: whether addresses of one's own networks are allowed."""

    inside: bool = False
    octets: int = MOST_OCTETS
    seconds: float = SECONDS


async def fetch(
    url: str,
    limits: FetchLimits,
    headers: Mapping[str, str] | None = None,
    *,
    password: str = "",
    form: bytes | None = None,
    allow: Callable[[str], Awaitable[None]] | None = None,
) -> FetchResponse:
    """Gets the URL, or posts a `form` to it, which is not repeated elsewhere. Raises `NotFetched`.

    A user's name in the URL is sent with `password` by basic authentication, to its host alone.
    `allow` is called before each request, also of a redirect, and raises what forbids it.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            return await _fetch(url, limits, dict(headers or {}), password, form, allow)
    except TimeoutError:
        raise NotFetched(f"no answer within {limits.seconds:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        raise NotFetched(f"its certificate is not valid: {error.verify_message}") from None
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
        raise NotFetched(_reason(error)) from None
    except httptools.HttpParserError:
        raise NotFetched("its answer is not HTTP") from None


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return str(getattr(error, "strerror", "") or error or type(error).__name__)[:200]


async def _fetch(
    url: str,
    limits: FetchLimits,
    headers: dict[str, str],
    password: str,
    form: bytes | None,
    allow: Callable[[str], Awaitable[None]] | None,
) -> FetchResponse:
    permanent, first = True, _origin(_checked(url))
    for _hop in range(_HOPS + 1):
        parts = _checked(url)
        if allow is not None:
            await allow(url)
        sent = headers
        # Not to another host that a redirect leads to: the password is for the one that was set.
        if parts.username and password and _origin(parts) == first:
            pair = f"{unquote(parts.username)}:{password}".encode()
            sent = headers | {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        response = await _once(parts, limits, sent, form)
        target = response.headers.get("location", "")
        # A form is not posted to an address that nobody has set.
        if response.status not in _REDIRECTS or not target or form is not None:
            moved = permanent and _hop > 0
            return response._replace(url=url, moved_to=url if moved else "")
        # The source's address is changed only if every step of the way is permanent.
        permanent &= response.status in _PERMANENT
        url = _joined(url, target)
    raise NotFetched(f"it redirects more than {_HOPS} times")


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # such as of an IPv6 address that is none
        raise NotFetched(_NO_ADDRESS) from None


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise NotFetched(_NO_ADDRESS)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, str(parts.hostname), parts.port or _PORTS[parts.scheme]


async def _once(
    parts: SplitResult, limits: FetchLimits, headers: Mapping[str, str], form: bytes | None
) -> FetchResponse:
    scheme, host, port = _origin(parts)
    reader, writer = await _connect(host, port, scheme == "https", limits.inside)
    try:
        writer.write(_request(parts, headers, form))
        await writer.drain()
        reading = _Reading(limits.octets)
        while not reading.complete:
            data = await reader.read(65536)
            reading.feed(data)
            if not data:
                break
        return reading.response()
    finally:
        # Without waiting for the other side: the response is complete, or of no use.
        writer.transport.abort()


async def _connect(
    host: str, port: int, secure: bool, inside: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects to the first address that answers. Raises `NotFetched`, `OSError`."""
    # Looked up once, and connected to by number: a name that changes its address in between can't
    # lead into one's own network.
    addresses = await _resolve_allowed(host, port, inside)
    for number, address in enumerate(addresses, 1):
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await asyncio.open_connection(
                    address,
                    port,
                    ssl=_tls() if secure else None,
                    server_hostname=host if secure else None,
                    limit=65536,
                )
        # The host was reached. Another of its addresses would not have a better certificate.
        except ssl.SSLError:
            raise
        except (OSError, TimeoutError) as error:
            if number == len(addresses):
                raise error if isinstance(error, OSError) else TimeoutError from None
    raise NotFetched(f"{host} has no address")


@cache
def _tls() -> ssl.SSLContext:
    """One for all: to read the certificates of all authorities takes 20 ms."""
    return ssl.create_default_context()


async def _resolve_allowed(host: str, port: int, inside: bool) -> list[str]:
    accepts = guarded_lookup.anywhere if inside else public_addresses.is_public
    try:
        return (await guarded_lookup.resolve_async(host, port, accepts))[:4]
    except guarded_lookup.NameNotFound:
        raise NotFetched(f"{host[:100]} can't be resolved") from None
    except guarded_lookup.AddressRefused:
        raise NotFetched(
            f"{host[:100]} leads to an address that is not public; "
            "MOREFOLLOWS_SOURCES_INSIDE allows it"
        ) from None


def _request(parts: SplitResult, headers: Mapping[str, str], form: bytes | None) -> bytes:
    host = parts.netloc.rpartition("@")[2]
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    lines = [
        f"{'GET' if form is None else 'POST'} {quote(path, safe=_SAFE)} HTTP/1.1",
        # The path was encoded by `quote`; a host that is not ASCII has a form of its own (RFC
        # 5890).
        f"Host: {host.encode('idna').decode() if not host.isascii() else host}",
        f"User-Agent: {USER_AGENT}",
        "Accept-Encoding: gzip",
        "Connection: close",
        *(f"{name}: {_one_line(value)}" for name, value in headers.items()),
    ]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (form or b"")


_SAFE = "/%:@!$&'()*+,;=-._~?[]|"


def _one_line(value: str) -> str:
    return "".join(" " if ord(one) < 32 or ord(one) == 127 else one for one in value)


class _Reading:
    """Parses one response; its body may have at most `most` octets. httptools calls `on_…`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._header_octets = 0
        self._size = 0
        self._chunks: list[bytes] = []
        self._unpack: zlib._Decompress | None = None
        self.complete = False

    def feed(self, data: bytes) -> None:
        """Takes what came in; empty: the connection was closed. Raises `NotFetched`."""
        if not data:
            # Without a length the end of the connection is the end of the body (RFC 9112 §6.3).
            if not self.complete and "content-length" in self._headers:
                raise NotFetched("its answer was cut off")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None

    def response(self) -> FetchResponse:
        status = self._parser.get_status_code()
        return FetchResponse(status, self._headers, b"".join(self._chunks), "", "")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_octets += len(name) + len(value)
        if self._header_octets > _MOST_HEADERS:
            raise NotFetched("its headers are too long")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        # Several Link fields are one list (RFC 9110 §5.3). WebSub's hub may be in any of them.
        if key == "link" and key in self._headers:
            text = f"{self._headers[key]}, {text}"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        coding = self._headers.get("content-encoding", "").lower()
        if coding in ("gzip", "x-gzip", "deflate"):
            # 47: gzip or zlib, told by its header (32 + 15 bits of window); 15: zlib.
            self._unpack = zlib.decompressobj(47 if "gzip" in coding else 15)
        elif coding not in ("", "identity"):
            raise NotFetched(f"its answer is packed by {coding[:20]}, which was not asked for")
        # Refused before anything is read; a body that is longer than it says is cut off by
        # `on_body`.
        length = self._headers.get("content-length", "")
        if length.isdigit() and int(length) > self._most:
            raise self._too_large()

    def on_body(self, chunk: bytes) -> None:
        if self._unpack is not None:
            try:
                # At most one octet more than allowed, so that a small answer can't unpack to fill
                # the memory.
                chunk = self._unpack.decompress(chunk, self._most - self._size + 1)
            except zlib.error:
                raise NotFetched("its answer can't be unpacked") from None
        self._size += len(chunk)
        if self._size > self._most:
            raise self._too_large()
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        self.complete = True

    def _too_large(self) -> NotFetched:
        return NotFetched(f"it is larger than {self._most // 1024 // 1024} MB")
