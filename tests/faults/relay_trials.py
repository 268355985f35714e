"""Trials of what relays and providers say, and of how long anybody else waits for it."""

from __future__ import annotations

import time

from tests.faults import visitors
from tests.faults.trial import (
    LATE_SECONDS,
    NEXT_MAIL_SECONDS,
    PATIENCE,
    SLOWLY,
    Trial,
    addresses,
    outcomes,
    paused,
    suppressed,
)
from tests.support.scripted_relay import Rule, Script
from tests.support.waiting import until


def provider_knows_nobody(trial: Trial) -> None:
    """For an hour a provider answers 550 5.1.1 to everybody; all others are well."""
    big, small = addresses(600, "big.example"), [f"cy@small{n}.example" for n in range(100)]
    trial.invite(*big, *small)
    trial.follow(Rule("rcpt", match="@big.example", reply="550 5.1.1 The account does not exist"))
    alert = trial.send()
    until("the others' mails", lambda: set(trial.recipients()) >= set(small), PATIENCE)
    until("an answer to everybody", lambda: outcomes(alert)["waiting"] == 0, PATIENCE)
    trial.expect(suppressed() == 0, f"{suppressed()} readers are suppressed at one provider's word")
    until("the mails that are taken back", lambda: outcomes(alert)["refused"] <= 30)
    trial.expect(suppressed() == 0, f"{suppressed()} readers are suppressed at one provider's word")
    trial.follow()
    second = trial.send(1)
    trial.wait_for_end(second)
    got = len(trial.recipients(1))
    trial.expect(got == 700, f"the next alert reached {got} of 700")


def relay_knows_nobody(trial: Trial) -> None:
    """A relay without its map of recipients answers 550 5.1.1 to all."""
    trial.invite(*(f"cy@box{n}.example" for n in range(400)))
    trial.follow(
        Rule(
            "rcpt",
            reply="550 5.1.1 Recipient address rejected: User unknown in relay recipient table",
        )
    )
    alert = trial.send()
    until("an answer to most", lambda: outcomes(alert)["waiting"] <= 380, PATIENCE)
    time.sleep(10)
    trial.expect(suppressed() == 0, f"{suppressed()} readers are suppressed at one relay's word")
    trial.expect(outcomes(alert)["refused"] <= 25, f"{outcomes(alert)['refused']} refused for good")


def one_is_denied(trial: Trial) -> None:
    """One reader of 24 and one sign-up are refused by policy. Nobody else is affected."""
    trial.invite(*(f"cy@box{n}.example" for n in range(23)), "cy@blocked.example")
    denied = "554 5.7.1 <cy@blocked.example>: Recipient address rejected: Access denied"
    trial.follow(Rule("rcpt", match="@blocked.example", reply=denied))
    for run in range(3):
        alert = trial.send(run)
        trial.wait_for_mails(23, run, 30)
        trial.wait_for_end(alert, 60)
        trial.expect(outcomes(alert)["refused"] == 1, f"alert {run}: {dict(outcomes(alert))}")
        trial.expect(not paused(), f"the relay is paused after alert {run}")


def all_connections_drop_chunking(trial: Trial) -> None:
    """`all_connections_drop`, with many mails in flight on each connection."""
    trial.speak_chunking()
    all_connections_drop(trial)


def slow_answer_to_one_chunking(trial: Trial) -> None:
    """`slow_answer_to_one`: mails behind the slow one have left, and wait for 15 s and a try."""
    trial.speak_chunking()
    slow_answer_to_one(trial, behind=18)


def relay_away_chunking(trial: Trial) -> None:
    """`relay_away`, with many mails in flight on each connection."""
    trial.speak_chunking()
    relay_away(trial)


def all_connections_drop(trial: Trial) -> None:
    """All connections are reset at once, and the relay is well at once."""
    trial.invite(*(f"cy@box{n}.example" for n in range(1000)))
    trial.follow(SLOWLY)
    trial.send()
    for mails in (100, 300, 500):
        trial.wait_for_mails(mails)
        began = time.time()
        trial.testbed.call(trial.testbed.proxy.cut, 1000)
        trial.in_time(
            "next mail after all connections dropped", trial.first_after(began), NEXT_MAIL_SECONDS
        )
    trial.wait_for_mails(1000)


