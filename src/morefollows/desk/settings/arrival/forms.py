"""The form of a seed inbox."""

from __future__ import annotations

from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience import seeds
from morefollows.audience.models import SeedInbox
from morefollows.desk.settings.common import add_errors


class SeedForm(forms.Form):
    """A mailbox of one's own, by its parts; one with XOAUTH2 by its URL."""

    address = forms.EmailField(
        label=_("Address"),
        max_length=320,
        help_text=_("A mailbox of your own at a provider that your readers use."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        required=False,
        help_text=_("Such as the provider’s. Empty: the address’s domain."),
    )
    host = forms.CharField(
        label=_("IMAP server"),
        max_length=253,
        required=False,
        help_text=_("By TLS, on port 993 unless you add another, such as imap.example.org:1993."),
    )
    user = forms.CharField(
        label=_("User name"),
        max_length=200,
        required=False,
        help_text=_("Empty: the address."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        required=False,
        strip=False,
        help_text=_("Large providers want one made for this app alone. It is stored encrypted."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    spam_folder = forms.CharField(
        label=_("Spam folder"),
        max_length=200,
        required=False,
        help_text=_("Empty: it is looked for."),
    )
    url = forms.CharField(
        label=_("Instead of server, user and password: its URL"),
        max_length=4000,
        required=False,
        help_text=_("imaps://…, also with auth=xoauth2. It is stored encrypted."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    cleans = forms.BooleanField(
        label=_("Delete its mails once they were measured"), required=False, initial=True
    )

    def apply(self, by: Editor) -> SeedInbox | None:
        """Adds the seed inbox. Returns None if it put errors at the fields."""
        given = self.cleaned_data
        user = given["user"].strip() or given["address"]
        url = given["url"].strip() or (
            f"imaps://{quote(user, safe='')}:{quote(given['password'], safe='')}"
            f"@{given['host'].strip()}/INBOX"
        )
        try:
            return seeds.add_seed(
                given["address"],
                url,
                by,
                name=given["name"],
                spam_folder=given["spam_folder"],
                cleans=given["cleans"],
            )
        except ValidationError as error:
            add_errors(self, error, {} if given["url"].strip() else {"url": "host"})
            return None
