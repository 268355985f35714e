"""Amazon SES posts its events by Amazon SNS: reads them, and checks the signature of SNS.

The certificate is fetched from Amazon's own hosts only. A request to confirm the subscription is
confirmed by a visit to Amazon, as it is signed, too.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from django.http import HttpRequest

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?")
_SECONDS = 10
_MOST = 65_536  # octets
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}


def events(request: HttpRequest) -> Iterator[Any]:
    """Yields anymail's events. Raises `ValueError` if the signature is wrong."""
    from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView

    notice = json.loads(request.body)
    if not isinstance(notice, dict) or notice.get("Type") not in _SIGNED:
        return
    check_signature(notice)
    if notice["Type"] == "SubscriptionConfirmation":
        _fetch(str(notice["SubscribeURL"]))
        return
    # Its constructor asks for Amazon's library, which reading an event does not need.
    view: Any = object.__new__(AmazonSESTrackingWebhookView)
    yield from view.esp_to_anymail_events(json.loads(notice["Message"]), notice)


def check_signature(notice: dict[str, Any]) -> None:
    """Raises `ValueError` if SNS did not sign this."""
    names = _SIGNED[notice["Type"]]
    signed = "".join(f"{name}\n{notice[name]}\n" for name in names if name in notice).encode()
    algorithm = SHA256() if str(notice.get("SignatureVersion")) == "2" else SHA1()  # noqa: S303
    key = _public_key(str(notice.get("SigningCertURL", "")))
    try:
        key.verify(base64.b64decode(str(notice.get("Signature"))), signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise ValueError("the signature is wrong") from None


@lru_cache(8)
def _public_key(url: str) -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(_fetch(url)).public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the certificate has no RSA key")
    return key


def _fetch(url: str) -> bytes:
    """Fetches from Amazon's hosts only, and follows no redirect."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise ValueError("this address is not Amazon's")
    with _opener.open(url, timeout=_SECONDS) as answer:
        found: bytes = answer.read(_MOST)
    return found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)
