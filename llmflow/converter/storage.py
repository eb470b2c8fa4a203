"""External storage of large values over obstore: a folder, S3, Google Cloud Storage or Azure."""

import asyncio
import hashlib
import re
import zlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from llmflow.errors import BlobMissing, ConfigInvalid

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

THRESHOLD = 64 * 1024
"""Bytes from which a value is stored. 60 of them fit into one request to Temporal, which takes 4 MB."""
FRESH = timedelta(days=1)
"""Age up to which a blob that is stored again stays as it is. An older one is written again, so a sweep keeps it."""

_ROOT = "v1"
_IDENTITY = "storage"
_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=5)}
"""Retries within one request, which fit into a workflow task of 10 s. Temporal retries the task, or the activity."""
_HASH = re.compile(r"[0-9a-f]{64}")
_SCHEMES = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss"})
_RAW, _ZLIB = b"\0", b"\1"  # the first byte of a blob


@dataclass(frozen=True)
class Blob:
    """A stored value."""

    path: str
    size: int
    """Bytes in the storage."""
    modified: datetime

    @property
    def hash(self) -> str:
        """Return the hash of its content, which claims name."""
        return self.path.rpartition("/")[2]


class BlobStorage(StorageDriver):
    """Values by the SHA-256 of their bytes: each is stored once for a namespace, compressed, and checked when read.

    It stores what a codec has encoded. A claim names the hash and no path, so a forged one reaches no other object.
    """

    is_context_free = True
    """True, because a key depends on the content alone: the sandbox need not find out what a value belongs to."""

    def __init__(self, store: "ObjectStore", namespace: str) -> None:
        """Configure. No request is made.

        Args:
            store: Store of obstore.
            namespace: Namespace of the values that it stores. Values of others can be read.
        """
        self._store = store
        self._namespace = namespace
        self._identity: str | None = None

    def name(self) -> str:
        """See base class."""
        return "llmflow"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """See base class."""
        identity = await self._known_identity()
        return list(await asyncio.gather(*(self._put(identity, one) for one in payloads)))

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """See base class.

        Raises:
            BlobMissing: a value is not there, or has other bytes.
            RuntimeError: a value is in another storage, so a worker with that one can read it.
        """
        return list(await asyncio.gather(*(self._get(one) for one in claims)))

    async def blobs(self, older_than: timedelta) -> AsyncIterator[Blob]:
        """Yield the values of the namespace that were stored, or stored again, at least this long ago."""
        before = datetime.now(UTC) - older_than
        async for page in self._store.list_async(prefix=f"{_ROOT}/{_folder(self._namespace)}/"):
            for one in page:
                if one["last_modified"] <= before:
                    yield Blob(one["path"], one["size"], one["last_modified"])

    async def delete(self, blobs: Collection[Blob]) -> None:
        """Delete values that have not been stored again since they were listed."""
        for one in blobs:
            try:
                if (await self._store.head_async(one.path))["last_modified"] == one.modified:
                    await self._store.delete_async(one.path)
            except FileNotFoundError:
                continue  # another sweep was quicker

    async def _put(self, identity: str, payload: Payload) -> StorageDriverClaim:
        from obstore.exceptions import AlreadyExistsError

        content = payload.SerializeToString(deterministic=True)  # metadata is a map, without an order
        hash = hashlib.sha256(content).hexdigest()
        path = _path(self._namespace, hash)
        is_text = payload.metadata["encoding"].startswith(b"json/")  # what a codec has encrypted gets no smaller
        blob = await asyncio.to_thread(_packed, content) if is_text else _RAW + content
        try:
            await self._store.put_async(path, blob, mode="create")
        except AlreadyExistsError:
            if datetime.now(UTC) - (await self._store.head_async(path))["last_modified"] > FRESH:
                await self._store.put_async(path, blob)
        return StorageDriverClaim(
            {"sha256": hash, "size": str(len(content)), "namespace": self._namespace, "storage": identity}
        )

    async def _get(self, claim: StorageDriverClaim) -> Payload:
        hash, size = claim.claim_data.get("sha256", ""), claim.claim_data.get("size", "")
        if not _HASH.fullmatch(hash) or not size.isdecimal():
            raise BlobMissing("a reference to external storage names no hash and size: another program wrote it")
        try:
            answer = await self._store.get_async(_path(claim.claim_data.get("namespace", ""), hash))
            blob = bytes(await answer.bytes_async())
        except FileNotFoundError:
            if claim.claim_data.get("storage") != await self._known_identity():
                raise RuntimeError(
                    "a value is in another external storage: set LLMFLOW_STORAGE as the process that wrote it does"
                ) from None
            raise BlobMissing(f"external storage has no value {hash[:12]} any more") from None
        content = await asyncio.to_thread(_unpacked, blob, int(size))
        if hashlib.sha256(content).hexdigest() != hash:
            raise BlobMissing(f"external storage has other bytes than those of value {hash[:12]}")
        return Payload.FromString(content)

    async def _known_identity(self) -> str:
        """Return the random id of this storage, which the first process gives it."""
        from obstore.exceptions import AlreadyExistsError

        if self._identity is None:
            with suppress(AlreadyExistsError):
                await self._store.put_async(_IDENTITY, uuid4().hex.encode(), mode="create")
            self._identity = bytes(await (await self._store.get_async(_IDENTITY)).bytes_async()).decode()
        return self._identity


