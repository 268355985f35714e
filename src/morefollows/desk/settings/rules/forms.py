"""A form for a group of settings: one field for each, in the order of `EDITABLE`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.desk.settings.common import add_errors
from morefollows.setup.actions import change_settings
from morefollows.setup.shown_settings import ShownSetting, shown_settings


class _Words(NamedTuple):
    label: Any  # translated when it is shown
    hint: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()


_DAYS = _("Days.")
_SECONDS = _("Seconds.")
WORDS: Mapping[str, _Words] = {
    "hold": _Words(
        _("Hold"), _("Seconds between Send and the first mail, to take it back. 0 to 600.")
    ),
    "four_eyes": _Words(
        _("Four eyes"),
        _("Whether somebody else has to approve what is sent."),
        (
            ("auto", _("As soon as two people may send; a reason replaces it")),
            ("ask", _("Always ask; a reason replaces it")),
            ("always", _("Always; nothing replaces it")),
            ("never", _("Never")),
        ),
    ),
    "digest_time": _Words(
        _("Digests come at"), _("On the clocks of each reader who wants one mail a day.")
    ),
    "alert_ttl": _Words(
        _("Try deferred alerts for"), _("Seconds; after that an alert is no longer news.")
    ),
    "uncertain": _Words(
        _("A mail whose outcome is uncertain"),
        "",
        (
            ("repeat", _("Send it again, with the same Message-ID")),
            ("ask", _("Ask an editor")),
        ),
    ),
    "ask_after": _Words(
        _("Ask after an outage of"),
        _("Seconds without any sender, after which an alert asks whether it is still to go out."),
    ),
    "confirmation_days": _Words(_("Unconfirmed sign-ups end after"), _DAYS),
    "confirmation_interval": _Words(
        _("Wait before another confirmation"), _("Seconds, for the same address.")
    ),
    "confirmations_a_day": _Words(_("Confirmations a day"), _("For the same address, at most.")),
    "sign_ups_a_network": _Words(
        _("Sign-ups an hour from one network"), _("More of them do a proof of work first.")
    ),
    "sign_ups_a_network_at_most": _Words(
        _("At most from one network"), _("Sign-ups an hour; more are refused.")
    ),
    "sign_ups_a_domain": _Words(
        _("Sign-ups an hour for one mail domain"), _("More of them do a proof of work first.")
    ),
    "client_address_days": _Words(
        _("Network addresses in the evidence are shortened after"), _DAYS
    ),
    "keep_sending_days": _Words(
        _("Times of single mails go after"),
        _("Days; for so long an alert can be tried again."),
    ),
    "keep_recipients_days": _Words(
        _("Who was sent which alert is forgotten after"),
        _("Days; after that an old error can’t be corrected by mail."),
    ),
    "keep_replies_days": _Words(_("Why mails were refused goes after"), _DAYS),
    "keep_letters_days": _Words(_("Confirmations, thanks and digests go after"), _DAYS),
    "keep_relay_days": _Words(_("Daily counts of relays go after"), _DAYS),
    "keep_pings_days": _Words(_("Notes that a hub was told go after"), _DAYS),
    "keep_imports_days": _Words(_("The place of a broken import goes after"), _DAYS),
    "keep_incoming_days": _Words(_("Mails that came back, in full, go after"), _DAYS),
    "image_days": _Words(_("Images that nothing shows go after"), _DAYS),
    "relay_connections": _Words(
        _("Connections to each relay"), _("For those that name no number.")
    ),
    "helo": _Words(_("Name that relays are greeted with"), _("Empty: this machine’s name.")),
    "bounce_domain": _Words(_("Domain of return paths"), _("Empty: that of the sender’s address.")),
    "bounces_before_suppression": _Words(
        _("Bounces before an address is suppressed"), _("With no mail accepted in between.")
    ),
    "bounce_days": _Words(_("Days between two bounces that count")),
    "dkim_domain": _Words(_("DKIM domain"), _("Empty: that of the sender’s address.")),
    "spamd": _Words(_("SpamAssassin"), _("Such as 127.0.0.1:783; empty: no score.")),
    "canary_minutes": _Words(
        _("A canary every"),
        _("Minutes. A drill to the seed inboxes only, on its whole way. 0: none."),
    ),
    "canary_seconds": _Words(_("It has to be in the inbox within"), _SECONDS),
    "canary_percent": _Words(_("So many of 100 canaries"), _("Such as 99.")),
    "objective_percent": _Words(
        _("So many of 100 mails have to be accepted in time"), _("Such as 90. 0: no objective.")
    ),
    "objective_seconds": _Words(_("In time is within"), _("Seconds from the end of the hold.")),
    "alarm_mail": _Words(
        _("Mail an alarm to"),
        _("Through MOREFOLLOWS_ALARM_RELAY, or the last relay. Empty: to nobody."),
    ),
    "websub_hub": _Words(_("WebSub hub"), _("Told when a feed has changed; empty: none.")),
}


class SettingsForm(forms.Form):
    """The settings of a group, or those named. Locked ones are shown beside the form."""

    def __init__(self, group: str, data: Any = None, *, names: tuple[str, ...] = ()) -> None:
        super().__init__(data)
        shown = [
            one
            for one in shown_settings(group)
            if one.name in WORDS and (not names or one.name in names)
        ]
        self.locked = [(WORDS[one.name].label, one) for one in shown if one.locked]
        self._editable = [one for one in shown if not one.locked]
        for one in self._editable:
            self.fields[one.name] = _field(one)

    def apply(self, by: Editor) -> bool:
        """Saves what differs, or puts the errors at the fields."""
        texts: dict[str, str | None] = {}
        for one in self._editable:
            text = self.cleaned_data[one.name]
            if text != one.text:
                texts[one.name] = None if text == one.default else text
        try:
            change_settings(by, texts) if texts else None
        except ValidationError as error:
            add_errors(self, error)
            return False
        return True


def _field(one: ShownSetting) -> forms.Field:
    words = WORDS[one.name]
    if words.choices:
        return forms.ChoiceField(
            label=words.label,
            help_text=words.hint,
            choices=words.choices,
            initial=one.text,
            widget=forms.RadioSelect,
        )
    widget = forms.TextInput(attrs={"class": "short", "autocomplete": "off"})
    if one.name == "digest_time":
        widget = forms.TimeInput(attrs={"type": "time", "class": "short"})
    return forms.CharField(
        label=words.label,
        help_text=words.hint,
        required=False,
        initial=one.text,
        max_length=300,
        widget=widget,
    )
