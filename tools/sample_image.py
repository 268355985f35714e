"""Draws the sample newsroom's image: a ferry at the pier of a harbour bridge, at dusk."""

from __future__ import annotations

import io
import math
import random
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_SIZE = (2400, 1350)
_HORIZON = 900  # pixels from the top
_SKY = [(0.0, "#141b3c"), (0.38, "#3a3566"), (0.62, "#8d4f72"), (0.82, "#d9806a"), (1.0, "#f6c383")]
_DARK, _NEAR, _FAR = "#131426", "#1d1c33", "#5c4768"
_LIT = "#ffd98a"

Point = tuple[float, float]


def draw_harbour() -> bytes:
    """A JPEG file of 2400 × 1350 pixels, always the same."""
    chance = random.Random(1405)  # noqa: S311 - a picture
    picture = _sky(chance)
    _glow(picture, (1660, _HORIZON - 20), 130, "#fff1c4")
    _city(picture, chance)
    _bridge(picture)
    _haze(picture, chance, _HORIZON - 70, 130, 9)
    _ferry(picture, 1010, _HORIZON + 4)
    _water(picture, chance)
    _tug(picture, 560, _HORIZON + 84, 1.0)
    _tug(picture, 1490, _HORIZON + 150, -1.35)
    _haze(picture, chance, _HORIZON + 6, 40, 6)
    _gulls(picture, chance)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=92)
    return out.getvalue()


