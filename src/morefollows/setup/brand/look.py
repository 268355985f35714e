"""The brand in force, as mails and pages take it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from django.conf import settings

from morefollows.setup.brand.palette import Palette, palette
from morefollows.setup.models import Brand

_SERIF = "Georgia,'Times New Roman',Times,serif"
_SANS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


class Logo(NamedTuple):
    """A stored logo, and the size to show it at, in pixels."""

    path: str  #: below our own address
    width: int
    height: int

    @property
    def url(self) -> str:
        return f"{settings.MOREFOLLOWS.url}{self.path}"


class Look(NamedTuple):
    """What mails and readers' pages show of the brand."""

    brand: Brand
    palette: Palette
    face: str  #: CSS font families of the news
    logo: Logo | None
    logo_dark: Logo | None

    @property
    def colours(self) -> dict[str, str]:
        """For templates of mails: the light colours, with `_` for `-` in their names."""
        return {name.replace("-", "_"): value for name, value in self.palette.light.items()}

    @property
    def dark_colours(self) -> dict[str, str]:
        """Likewise the dark ones."""
        return {name.replace("-", "_"): value for name, value in self.palette.dark.items()}

    @property
    def version(self) -> str:
        """Changes with the style sheet: the empty string while the default is in force."""
        sheet = style_sheet(self)
        return hashlib.sha256(sheet.encode()).hexdigest()[:12] if sheet else ""


def brand_in_force() -> Brand:
    """Returns the stored brand, or the default one."""
    return Brand.objects.filter(pk=1).first() or Brand(pk=1)


def look(brand: Brand | None = None) -> Look:
    """Returns the look of a brand, by default of the one in force."""
    brand = brand or brand_in_force()
    chosen = palette(brand.main, brand.main_dark, brand.notice, brand.link)
    return Look(brand, chosen, _face(brand), logo_of(brand.logo), logo_of(brand.logo_dark))


def style_sheet(of: Look) -> str:
    """Returns the tokens that differ from the default brand, as CSS; empty if none do."""
    brand = of.brand
    rules = []
    if brand.main or brand.main_dark or brand.notice or brand.link:
        rules += [
            f"--b-{name}:light-dark({value},{of.palette.dark[name]})"
            for name, value in of.palette.light.items()
        ]
    if brand.typeface == Brand.Typeface.SANS:
        rules.append('--b-serif:"Public Sans",Helvetica,Arial,sans-serif')
    elif brand.typeface == Brand.Typeface.OWN and brand.own_typeface:
        own = f'"{brand.own_typeface}"'
        rules += [f"--b-serif:{own},Georgia,serif", f"--b-sans:{own},Helvetica,Arial,sans-serif"]
    return f".brand{{{';'.join(rules)}}}\n" if rules else ""


def logo_of(path: str) -> Logo | None:
    """Returns the logo at this path, at most 40 pixels high and 240 wide; None for no path."""
    if not path:
        return None
    size = path.rpartition("-")[2].partition(".")[0]
    width, height = (int(number) for number in size.split("x"))
    scale = min(40 / height, 240 / width, 1)
    return Logo(path, max(1, round(width * scale)), max(1, round(height * scale)))


def is_logo(path: str) -> bool:
    """Whether the brand shows this image now, so that anybody may see it."""
    brand = brand_in_force()
    return bool(path) and path in (brand.logo, brand.logo_dark)


def _face(brand: Brand) -> str:
    if brand.typeface == Brand.Typeface.SANS:
        return _SANS
    if brand.typeface == Brand.Typeface.OWN and brand.own_typeface:
        return f"'{brand.own_typeface}',{_SERIF}"
    return _SERIF
