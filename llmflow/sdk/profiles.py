"""Codec endpoint of Temporal's profile, which the SDK reads and `temporalio.envconfig` drops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from temporalio.bridge.temporal_sdk_bridge import envconfig  # pyright: ignore[reportUnknownVariableType]  native code


@dataclass(frozen=True)
class CodecEndpoint:
    """Codec server, as `temporal --codec-endpoint` takes it."""

    endpoint: str
    """URL, in which `{namespace}` stands for the namespace."""
    auth: str | None = None
    """Value of the header `Authorization`."""


def codec_endpoint(profile: str | None) -> CodecEndpoint | None:
    """Return the endpoint of `TEMPORAL_CODEC_ENDPOINT`, or of `[profile.<name>.codec]` in Temporal's file.

    Raises:
        RuntimeError: Temporal's own: the profile does not exist, or the file does not parse.
    """
    read = cast(Callable[..., Mapping[str, Mapping[str, str]]], envconfig.load_client_connect_config)
    # The profile's name, its file and its text, without the file, without the environment, strictly.
    found = read(profile, None, None, False, False, False).get("codec", {})
    return CodecEndpoint(found["endpoint"], found.get("auth")) if "endpoint" in found else None