def _sky(chance: random.Random) -> Image.Image:
    width, height = _SIZE
    column = Image.new("RGB", (1, height))
    for y in range(height):
        at = min(y / _HORIZON, 1)
        (low, first), (high, second) = next(
            pair for pair in pairwise(_SKY) if pair[0][0] <= at <= pair[1][0]
        )
        share = (at - low) / (high - low)
        a, b = _rgb(first), _rgb(second)
        column.putpixel(
            (0, y), tuple(round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
        )
    picture = column.resize(_SIZE).convert("RGBA")
    clouds = Image.new("RGBA", _SIZE, (180, 120, 140, 0))
    draw = ImageDraw.Draw(clouds)
    for _ in range(46):
        x, y = chance.uniform(-200, width), chance.uniform(120, _HORIZON - 120)
        long, thick = chance.uniform(260, 900), chance.uniform(5, 26)
        warm = (255, 176, 140) if y > 430 else (122, 96, 150)
        draw.ellipse((x, y, x + long, y + thick), fill=(*warm, chance.randint(26, 78)))
    picture.alpha_composite(clouds.filter(ImageFilter.GaussianBlur(13)))
    return picture


def _glow(picture: Image.Image, at: Point, radius: float, colour: str) -> None:
    x, y = at
    for grown, opacity in ((5.5, 46), (3.0, 80), (1.7, 110), (1.0, 255)):
        light = Image.new("RGBA", _SIZE, (*_rgb(colour), 0))
        size = radius * grown
        ImageDraw.Draw(light).ellipse(
            (x - size, y - size, x + size, y + size), fill=(*_rgb(colour), opacity)
        )
        picture.alpha_composite(
            light.filter(ImageFilter.GaussianBlur(3 if grown == 1.0 else size / 3.2))
        )


def _city(picture: Image.Image, chance: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    for colour, low, high, wide in ((_FAR, 40, 150, 70), ("#3b3253", 26, 96, 56)):
        x = -20.0
        while x < _SIZE[0]:
            width, height = chance.uniform(wide * 0.5, wide * 1.5), chance.uniform(low, high)
            if chance.random() < 0.08:
                draw.polygon(
                    [(x, _HORIZON), (x + 9, _HORIZON - height * 1.9), (x + 18, _HORIZON)],
                    fill=colour,
                )
            draw.rectangle((x, _HORIZON - height, x + width, _HORIZON), fill=colour)
            for _ in range(int(width * height / 900)):
                a, b = (
                    x + chance.uniform(5, max(width - 8, 6)),
                    _HORIZON - chance.uniform(10, max(height - 8, 11)),
                )
                draw.rectangle(
                    (a, b, a + 3, b + 4), fill=_mix(_LIT, colour, chance.uniform(0.25, 0.9))
                )
            x += width + chance.uniform(0, 12)


def _bridge(picture: Image.Image) -> None:
    draw = ImageDraw.Draw(picture)
    deck, top, towers = _HORIZON - 196, _HORIZON - 596, (330, 1180, 2030)
    for x in towers:
        draw.rectangle((x - 60, _HORIZON - 40, x + 60, _HORIZON + 30), fill=_DARK)
        for leg in (-38, 24):
            draw.polygon(
                [
                    (x + leg - 6, _HORIZON),
                    (x + leg + 20, _HORIZON),
                    (x + leg + 15, top),
                    (x + leg - 1, top),
                ],
                fill=_DARK,
            )
        for y in (top + 20, top + 190, deck - 20):
            draw.rectangle((x - 40, y, x + 44, y + 13), fill=_DARK)
        draw.ellipse((x - 5, top - 22, x + 9, top - 8), fill="#ff5a4a")
    ends = (-520, *towers, 2880)
    for left, right in pairwise(ends):
        cable: list[Point] = []
        for step in range(101):
            share = step / 100
            if left < 0:
                y = deck + (top - deck) * share**1.6
            elif right > _SIZE[0]:
                y = deck + (top - deck) * (1 - share) ** 1.6
            else:
                y = top + (deck - 46 - top) * (1 - (2 * share - 1) ** 2)
            cable.append((left + (right - left) * share, y))
            if step % 3 == 0:
                draw.line([cable[-1], (cable[-1][0], deck)], fill="#2a2742", width=3)
        draw.line(cable, fill=_DARK, width=10, joint="curve")
    draw.rectangle((0, deck, _SIZE[0], deck + 24), fill=_DARK)
    draw.rectangle((0, deck + 24, _SIZE[0], deck + 34), fill="#2b2944")
    for x in range(20, _SIZE[0], 74):
        draw.ellipse((x, deck - 15, x + 8, deck - 7), fill=_LIT)


def _ferry(picture: Image.Image, x: float, y: float) -> None:
    """She lies across the pier, a little down by the bow."""
    ship = Image.new("RGBA", (700, 330))
    draw = ImageDraw.Draw(ship)
    draw.polygon([(8, 205), (692, 205), (640, 296), (70, 296)], fill="#20213b")
    draw.polygon([(8, 205), (692, 205), (686, 216), (16, 216)], fill="#e9ddd0")
    draw.rectangle((96, 140, 600, 205), fill="#d8cdc6")
    draw.rectangle((150, 86, 540, 140), fill="#c8bcba")
    draw.rectangle((210, 46, 330, 86), fill="#b9adb0")
    draw.polygon([(420, 86), (430, 16), (486, 16), (492, 86)], fill="#a3243a")
    draw.rectangle((428, 30, 488, 44), fill="#efe6dc")
    draw.line([(268, 46), (268, 4)], fill=_DARK, width=5)
    for row, (left, right) in ((158, (112, 588)), (178, (112, 588)), (104, (168, 400))):
        for window in range(left, right, 24):
            draw.rectangle((window, row, window + 13, row + 11), fill=_LIT)
    draw.rectangle((222, 56, 320, 70), fill="#fff0c2")
    leaning = ship.rotate(-2.4, Image.Resampling.BICUBIC, expand=True)
    picture.alpha_composite(leaning, (round(x - leaning.width / 2), round(y - 296)))


def _water(picture: Image.Image, chance: random.Random) -> None:
    """What stands above it, upside down, broken by ripples that grow towards us."""
    width, height = _SIZE
    deep = height - _HORIZON
    mirror = picture.crop((0, _HORIZON - deep, width, _HORIZON)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    mirror = mirror.filter(ImageFilter.BoxBlur((2, 7)))
    broken = Image.new("RGBA", mirror.size)
    for y in range(deep):
        near = y / deep
        shift = round((3 + 30 * near) * math.sin(y * (0.75 - 0.5 * near) + 1.7 * math.sin(y / 9)))
        row = mirror.crop((0, y, width, y + 1))
        broken.paste(ImageChops.offset(row, shift, 0), (0, y))
    shade = Image.new("RGBA", (1, deep))
    for y in range(deep):
        shade.putpixel((0, y), (14, 18, 44, round(96 + 118 * y / deep)))
    broken.alpha_composite(shade.resize(broken.size))
    draw = ImageDraw.Draw(broken)
    for _ in range(520):
        y = deep * chance.random() ** 1.5
        x = (
            chance.gauss(1660, 130 + 240 * y / deep)
            if chance.random() < 0.6
            else chance.uniform(0, width)
        )
        long = (6 + 60 * y / deep) * chance.uniform(0.4, 1.5)
        bright = chance.randint(60, 190) if abs(x - 1660) < 300 else chance.randint(20, 60)
        draw.line(
            [(x, y), (x + long, y)], fill=(255, 214, 158, bright), width=1 + round(3 * y / deep)
        )
    picture.paste(broken.convert("RGB"), (0, _HORIZON))
    boats = Image.new("RGBA", _SIZE)
    _ferry(boats, 1010, _HORIZON + 4)
    picture.alpha_composite(boats.crop((0, 0, width, _HORIZON + 16)))


def _tug(picture: Image.Image, x: float, y: float, scale: float) -> None:
    """A negative scale turns her round."""
    draw = ImageDraw.Draw(picture)

    def at(*points: Point) -> list[Point]:
        return [(x + a * scale, y + b * abs(scale)) for a, b in points]

    def box(a: float, b: float, c: float, d: float) -> list[float]:
        (p, q), (r, s) = at((a, b), (c, d))
        return [min(p, r), q, max(p, r), s]

    draw.polygon(at((-92, -6), (98, -20), (84, 26), (-82, 26)), fill=_DARK)
    draw.rectangle(box(-30, -48, 40, -8), fill=_NEAR)
    draw.rectangle(box(-12, -78, 30, -48), fill="#2c2a48")
    draw.rectangle(box(-6, -72, 24, -58), fill=_LIT)
    draw.rectangle(box(-62, -58, -44, -8), fill="#7c2334")
    draw.line(at((10, -78), (10, -116)), fill=_DARK, width=4)
    draw.ellipse(box(5, -124, 15, -114), fill="#fff3cf")
    for step in range(9):
        (a, b), (c, d) = at((-86 + step * 5, 30 + step * 5), (88 - step * 7, 30 + step * 5))
        draw.line([(a, b), (c, d)], fill=(12, 14, 34), width=3)


def _haze(picture: Image.Image, chance: random.Random, y: float, thick: float, count: int) -> None:
    fog = Image.new("RGBA", _SIZE, (240, 205, 196, 0))
    draw = ImageDraw.Draw(fog)
    for _ in range(count):
        left, at = chance.uniform(-500, _SIZE[0] - 300), y + chance.uniform(-thick, thick) / 2
        draw.ellipse(
            (left, at, left + chance.uniform(700, 1500), at + thick),
            fill=(240, 205, 196, chance.randint(30, 66)),
        )
    picture.alpha_composite(fog.filter(ImageFilter.GaussianBlur(34)))


def _gulls(picture: Image.Image, chance: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(9):
        x, y, size = chance.uniform(560, 1500), chance.uniform(170, 430), chance.uniform(9, 20)
        draw.arc((x - 2 * size, y, x, y + size), 200, 340, fill="#1c1a30", width=4)
        draw.arc((x, y, x + 2 * size, y + size), 200, 340, fill="#1c1a30", width=4)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mix(first: str, second: str, share: float) -> tuple[int, ...]:
    return tuple(
        round(a * share + b * (1 - share)) for a, b in zip(_rgb(first), _rgb(second), strict=True)
    )
