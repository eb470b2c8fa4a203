"""Codecs that encrypt, as `LLMFLOW_CODEC` names them."""

import os
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec


class Encrypted(PayloadCodec):
    """AES-GCM. It encrypts with the first key, and decrypts with the one that a payload names."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: AESGCM(key) for name, key in keys.items()}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        name, key = next(iter(self._keys.items()))
        return [self._sealed(name, key, payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._opened(one) if one.metadata["encoding"] == b"binary/encrypted" else one for one in payloads]

    def _sealed(self, name: str, key: AESGCM, payload: Payload) -> Payload:
        nonce = os.urandom(12)
        sealed = nonce + key.encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={"encoding": b"binary/encrypted", "key": name.encode()}, data=sealed)

    def _opened(self, payload: Payload) -> Payload:
        name = payload.metadata["key"].decode()
        nonce, sealed = payload.data[:12], payload.data[12:]
        return Payload.FromString(self._keys[name].decrypt(nonce, sealed, None))


def codec() -> PayloadCodec:
    """The codec of the workers."""
    return Encrypted({"2026": b"k" * 32})


def rotated() -> PayloadCodec:
    """The codec after a rotation: a new key first."""
    return Encrypted({"2027": b"n" * 32, "2026": b"k" * 32})


class Broken(Encrypted):
    """Cannot decrypt."""

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise OSError("the key server is down")


broken = Broken({"2026": b"k" * 32})
wrong_key = Encrypted({"2026": b"x" * 32})
other_keys = Encrypted({"2020": b"k" * 32})
no_codec = 4711
