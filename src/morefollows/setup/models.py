"""What the newsroom has set up at the desk: settings, the brand, and how far the first run is."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class StoredSetting(models.Model):
    """A setting that was changed at the desk or by command: see `config.editable`."""

    name = models.CharField(max_length=60, primary_key=True, help_text="field of `Settings`")
    value = models.TextField(
        blank=True,
        help_text="as in the environment; for a secret, encrypted: see `setup.encryption`",
    )
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return self.name


class SetupState(models.Model):
    """One row, with the primary key 1: the version of what is set up, and the first run."""

    version = models.BigIntegerField(
        default=0, help_text="raised by each change, so that running processes read it anew"
    )
    step = models.PositiveSmallIntegerField(
        default=0, help_text="of the first run in the browser: the next one to do; 0: not begun"
    )
    finished_at = models.DateTimeField(null=True, help_text="when the newsroom went live")
    tested_at = models.DateTimeField(null=True, help_text="when the test mail was handed over")

    def __str__(self) -> str:
        return f"set-up, version {self.version}"


class Brand(models.Model):
    """How mails and readers' pages look. One row, with the primary key 1. Empty: the default.

    Colours are ``#rrggbb``. The others are derived from them.
    """

    class Typeface(models.TextChoices):
        SERIF = "serif", "Serif"
        SANS = "sans", "Sans"
        OWN = "own", "Own"

    main = models.CharField(max_length=7, blank=True)
    main_dark = models.CharField(max_length=7, blank=True)
    notice = models.CharField(max_length=7, blank=True)
    link = models.CharField(max_length=7, blank=True)
    logo = models.CharField(
        max_length=100, blank=True, help_text="path of the stored image, for light grounds"
    )
    logo_dark = models.CharField(max_length=100, blank=True)
    typeface = models.CharField(max_length=5, choices=Typeface, default=Typeface.SERIF)
    own_typeface = models.CharField(
        max_length=60, blank=True, help_text="family name, with typeface `own`"
    )
    footer = models.CharField(max_length=300, blank=True)
    site_url = models.URLField(max_length=300, blank=True)
    hides_product = models.BooleanField(default=True)

    def __str__(self) -> str:
        return "brand"
