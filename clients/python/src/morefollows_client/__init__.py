"""Break stories and follow alerts with More Follows.

`Client` and `AsyncClient` have a method for each request of the API. A change is sent with an
idempotency key, so it is done once however often it has to be repeated. Whatever the server refuses
is raised as a `Problem`. `webhooks.verify` tells whether an event is the server's.
"""

from morefollows_client import webhooks
from morefollows_client._calls import UNSET, Retries
from morefollows_client._clients import AsyncClient, Client
from morefollows_client.problems import (
    Changed,
    FieldError,
    Forbidden,
    Invalid,
    KeyReused,
    LookAlike,
    MissingScope,
    NotApproved,
    NotFound,
    Problem,
    TooMany,
    Unauthorized,
    Unavailable,
    WrongState,
)

__all__ = [
    "UNSET",
    "AsyncClient",
    "Changed",
    "Client",
    "FieldError",
    "Forbidden",
    "Invalid",
    "KeyReused",
    "LookAlike",
    "MissingScope",
    "NotApproved",
    "NotFound",
    "Problem",
    "Retries",
    "TooMany",
    "Unauthorized",
    "Unavailable",
    "WrongState",
    "webhooks",
]
