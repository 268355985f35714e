"""Changes the brand. Each action is one transaction, and is audited."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from morefollows.audit.actions import changes, record
from morefollows.helpers import plain_text
from morefollows.setup.actions import note_change
from morefollows.setup.brand import palette
from morefollows.setup.models import Brand

COLOURS = ("main", "main_dark", "notice", "link")
FIELDS = (
    *COLOURS,
    "logo",
    "logo_dark",
    "typeface",
    "own_typeface",
    "footer",
    "site_url",
    "hides_product",
)


def change_brand(by: Model | None, **values: str | bool) -> Brand:
    """Changes what is given. Raises `ValidationError` by field.

    Colours that can't be read where they are used are refused, with one that can.
    """
    with transaction.atomic():
        brand = Brand.objects.select_for_update().filter(pk=1).first() or Brand(pk=1)
        before = {name: getattr(brand, name) for name in FIELDS}
        for name, value in values.items():
            if name not in FIELDS:
                raise ValueError(f"a brand has no {name}")
            setattr(brand, name, value.strip() if isinstance(value, str) else value)
        check_brand(brand)
        brand.save()
        after = {name: getattr(brand, name) for name in FIELDS}
        if changed := changes(before, after):
            record(by, "change brand", changed=changed)
            note_change()
    return brand


def check_brand(brand: Brand) -> None:
    """Puts the colours into one form. Raises `ValidationError` by field."""
    errors: dict[str, list[str]] = {}
    for name in COLOURS:
        try:
            setattr(
                brand, name, palette.colour(getattr(brand, name)) if getattr(brand, name) else ""
            )
        except ValueError:
            errors[name] = [_("This is no colour such as #0b5563.")]
    if not errors:
        chosen = {name: getattr(brand, name) for name in COLOURS}
        for problem in palette.colour_problems(**chosen):
            errors[problem.field] = [
                _("Too weak: %(ratio)s to 1 where it is used. It needs 4.5 to 1: take %(other)s.")
                % {"ratio": number_format(problem.ratio, 1), "other": problem.suggestion}
            ]
    if brand.typeface == Brand.Typeface.OWN and not re.fullmatch(
        r"[\w][\w .-]{0,58}", brand.own_typeface
    ):
        errors["own_typeface"] = [_("Enter the name of a typeface, such as Helvetica Neue.")]
    if brand.site_url and not re.match(r"https?://", brand.site_url):
        errors["site_url"] = [_("Must begin with https://")]
    if errors:
        raise ValidationError(errors)
    plain_text.check_names(footer=brand.footer)
    brand.full_clean(exclude=("id",), validate_unique=False)
