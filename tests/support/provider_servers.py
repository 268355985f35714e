"""Servers on loopback that speak the sending APIs of mail providers, as documented, over real HTTP.

Strict as the documentation is: a request that breaks a rule is answered 400, and noted in
`violations`. What becomes of a recipient is planned by the test.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

KEY = "k3y"


class ReceivedMail(NamedTuple):
    """A mail as the provider would send it."""

    recipient: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    metadata: str


class _Refused(Exception):
    """HTTP status and body of an answer."""


class ProviderServer:
    """One provider's API. `scheme`: which.

    `planned`: recipient → refused, deferred, late, or uncertain. `statuses`: answers given before
    any other, in order. `delay`: seconds before each answer.
    """

    #: All or none of a call is taken, without a word about each recipient.
    WHOLE = frozenset({"mailgun", "sendgrid", "brevo"})
    MOST = {
        "ses": 50,
        "mailgun": 1000,
        "postmark": 500,
        "sendgrid": 1000,
        "brevo": 1000,
        "resend": 100,
    }

    def __init__(
        self, scheme: str, planned: Mapping[str, str] | None = None, *, delay: float = 0.0
    ) -> None:
        self.scheme = scheme
        self.planned = planned or {}
        self.delay = delay
        self.keep = True
        self.taken: list[ReceivedMail] = []
        self.count = 0
        self.calls: list[int] = []  # recipients in each
        self.violations: list[str] = []
        self.statuses: list[tuple[int, dict[str, str]]] = []
        self.port = 0
        self._done: dict[str, bytes] = {}  # idempotency key → answer

    @property
    def url(self) -> str:
        user = "AKID:" if self.scheme == "ses" else ":"
        options = {"ses": "&region=eu-west-1", "mailgun": "&domain=mg.example"}
        return f"{self.scheme}://{user}{KEY}@127.0.0.1:{self.port}?tls=never" + options.get(
            self.scheme, ""
        )

    async def __aenter__(self) -> ProviderServer:
        self._server = await asyncio.start_server(
            self._client, "127.0.0.1", self.port, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    # -- HTTP

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines if line)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                answer = await self._answer(first.split(" ")[1], headers, body)
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str], body: bytes) -> bytes | None:
        if self.statuses:
            status, more = self.statuses.pop(0)
            return _http(status, {"message": "no"}, more)
        if self.delay:
            await asyncio.sleep(self.delay)
        key = headers.get("idempotency-key", "")
        try:
            mails = getattr(self, f"_{self.scheme}")(path, headers, body)
            if self.scheme == "brevo":
                key = json.loads(body)["headers"]["idempotencyKey"]
        except _Refused as error:
            self.violations.append(str(error.args))
            return _http(error.args[0], {"message": error.args[1]})
        if not 1 <= len(mails) <= self.MOST[self.scheme]:
            self.violations.append("too many")
            return _http(400, {"message": "too many"})
        plans = [self.planned.get(one.recipient, "") for one in mails]
        if "late" in plans:
            await asyncio.sleep(0.1)
        if key in self._done and self.scheme in ("resend", "brevo"):
            return None if "uncertain" in plans else self._done[key]
        if self.scheme in self.WHOLE and "refused" in plans:
            return _http(400, {"message": "no such user", "errors": [{"message": "no such user"}]})
        self.calls.append(len(mails))
        for one, plan in zip(mails, plans, strict=True):
            if plan not in ("refused", "deferred"):
                self.count += 1
                if self.keep:
                    self.taken.append(one)
        answer = self._results(plans)
        self._done[key] = answer
        return None if "uncertain" in plans else answer

    def _results(self, plans: list[str]) -> bytes:
        count = len(plans)
        match self.scheme:
            case "ses":
                said = {
                    "refused": ("MESSAGE_REJECTED", "no such user"),
                    "deferred": ("TRANSIENT_FAILURE", "later"),
                }
                results = [said.get(plan, ("SUCCESS", None)) for plan in plans]
                return _http(
                    200,
                    {
                        "BulkEmailEntryResults": [
                            {"Status": status, "Error": error, "MessageId": "m"}
                            for status, error in results
                        ]
                    },
                )
            case "postmark":
                return _http(
                    200,
                    [
                        {"ErrorCode": 406, "Message": "no such user"}
                        if plan == "refused"
                        else {"ErrorCode": 0, "Message": "OK", "MessageID": "m"}
                        for plan in plans
                    ],
                )
            case "resend":
                errors = [
                    {"index": i, "message": "no such user"}
                    for i, plan in enumerate(plans)
                    if plan == "refused"
                ]
                return _http(200, {"data": [{"id": "m"}] * (count - len(errors)), "errors": errors})
            case "brevo":
                return _http(201, {"messageIds": ["m"] * count})
            case "sendgrid":
                return _http(202, None)
        return _http(200, {"id": "<m>", "message": "Queued. Thank you."})

    # -- the APIs

    def _postmark(self, path: str, headers: dict[str, str], body: bytes) -> list[ReceivedMail]:
        _want(headers.get("x-postmark-server-token") == KEY, 401, "token")
        _want(path == "/email/batch", 404, path)
        return [
            ReceivedMail(
                one["To"],
                one["Subject"],
                one["TextBody"],
                one.get("HtmlBody", ""),
                {field["Name"]: field["Value"] for field in one["Headers"]},
                one["Metadata"]["receipt"],
            )
            for one in json.loads(body)
        ]

    def _resend(self, path: str, headers: dict[str, str], body: bytes) -> list[ReceivedMail]:
        _want(headers.get("authorization") == f"Bearer {KEY}", 401, "key")
        _want(path == "/emails/batch", 404, path)
        _want(0 < len(headers.get("idempotency-key", "")) <= 256, 400, "idempotency key")
        return [
            ReceivedMail(
                one["to"][0],
                one["subject"],
                one["text"],
                one.get("html", ""),
                one["headers"],
                one["headers"]["Message-ID"],
            )
            for one in json.loads(body)
        ]

    def _sendgrid(self, path: str, headers: dict[str, str], body: bytes) -> list[ReceivedMail]:
        _want(headers.get("authorization") == f"Bearer {KEY}", 401, "key")
        _want(path == "/v3/mail/send", 404, path)
        said = json.loads(body)
        contents = {one["type"]: one["value"] for one in said["content"]}
        _want(next(iter(contents)) == "text/plain", 400, "text/plain comes first")
        found = []
        for one in said["personalizations"]:
            _want(sum(map(len, one["substitutions"].values())) < 10_000, 400, "substitutions")
            _want(
                not {"from", "to", "subject", "reply-to"} & {h.lower() for h in one["headers"]},
                400,
                "reserved header",
            )
            found.append(
                ReceivedMail(
                    one["to"][0]["email"],
                    said["subject"],
                    _put(contents["text/plain"], one["substitutions"]),
                    _put(contents.get("text/html", ""), one["substitutions"]),
                    {**said["headers"], **one["headers"]},
                    one["custom_args"]["receipt"],
                )
            )
        return found

    def _mailgun(self, path: str, headers: dict[str, str], body: bytes) -> list[ReceivedMail]:
        login = base64.b64encode(f"api:{KEY}".encode()).decode()
        _want(headers.get("authorization") == f"Basic {login}", 401, "key")
        _want(path == "/v3/mg.example/messages", 404, path)
        said = parse_qs(body.decode(), keep_blank_values=True)
        variables = json.loads(said["recipient-variables"][0])
        _want(set(variables) == set(said["to"]), 400, "recipient-variables")

        def put(text: str, to: str) -> str:
            return re.sub(r"%recipient\.(\w+)%", lambda found: variables[to][found[1]], text)

        return [
            ReceivedMail(
                to,
                said["subject"][0],
                put(said["text"][0], to),
                put(said.get("html", [""])[0], to),
                {
                    name[2:]: put(value[0], to)
                    for name, value in said.items()
                    if name.startswith("h:")
                },
                put(said["v:receipt"][0], to),
            )
            for to in said["to"]
        ]

    def _brevo(self, path: str, headers: dict[str, str], body: bytes) -> list[ReceivedMail]:
        _want(headers.get("api-key") == KEY, 401, "key")
        _want(path == "/v3/smtp/email", 404, path)
        said = json.loads(body)
        return [
            ReceivedMail(
                one["to"][0]["email"],
                said["subject"],
                _handlebars(said["textContent"], one["params"], "params."),
                _handlebars(said.get("htmlContent", ""), one["params"], "params."),
                {**said["headers"], **one["headers"]},
                json.loads(one["headers"]["X-Mailin-custom"])["receipt"],
            )
            for one in said["messageVersions"]
        ]

    def _ses(self, path: str, headers: dict[str, str], body: bytes) -> list[ReceivedMail]:
        _want(path == "/v2/email/outbound-bulk-emails", 404, path)
        _want(_signature(path, headers, body) in headers.get("authorization", ""), 403, "signature")
        said = json.loads(body)
        template = said["DefaultContent"]["Template"]["TemplateContent"]
        found = []
        for one in said["BulkEmailEntries"]:
            data = json.loads(
                one["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"]
            )
            fields = {field["Name"]: field["Value"] for field in one["ReplacementHeaders"]}
            _want(len(one["ReplacementHeaders"]) <= 15, 400, "headers")
            found.append(
                ReceivedMail(
                    one["Destination"]["ToAddresses"][0],
                    _handlebars(template["Subject"], data),
                    _handlebars(template["Text"], data),
                    _handlebars(template.get("Html", ""), data),
                    fields,
                    json.loads(fields["X-Metadata"])["receipt"],
                )
            )
        return found


def _want(holds: bool, status: int, what: str) -> None:
    if not holds:
        raise _Refused(status, what)


def _put(text: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(key, value)
    return text


def _handlebars(text: str, values: Mapping[str, str], prefix: str = "") -> str:
    return re.sub(
        r"\{\{\{?" + re.escape(prefix) + r"(\w+)\}?\}\}", lambda found: values[found[1]], text
    )


def _signature(path: str, headers: Mapping[str, str], body: bytes) -> str:
    """AWS Signature Version 4, from its documentation: another writing of it than the product's."""
    moment = headers["x-amz-date"]
    names = ["content-type", "host", "x-amz-content-sha256", "x-amz-date"]
    canonical = "\n".join(
        [
            "POST",
            path,
            "",
            *(f"{name}:{headers[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = [moment[:8], "eu-west-1", "ses", "aws4_request"]
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            moment,
            "/".join(scope),
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = ("AWS4" + KEY).encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return "Signature=" + hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _http(status: int, body: Any, headers: Mapping[str, str] | None = None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        **(headers or {}),
    }
    head = f"HTTP/1.1 {status} Said\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    return head.encode() + b"\r\n" + content
