"""External storage in a folder: what is stored, what is read, and what is refused."""

import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from llmflow.converter.storage import THRESHOLD, BlobStorage, blob_storage, open_storage
from llmflow.errors import BlobMissing, ConfigInvalid
from tests.helpers.ciphers import codec
from tests.helpers.ports import closed_port

TEXT = "word " * THRESHOLD


def opened(folder: Path, namespace: str = "default") -> BlobStorage:
    return cast(BlobStorage, blob_storage(open_storage(str(folder), namespace)))


def blobs(folder: Path, namespace: str = "default") -> list[Path]:
    return [one for one in folder.glob(f"v1/{namespace}/*/*") if one.is_file()]


async def stored(storage: BlobStorage, *payloads: Payload) -> list[StorageDriverClaim]:
    return await storage.store(StorageDriverStoreContext(), payloads)


async def read(storage: BlobStorage, claim: Mapping[str, str]) -> Payload:
    [payload] = await storage.retrieve(StorageDriverRetrieveContext(), [StorageDriverClaim(claim)])
    return payload


def payload(data: bytes = b'"tuna"', encoding: str = "json/plain") -> Payload:
    return Payload(metadata={"encoding": encoding.encode(), "a": b"1", "b": b"2"}, data=data)


@pytest.mark.parametrize("has_codec", [False, True])
async def test_a_large_value_is_a_reference(tmp_path: Path, has_codec: bool) -> None:
    converter = DataConverter(
        external_storage=open_storage(str(tmp_path), "default"), payload_codec=codec() if has_codec else None
    )
    small, large = await converter.encode(["word", TEXT])
    assert len(small.data) < 100
    assert large.ByteSize() < 400
    assert large.external_payloads[0].size_bytes > THRESHOLD
    assert await converter.decode([small, large]) == ["word", TEXT]
    [blob] = blobs(tmp_path)
    assert (blob.stat().st_size < len(TEXT) / 10) is not has_codec, "it is compressed, unless it is encrypted"


async def test_the_same_value_is_stored_once_for_a_namespace(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path, "a/../b")
    [first, second] = await stored(one, payload(), payload())
    assert first == second == (await stored(one, payload()))[0]
    [foreign] = await stored(other, payload())
    assert len(blobs(tmp_path)) == len(blobs(tmp_path, "a%2F..%2Fb")) == 1
    assert await read(one, foreign.claim_data) == await read(other, first.claim_data) == payload()


@pytest.mark.parametrize("data", [b"", b"\x00", b"x" * 100_000, os.urandom(100_000)])
@pytest.mark.parametrize("encoding", ["json/plain", "binary/encrypted", "binary/null"])
async def test_every_value_comes_back(tmp_path: Path, data: bytes, encoding: str) -> None:
    storage = opened(tmp_path)
    [claim] = await stored(storage, payload(data, encoding))
    assert await read(storage, claim.claim_data) == payload(data, encoding)


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x01", b"\x02abc", b"\x00other bytes", b"\x01\x78\x01"])
async def test_other_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    storage = opened(tmp_path)
    [claim] = await stored(storage, payload())
    blobs(tmp_path)[0].write_bytes(content)
    with pytest.raises(BlobMissing, match="external storage has other bytes than those of value ") as refused:
        await read(storage, claim.claim_data)
    assert refused.value.non_retryable


async def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    [claim] = await stored(storage, payload())
    [large] = await stored(storage, payload(b"0" * 50_000_000))
    bomb = next(one for one in blobs(tmp_path) if one.name == large.claim_data["sha256"]).read_bytes()
    next(one for one in blobs(tmp_path) if one.name == claim.claim_data["sha256"]).write_bytes(bomb)
    begun = time.process_time()
    with pytest.raises(BlobMissing, match="other bytes"):
        await read(storage, claim.claim_data)
    assert time.process_time() - begun < 0.05


async def test_a_missing_value_is_final_only_in_its_own_storage(tmp_path: Path) -> None:
    mine, other = opened(tmp_path / "mine"), opened(tmp_path / "other")
    [claim] = await stored(mine, payload())
    blobs(tmp_path / "mine")[0].unlink()
    with pytest.raises(BlobMissing, match=r"external storage has no value \w{12} any more") as missing:
        await read(mine, claim.claim_data)
    assert missing.value.non_retryable
    with pytest.raises(RuntimeError, match="a value is in another external storage: set LLMFLOW_STORAGE"):
        await read(other, claim.claim_data)


async def test_an_outage_is_an_error_that_temporal_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        for name, value in {
            "ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "ALLOW_HTTP": "true",
            "REGION": "eu-central-1",
            "ACCESS_KEY_ID": "x",
            "SECRET_ACCESS_KEY": "x",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        storage = cast(BlobStorage, blob_storage(open_storage("s3://bucket", "default")))
        begun = time.monotonic()
        with pytest.raises(Exception, match="bucket") as failed:  # of obstore's classes
            await read(storage, {"sha256": "a" * 64, "size": "1"})
    assert not isinstance(failed.value, BlobMissing)
    assert time.monotonic() - begun < 10, "a workflow task has 10 s"


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"sha256": "../../etc/passwd", "size": "1"},
        {"sha256": "a" * 64},
        {"sha256": "a" * 64, "size": "-1"},
        {"sha256": "a" * 64, "size": "1e9"},
    ],
)
async def test_a_forged_reference_reaches_no_file(tmp_path: Path, claim: Mapping[str, str]) -> None:
    with pytest.raises(BlobMissing, match="another program wrote it"):
        await read(opened(tmp_path), claim)


async def test_a_namespace_leads_out_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "aa").mkdir()
    (tmp_path / "aa" / ("a" * 64)).write_bytes(b"\x00secret")
    storage = opened(tmp_path / "storage")
    for namespace in ("../..", "..", "../../", "%2E%2E/.."):
        with pytest.raises((BlobMissing, RuntimeError, ValueError)) as refused:
            await read(storage, {"sha256": "a" * 64, "size": "6", "namespace": namespace})
        assert "other bytes" not in str(refused.value)


async def test_a_value_that_is_stored_again_is_young(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    await stored(storage, payload(), payload(b"2"))
    for one in blobs(tmp_path):
        os.utime(one, (0, 0))
    listed = [one async for one in storage.blobs(timedelta(days=1))]
    assert len(listed) == 2
    await stored(storage, payload())
    assert len([one async for one in storage.blobs(timedelta(days=1))]) == 1
    await storage.delete(listed)
    assert [one async for one in storage.blobs(timedelta())] != [], "what was stored again after it was listed"
    assert len(blobs(tmp_path)) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://host/folder", "ftp:// is none of a folder's path, file://, s3://, gs:// and az://"),
        ("memory:///", "memory:// is none of"),
        ("s3://", "LLMFLOW_STORAGE: "),
        ("/dev/null/folder", "LLMFLOW_STORAGE: .*Not a directory"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        open_storage(url, "default")


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "gs://bucket", "az://account/container"])
def test_urls_of_vendors_open_without_a_request(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert isinstance(open_storage(url, "default"), ExternalStorage)


async def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    await stored(opened(tmp_path / "a b"), payload())
    assert blobs(tmp_path / "a b")
    storage = open_storage((tmp_path / "a b").as_uri(), "default")
    assert [one async for one in cast(BlobStorage, storage.drivers[0]).blobs(timedelta())]
    assert (tmp_path / "a b").stat().st_mode & 0o77 == 0
