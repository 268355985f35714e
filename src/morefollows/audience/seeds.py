"""Adds, pauses and removes seed inboxes. Each action is one transaction, with its audit entry.

Invariant: a seed inbox is a reader of its own, without subscription and consent, and with an
address that no reader has otherwise: people who signed up are never made one.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.audience.addresses import Address, BadAddress, parse
from morefollows.audience.models import ErasedReader, Reader, SeedInbox, Suppression
from morefollows.audit.actions import record
from morefollows.config.addresses.intake_address import IntakeAddress, parse_receiver
from morefollows.helpers import plain_text
from morefollows.setup import encryption

_KINDS = ("imap", "imaps")


def add_seed(
    address: str,
    url: str,
    by: Editor | None,
    *,
    name: str = "",
    spam_folder: str = "",
    cleans: bool = True,
) -> SeedInbox:
    """Adds a seed inbox. `url`: its mailbox, such as ``imaps://user:password@host/INBOX``.

    Raises `ValidationError` with errors by field.
    """
    try:
        parsed = parse(address)
    except BadAddress as error:
        raise ValidationError({"address": str(error)}) from None
    mailbox = mailbox_of(url)
    name = name.strip() or parsed.domain
    plain_text.check_names(name=name, spam_folder=spam_folder)
    with transaction.atomic():
        if Suppression.objects.filter(key=parsed.key).exists():
            message = _("This address is suppressed: it must not be mailed.")
            raise ValidationError({"address": message})
        reader = _new_reader(parsed)
        try:
            with transaction.atomic():
                seed = SeedInbox.objects.create(
                    reader=reader,
                    name=name[:60],
                    sealed_url=encryption.encrypted(url.strip()),
                    spam_folder=spam_folder.strip(),
                    cleans=cleans,
                    added_at=timezone.now(),
                    added_by=by,
                )
        except IntegrityError:
            message = _("There is a seed inbox of this name.")
            raise ValidationError({"name": message}) from None
        record(by, "add seed inbox", subject=seed.name, of=mailbox.host)
        transaction.on_commit(want_watcher)
    return seed


def _new_reader(address: Address) -> Reader:
    """The reader of a seed inbox. Raises `ValidationError` if the address is anybody else's."""
    now = timezone.now()
    reader, made = Reader.objects.get_or_create(
        key=address.key,
        defaults={
            "address": address.text,
            "domain": address.domain,
            "state": Reader.State.CONFIRMED,
            "created_at": now,
            "confirmed_at": now,
        },
    )
    if not made:
        raise ValidationError({"address": _("This address is a reader’s. Take another.")})
    return reader


def pause_seed(seed: SeedInbox, by: Editor | None) -> None:
    """Sends it no more alerts until `resume_seed`. Idempotent."""
    with transaction.atomic():
        if SeedInbox.objects.filter(pk=seed.pk, paused_at=None).update(paused_at=timezone.now()):
            record(by, "pause seed inbox", subject=seed.name)


def resume_seed(seed: SeedInbox, by: Editor | None) -> None:
    """Sends it alerts again. Idempotent."""
    with transaction.atomic():
        paused = SeedInbox.objects.filter(pk=seed.pk, paused_at__isnull=False)
        if paused.update(paused_at=None, error="", error_since=None):
            record(by, "resume seed inbox", subject=seed.name)
            transaction.on_commit(want_watcher)


def remove_seed(seed: SeedInbox, by: Editor | None) -> None:
    """Removes a seed inbox with its reader and what was measured in it."""
    with transaction.atomic():
        reader = Reader.objects.filter(seed=seed.pk, consents=None).first()
        # Links in old mails are still proved by it, as an erased reader's are.
        if reader is not None:
            ErasedReader.objects.update_or_create(number=reader.pk, defaults={"uid": reader.uid})
            reader.delete()
        else:  # its address has signed up since
            seed.delete()
        record(by, "remove seed inbox", subject=seed.name)


def mailbox_of(url: str) -> IntakeAddress:
    """Reads the URL of a mailbox. Raises `ValidationError` for the field `url`."""
    try:
        if "_file=" in url:  # the desk must not have files of the server read
            raise ValueError(_("must hold its values itself, and name no file"))
        mailbox = parse_receiver(url.strip())
        if mailbox.scheme not in _KINDS:
            raise ValueError(_("must begin with imaps://"))
    except ValueError as error:
        message = _("The mailbox %(problem)s.") % {"problem": error}
        raise ValidationError({"url": message}) from None
    return mailbox


def mailbox_of_seed(seed: SeedInbox) -> IntakeAddress:
    """The mailbox of a seed inbox. Raises `ValueError` if the keys of another time sealed it."""
    return parse_receiver(encryption.decrypted(seed.sealed_url))


# -- whether the watcher has to run ---------------------------------------------------------------


def watcher_wanted_file(data: Path) -> Path:
    """The file in the data folder that has `up` run the watcher."""
    return data / "watcher-wanted"


def watcher_is_wanted() -> bool:
    """Whether there is anything to watch: a seed inbox, or an objective."""
    config = settings.MOREFOLLOWS
    return bool(config.objective_percent) or SeedInbox.objects.filter(paused_at=None).exists()


def want_watcher() -> None:
    """Has `up` run the watcher, if there is anything to watch."""
    if watcher_is_wanted():
        watcher_wanted_file(settings.MOREFOLLOWS.data).touch()