def relay_away(trial: Trial) -> None:
    """The relay is gone for 20 s, and then it is back."""
    trial.invite(*(f"cy@box{n}.example" for n in range(400)))
    trial.follow(SLOWLY)
    trial.send()
    trial.wait_for_mails(50)
    trial.testbed.run_coroutine(trial.testbed.relay.stop())
    time.sleep(20)
    trial.testbed.run_coroutine(trial.testbed.relay.start_again())
    trial.in_time(
        "next mail after the relay came back", trial.first_after(time.time()), NEXT_MAIL_SECONDS
    )
    trial.wait_for_mails(400)


def each_greylisted_once(trial: Trial) -> None:
    """Every recipient is greylisted once, as postgrey does."""
    trial.invite(*(addresses(150, "one.example") + addresses(150, "two.example")))
    trial.follow(Rule("rcpt", reply="450 4.2.0 Recipient address rejected: Greylisted", each=1))
    began = time.time()
    alert = trial.send()
    trial.wait_for_mails(300)
    last = max(mail.time for mail in trial.taken()) - began
    trial.in_time("last of 300 mails, each greylisted for 60 s", last, 60 + LATE_SECONDS + 5)
    trial.wait_for_end(alert)
    trial.expect(trial.repeated() == 0, f"{trial.repeated()} repeated")


def throttled_beside_others(trial: Trial) -> None:
    """One provider of a batch throttles all the time; others defer each reader once."""
    slow, others = addresses(200, "slow.example"), [f"cy@box{n}.example" for n in range(60)]
    trial.invite(*(one for n in range(200) for one in (slow[n : n + 1] + others[n : n + 1])))
    trial.follow(
        Rule(
            "rcpt",
            match="@slow.example",
            reply="450 4.7.28 Our system has detected an unusual rate of mail",
        ),
        Rule("rcpt", match="@box", reply="451 4.3.0 Temporary failure", each=1),
    )
    began = time.time()
    trial.send()
    until("the others' mails", lambda: set(trial.recipients()) >= set(others), PATIENCE)
    last = max(mail.time for mail in trial.taken() if "@box" in mail.recipient) - began
    trial.in_time(
        "last of 60 readers deferred for 60 s beside a throttled provider",
        last,
        60 + LATE_SECONDS + 5,
    )


def slow_answer_to_one(trial: Trial, behind: float = 0.0) -> None:
    """The relay takes 20 s over one reader's mail: nobody else's may wait for it.

    `behind`: seconds that mails behind it on its connection may wait.
    """
    trial.invite(*(f"cy@box{n}.example" for n in range(200)))
    trial.follow(Rule("content", match="cy@box7.example", delay=20))
    began = time.time()
    trial.send()
    trial.wait_for_mails(199)
    trial.in_time("199 of 200 mails beside a slow answer", time.time() - began, max(8, behind))
    trial.no_silence(began, time.time(), "beside a slow answer", longest=max(2, behind))
    trial.wait_for_mails(200)


def slow_confirmation(trial: Trial) -> None:
    """The relay takes 30 s over one confirmation: all others arrive meanwhile."""
    trial.follow(Rule("content", match="cy0@", delay=30))
    wanted = [f"cy{n}@visitor{n}.example" for n in range(60)]
    began = time.time()
    thanked = visitors.all_sign_up(trial.testbed.installation.url, wanted)
    trial.expect(set(thanked) == set(wanted), f"{len(thanked)} of 60 visitors were thanked")
    until("59 confirmations", lambda: len(trial.testbed.relay.letters) >= 59, PATIENCE)
    trial.in_time("59 of 60 confirmations beside a slow answer", time.time() - began, 15)


def forgotten_starttls(trial: Trial) -> None:
    """A relay stops offering STARTTLS: nothing is sent in clear text, and the desk is told."""
    trial.invite(*addresses(20, "box.example"))
    testbed = trial.testbed
    secure = testbed.run_coroutine(testbed.another_relay(Script(starttls=True)))
    testbed.call(testbed.proxy.restore, secure.port)
    trial.send()
    trial.wait_for_mails(20)
    testbed.call(testbed.proxy.restore, testbed.relay.port)  # the same address, and no STARTTLS
    trial.send(1)
    time.sleep(15)
    trial.expect(not trial.recipients(1), f"{len(trial.recipients(1))} mails left in clear")
    trial.expect("STARTTLS" in testbed.installation.output, "no log line says so")
    testbed.call(testbed.proxy.restore, secure.port)
    trial.wait_for_mails(20, 1)