def open_storage(url: str, namespace: str) -> ExternalStorage:
    """Open the external storage at a URL: the path of a folder, `file://`, `s3://`, `gs://` or `az://`.

    Credentials and regions are read from the environment, as the vendors' own tools do: `AWS_...`, `GOOGLE_...`,
    `AZURE_...`.

    Raises:
        ConfigInvalid: the URL cannot be used, or the extra `storage` is not installed.
    """
    try:
        from obstore.exceptions import BaseError
        from obstore.store import LocalStore, from_url
    except ImportError:
        raise ConfigInvalid(
            "LLMFLOW_STORAGE is set, but obstore is not installed: pip install 'llmflow[storage]'"
        ) from None
    scheme = urlsplit(url).scheme if "://" in url else ""
    try:
        if scheme in ("", "file"):
            folder = Path(url2pathname(urlsplit(url).path) if scheme else url).absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _storage(LocalStore(folder), namespace)
        if scheme in _SCHEMES:
            return _storage(from_url(url, retry_config=_RETRIES), namespace)
    except (BaseError, OSError, ValueError) as error:
        raise ConfigInvalid(f"LLMFLOW_STORAGE: {str(error) or type(error).__name__}") from None
    raise ConfigInvalid(f"LLMFLOW_STORAGE: {scheme}:// is none of a folder's path, file://, s3://, gs:// and az://")


def blob_storage(storage: ExternalStorage | None) -> BlobStorage | None:
    """Return our own driver of a client's external storage; `None` if it has another, or none."""
    return next((one for one in storage.drivers if isinstance(one, BlobStorage)), None) if storage else None


def _storage(store: "ObjectStore", namespace: str) -> ExternalStorage:
    return ExternalStorage([BlobStorage(store, namespace)], payload_size_threshold=THRESHOLD)


def _folder(namespace: str) -> str:
    return quote(namespace, safe="") or "_"


def _path(namespace: str, hash: str) -> str:
    return f"{_ROOT}/{_folder(namespace)}/{hash[:2]}/{hash}"


def _packed(content: bytes) -> bytes:
    packed = _ZLIB + zlib.compress(content, 1)
    return packed if len(packed) < len(content) else _RAW + content


def _unpacked(blob: bytes, size: int) -> bytes:
    """Return the content of a blob, at most one byte more than it claims to have; empty if it is none of ours."""
    if blob[:1] == _RAW:
        return blob[1:]
    try:
        return zlib.decompressobj().decompress(blob[1:], size + 1) if blob[:1] == _ZLIB else b""
    except zlib.error:
        return b""
