"""Images in an S3-compatible store, spoken to over HTTP: any machine has what one has kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from morefollows.backups.encryption import Decryption, Encryption
from morefollows.backups.images import FOLDER, add_missing_images
from morefollows.backups.making import make_backup
from morefollows.backups.restoring import unpacked
from morefollows.config import setting_parsers
from morefollows.stories.images import storing
from tests.stories.images.test_storing import moving


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import boto3
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="herald")
    address = setting_parsers.storage(f"s3://herald/alerts?endpoint={endpoint}&region=us-east-1")
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, storage=address)
    yield client
    server.stop()


def _names(client: Any) -> list[str]:
    return [one["Key"] for one in client.list_objects_v2(Bucket="herald").get("Contents", [])]


def test_a_picture_is_kept_read_and_deleted_there(bucket: Any) -> None:
    picture, size = storing.store_image(moving())
    sizes = picture.sizes()
    assert sorted(_names(bucket)) == sorted(f"alerts/{one.name[:2]}/{one.file}" for one in sizes)
    content = storing.read_picture(picture)
    assert content is not None and len(content) == size == storing.picture_size(picture)
    assert not storing.picture_path(picture).exists()
    storing.delete_files(picture)
    assert (_names(bucket), storing.read_picture(picture), storing.picture_size(picture)) == (
        [],
        None,
        None,
    )


def test_a_backup_has_what_is_there_and_a_restore_puts_it_back(
    bucket: Any, tmp_path: Path, transactional_db: None
) -> None:
    bucket.put_object(Bucket="herald", Key="alerts/not-ours.txt", Body=b"x")
    picture, size = storing.store_image(moving())
    made = make_backup(tmp_path, Encryption())
    kept = sorted(name for name in made.manifest.files if name.startswith(FOLDER))
    assert kept == sorted(f"images/{one.name[:2]}/{one.file}" for one in picture.sizes())
    storing.delete_files(picture)
    with unpacked(made.path, Decryption(), tmp_path, lambda *told: None) as (_manifest, staging):
        assert add_missing_images(staging / FOLDER) == len(kept)
        assert add_missing_images(staging / FOLDER) == 0, "they are there already"
    assert storing.picture_size(picture) == size
    bucket.delete_object(Bucket="herald", Key="alerts/not-ours.txt")
    for name in _names(bucket):
        bucket.delete_object(Bucket="herald", Key=name)
    bucket.delete_bucket(Bucket="herald")
    with pytest.raises(OSError, match="image storage failed"):
        make_backup(tmp_path / "another.backup", Encryption())
    assert not (tmp_path / "another.backup").exists()


def test_a_store_that_fails_is_our_fault_and_not_the_file_s(bucket: Any) -> None:
    bucket.delete_bucket(Bucket="herald")
    with pytest.raises(ValidationError) as caught:
        storing.store_image(moving())
    assert caught.value.code == "ours"


def test_an_address_that_is_none_is_refused() -> None:
    for wrong in ("https://bucket", "s3:///folder", "s3://key:secret@bucket"):
        with pytest.raises(ValueError, match="s3://bucket"):
            setting_parsers.storage(wrong)
