"""The size guard measures values as Temporal will see them."""

import zlib
from collections.abc import Sequence

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    PayloadCodec,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from llmflow.errors import PayloadTooLarge
from llmflow.plugin.sizes import require_rooms, storage_threshold
from llmflow.types.payloads import MAX_PAYLOAD_BYTES

LARGE = "x" * MAX_PAYLOAD_BYTES


class Zip(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(data=zlib.compress(one.SerializeToString())) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(zlib.decompress(one.data)) for one in payloads]


class Nowhere(StorageDriver):
    """A driver that must not be asked: measuring stores nothing."""

    def name(self) -> str:
        return "nowhere"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        raise AssertionError

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        raise AssertionError


async def test_what_is_too_large_says_how_large_and_what_to_do() -> None:
    with pytest.raises(PayloadTooLarge, match=r"a str of 1,500,0.. bytes .* pass a reference") as refused:
        await require_rooms(DataConverter(), ["small", LARGE])
    assert refused.value.detail.size is not None
    assert refused.value.detail.size > MAX_PAYLOAD_BYTES
    await require_rooms(DataConverter(), [LARGE[100:]])


async def test_what_a_codec_makes_small_passes() -> None:
    await require_rooms(DataConverter(payload_codec=Zip()), [LARGE])


async def test_what_goes_to_a_storage_passes() -> None:
    storage = ExternalStorage(drivers=[Nowhere()], payload_size_threshold=1_000)
    await require_rooms(DataConverter(external_storage=storage), [LARGE])
    assert (storage_threshold(DataConverter(external_storage=storage)), storage_threshold(DataConverter())) == (
        1_000,
        None,
    )
