"""Connects to a Temporal server."""

import re

from temporalio.client import Client as TemporalClient
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime

from llmflow.app import App
from llmflow.client.client import Client
from llmflow.config import Settings
from llmflow.converter.remote_codec import RemoteCodec
from llmflow.errors import ConfigInvalid, ErrorDetail, Remedy, ServerUnavailable
from llmflow.plugin import LLMFlowPlugin
from llmflow.plugin.converters import data_converter, with_codec
from llmflow.sdk.profiles import codec_endpoint


async def connect(
    app: App | None = None,
    *,
    address: str | None = None,
    namespace: str | None = None,
    profile: str | None = None,
    api_key: str | None = None,
    store: str | None = None,
    codec: PayloadCodec | None = None,
    storage: str | None = None,
    plugin: LLMFlowPlugin | None = None,
    runtime: Runtime | None = None,
) -> Client:
    """Connect to Temporal, by its own environment variables and profiles unless an argument is given.

    Args:
        app: App whose task queue is the default for runs.
        address: `host:port`, instead of `TEMPORAL_ADDRESS` or the profile's.
        namespace: Namespace, instead of `TEMPORAL_NAMESPACE` or the profile's; `default` by default.
        profile: Profile of Temporal's configuration file, instead of `TEMPORAL_PROFILE`; it also has TLS settings.
        api_key: API key, instead of `TEMPORAL_API_KEY`; it turns TLS on.
        store: URL of the store of scores and run events, instead of `LLMFLOW_STORE` and `LLMFLOW_EVENTS`.
        codec: Codec of payloads, instead of `LLMFLOW_CODEC` or the codec endpoint of the profile.
        storage: URL of the external storage of large values, instead of `LLMFLOW_STORAGE`.
        plugin: A plugin with activities, for a worker.
        runtime: Temporal's runtime, for metrics.

    Raises:
        ServerUnavailable: no server answers at the address.
        ConfigInvalid: the profile does not exist, the address is malformed, a variable `LLMFLOW_*` does not parse, or
            no codec is where `LLMFLOW_CODEC` says.
    """
    store, events = (store, None) if store else _places()
    config = _temporal_config(profile)
    namespace = namespace or config.get("namespace", "default")
    plugin = plugin or LLMFlowPlugin(*([app] if app else ()), storage=storage)
    if codec is None and plugin.codec is None:
        codec = _codec_of_profile(profile, namespace)
    target = address or config.get("target_host", "localhost:7233")
    key = api_key or config.get("api_key")
    try:
        temporal = await TemporalClient.connect(
            target,
            namespace=namespace,
            api_key=key,
            tls=config.get("tls", key is not None),
            rpc_metadata=config.get("rpc_metadata", {}),
            data_converter=with_codec(DataConverter.default, codec) if codec else DataConverter.default,
            plugins=[plugin],
            runtime=runtime,
        )
    except ValueError as error:
        raise ConfigInvalid(f"Temporal address {target!r}: {error}; write it as host:port") from None
    except RuntimeError as error:
        raise ServerUnavailable(
            f"no Temporal server answers at {target} ({_reason(error)}): start one, or set TEMPORAL_ADDRESS to a "
            "running one",
            ErrorDetail(remedy=Remedy(action="start_server")),
        ) from None
    return Client(temporal, app.task_queue if app else None, store, events)


def _places() -> tuple[str, str | None]:
    """Return the store and the place of run events of the environment."""
    settings = Settings.load()
    return settings.store_url, settings.events


def _reason(error: RuntimeError) -> str:
    """Return the innermost reason in an error text of Temporal's core."""
    said = re.findall(r'"([^"]+)"', str(error))
    return said[-1] if said else str(error)


def configured_address() -> str | None:
    """Return the address in Temporal's own environment variables and profiles, if there is one.

    Raises:
        ConfigInvalid: the profile does not exist.
    """
    return _temporal_config(None).get("target_host")


def _temporal_config(profile: str | None) -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config(profile)
    except RuntimeError as error:
        raise ConfigInvalid(f"Temporal's configuration: {error}; see `temporal config list`") from None


def configured_converter(settings: Settings) -> DataConverter:
    """Return the data converter of clients with these settings, without a client.

    Raises:
        ConfigInvalid: the settings name no codec, or none is there.
    """
    if settings.codec is None:
        raise ConfigInvalid("no codec: set LLMFLOW_CODEC to `package.module:attribute`")
    return data_converter(None, settings.codec, settings.storage, namespace=_temporal_config(None).get("namespace", ""))


def _codec_of_profile(profile: str | None, namespace: str) -> PayloadCodec | None:
    found = codec_endpoint(profile)
    return RemoteCodec(found.endpoint, namespace, found.auth) if found else None
