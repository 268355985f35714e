"""Proof of work, in the form of ALTCHA's first version, which its own clients speak."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from morefollows.audience.signup import proof_of_work

KEY = b"k" * 32
NOW = 1_800_000_000.0
PLACE = "192.0.2.0/24"


def solve(asked: dict[str, Any]) -> dict[str, Any]:
    """As any client of ALTCHA does."""
    number = next(
        n
        for n in range(asked["maxnumber"] + 1)
        if hashlib.sha256(f"{asked['salt']}{n}".encode()).hexdigest() == asked["challenge"]
    )
    return {**asked, "number": number}


def packed(answer: object) -> str:
    return base64.b64encode(json.dumps(answer).encode()).decode()


def test_a_client_that_does_the_work_is_believed() -> None:
    asked = proof_of_work.challenge(KEY, 500, NOW, PLACE)
    assert set(asked) == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
    assert (
        asked["signature"] == hmac.new(KEY, str(asked["challenge"]).encode(), "sha256").hexdigest()
    )
    done = proof_of_work.done(KEY, packed(solve(asked)), NOW + 5, PLACE)
    assert done is not None
    assert (done.challenge, done.expires) == (asked["challenge"], int(NOW) + proof_of_work.LIFETIME)


def test_it_is_too_late_after_a_while() -> None:
    answer = packed(solve(proof_of_work.challenge(KEY, 500, NOW, PLACE)))
    assert proof_of_work.done(KEY, answer, NOW + proof_of_work.LIFETIME - 1, PLACE) is not None
    assert proof_of_work.done(KEY, answer, NOW + proof_of_work.LIFETIME + 1, PLACE) is None


def test_time_can_not_be_bought_with_digits_of_the_number() -> None:
    solved = solve(proof_of_work.challenge(KEY, 500, NOW, PLACE))
    digits = str(solved["number"])
    for cut in range(1, len(digits)):
        spliced = {
            **solved,
            "salt": solved["salt"][:-1] + digits[:cut] + "&",
            "number": int(digits[cut:]),
        }
        assert proof_of_work.done(KEY, packed(spliced), NOW, PLACE) is None
        assert (
            proof_of_work.done(
                KEY, packed({**spliced, "salt": solved["salt"] + digits[:cut]}), NOW, PLACE
            )
            is None
        )


@pytest.mark.parametrize(
    "change",
    [
        {"number": -1},
        {"number": "x"},
        {"number": None},
        {"number": [1]},
        {"salt": 7},
        {"salt": None},
        {"signature": None},
        {"number": 10**12},
        {"signature": "0" * 64},
        {"signature": "ä"},
        {"algorithm": "SHA-1"},
        {"salt": "0" * 24 + "?expires=9999999999&"},
        {"challenge": 7},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, Any]) -> None:
    assert (
        proof_of_work.done(
            KEY,
            packed({**solve(proof_of_work.challenge(KEY, 500, NOW, PLACE)), **change}),
            NOW,
            PLACE,
        )
        is None
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "AAAA",
        packed([]),
        packed({}),
        packed(1),
        "A" * 100_000,
        base64.b64encode(b"[" * 700).decode(),
        "ä",
        "\ud800",
        "=",
    ],
)
def test_odd_answers_do_no_harm(answer: str) -> None:
    assert proof_of_work.done(KEY, answer, NOW, PLACE) is None


def test_the_challenge_of_another_house_is_none_of_ours() -> None:
    assert (
        proof_of_work.done(
            KEY, packed(solve(proof_of_work.challenge(b"x" * 32, 500, NOW, PLACE))), NOW, PLACE
        )
        is None
    )


def test_what_one_network_has_solved_another_can_not_use() -> None:
    answer = packed(solve(proof_of_work.challenge(KEY, 500, NOW, PLACE)))
    assert proof_of_work.done(KEY, answer, NOW, "198.51.100.0/24") is None
    assert proof_of_work.done(KEY, answer, NOW, "") is None
    assert proof_of_work.done(KEY, answer, NOW, PLACE) is not None
    assert (
        "192"
        not in str(proof_of_work.challenge(KEY, 500, NOW, PLACE)["salt"]).partition("place=")[2]
    )
