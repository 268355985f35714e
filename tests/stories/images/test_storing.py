"""What becomes of an image file: the pictures that are kept, and what is refused."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from PIL import Image

from morefollows.config.keyring import Keyring, Keys
from morefollows.stories.images import reduce, storing
from morefollows.stories.images.address import Picture, parse_picture
from tests.stories.images.pictures import bomb, moving, photo, sideways


def limits(**changes: Any) -> override_settings:
    return override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, **changes))


def refused(file: bytes) -> str:
    """The code of the refusal."""
    with pytest.raises(ValidationError) as caught:
        storing.store_image(file)
    assert caught.value.messages[0]
    return str(caught.value.code)


def test_a_photograph_is_kept_at_its_sizes_under_a_name_that_nobody_guesses(data: Path) -> None:
    before = set((data / "images").glob("new-*"))
    picture, size = storing.store_image(photo())
    assert (picture.width, picture.height, picture.extension) == (1200, 750, "jpg")
    assert [(one.width, one.height) for one in picture.sizes()] == [(600, 375), (1200, 750)]
    for one in picture.sizes():
        with Image.open(storing.picture_path(one)) as kept:
            assert kept.size == (one.width, one.height) and kept.format == "JPEG"
            assert not kept.getexif() and not {"icc_profile", "comment", "exif"} & set(kept.info)
    assert storing.picture_path(picture).stat().st_size == size
    assert storing.store_image(photo()).picture == picture, (
        "the same picture again is the same image"
    )
    assert parse_picture(picture.path) == picture
    with limits(secret=Keys(Keyring.new(), None)):
        assert storing.store_image(photo()).picture.name != picture.name, (
            "who has the picture can't work out its name"
        )
    assert set((data / "images").glob("new-*")) == before


def test_it_stands_upright_and_tells_nothing_of_who_took_it_and_where() -> None:
    picture = storing.store_image(sideways()).picture
    assert (picture.width, picture.height) == (1000, 1600)
    content = storing.picture_path(picture).read_bytes()
    assert b"Secret" not in content and b"Exif" not in content
    with Image.open(io.BytesIO(content)) as kept:
        assert kept.getpixel((990, 10)) > (200, 200, 200), (
            "the white corner has turned to the right"
        )


@pytest.mark.parametrize(
    ("file", "extension", "widths"),
    [
        (photo(800, 600, "WEBP"), "jpg", [600, 800]),
        (photo(300, 300, "PNG", "RGBA"), "png", [300]),
        (photo(1300, 900, "JPEG", "CMYK"), "jpg", [600, 1200]),
        (photo(500, 400, "JPEG", "L"), "jpg", [500]),
        (moving(), "png", [600, 700]),
    ],
    ids=["WebP", "opaque PNG", "CMYK", "grey", "GIF"],
)
def test_what_kinds_there_are(file: bytes, extension: str, widths: list[int]) -> None:
    picture = storing.store_image(file).picture
    assert picture.extension == extension and [size.width for size in picture.sizes()] == widths
    with Image.open(storing.picture_path(picture)) as kept:
        assert kept.mode == "RGB" and getattr(kept, "n_frames", 1) == 1


def test_of_a_moving_picture_the_first_frame_is_kept_and_what_shines_through_stays_so() -> None:
    with Image.open(storing.picture_path(storing.store_image(moving()).picture)) as kept:
        assert kept.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    clear = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    out = io.BytesIO()
    clear.save(out, "PNG")
    with Image.open(storing.picture_path(storing.store_image(out.getvalue()).picture)) as kept:
        assert kept.mode == "RGBA" and kept.getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_what_is_refused_and_why() -> None:
    assert (
        refused(b"")
        == refused(b"%PDF-1.7")
        == refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
        == "format"
    )
    assert refused(photo(kind="BMP")) == refused(photo(kind="TIFF")) == "format"
    assert refused(photo()[:-2000]) == "broken"
    assert refused(photo(40, 40)) == refused(photo(3000, 200)) == "shape"
    assert refused(bomb()) == "pixels"
    assert refused(bomb(1 << 30, 1 << 30)) in ("pixels", "broken")
    with limits(image_pixels=1_500_000):
        assert refused(photo()) == "pixels"
        assert storing.store_image(photo(1499, 1000))


def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_PATIENCE", 0.001)
    assert refused(photo()) == "late"


def test_what_is_our_fault_is_not_blamed_on_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(storing, "_REDUCE", "morefollows.no_such_module")
        assert refused(photo()) == "ours"
        assert "No module named morefollows.no_such_module" in caplog.text
    with monkeypatch.context() as changed:
        changed.setattr("sys.executable", str(tmp_path / "gone"))
        assert refused(photo()) == "ours"
    (tmp_path / "images").write_text("a file where the folder should be")
    with limits(data=tmp_path):
        assert refused(photo()) == "ours"
    assert f"{tmp_path}/images: File exists" in caplog.text


def test_a_file_that_kills_the_decoder_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\nkill -SEGV $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(killed))
    assert refused(photo()) == "broken"


SEEDS = [photo(200, 150, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")] + [sideways()[:20_000]]


@bounds(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.sampled_from(SEEDS), number=st.integers(0, 2**32))
def test_broken_bytes_are_refused_or_make_a_sound_picture(
    tmp_path: Path, seed: bytes, number: int
) -> None:
    """In this process, so that each try is fast; any decoder error must become a refusal."""
    chance = random.Random(number)
    file = bytearray(seed)
    for _ in range(chance.randint(1, 12)):
        match chance.randint(0, 2):
            case 0:
                file[chance.randrange(len(file))] = chance.randrange(256)
            case 1:
                at = chance.randrange(len(file))
                del file[at : at + chance.randint(1, 50)]
            case _:
                at = chance.randrange(len(file))
                file[at:at] = chance.randbytes(chance.randint(1, 50))
        if not file:
            break
    try:
        picture = reduce.reduce(bytes(file), tmp_path, 2_000_000)
    except reduce.UnusableImage as error:
        assert error.args[0] in ("format", "broken", "pixels", "shape")
    else:
        with Image.open(tmp_path / picture.file) as kept:
            kept.load()
            assert kept.size == (picture.width, picture.height) and kept.format in ("JPEG", "PNG")


@pytest.mark.parametrize(
    "address",
    [
        "/images/../secret",
        "/images/0123456789abcdef0123456789abcdef-0x10.jpg",
        "/images/0123456789ABCDEF0123456789abcdef-10x10.jpg",
        "/images/0123456789abcdef0123456789abcdef-10x10.svg",
        "https://x.example/images/0123456789abcdef0123456789abcdef-10x10.jpg",
        "/images/0123456789abcdef0123456789abcdef-10x10.jpg\n",
    ],
)
def test_what_is_no_address_of_an_image(address: str) -> None:
    assert parse_picture(address) is None


def test_what_an_address_says() -> None:
    name = "0123456789abcdef0123456789abcdef"
    assert parse_picture(f"/images/{name}-1200x800.png") == Picture(name, 1200, 800, "png")
