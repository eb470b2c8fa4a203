"""Search attributes of a namespace: lists them, and adds missing ones."""

import asyncio
from collections.abc import Iterable, Mapping

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client as TemporalClient
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client.errors import readable_errors, rpc_error
from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.types.attributes import SearchAttributes

_TYPES: Mapping[str, "IndexedValueType.ValueType"] = {
    "cost": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "tags": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "approval": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
}
_KNOWN_WITHIN = 30
"""Upper limit of checks, one a second, until the whole server knows a new attribute."""


async def known_attributes(temporal: TemporalClient, wanted: SearchAttributes) -> SearchAttributes:
    """Return the wanted attributes that the namespace has with the right type; the others are `None`: runs omit them.

    Raises:
        ServerUnavailable: the server does not answer.
    """
    types = await _types(temporal)
    return SearchAttributes(
        **{field: name for field, name in wanted if name is not None and types.get(name) == _TYPES[field]}
    )


async def add_attributes(temporal: TemporalClient, wanted: SearchAttributes) -> tuple[str, ...]:
    """Add the wanted attributes that the namespace lacks, wait until they are usable, and return their names.

    Raises:
        ConfigInvalid: an attribute exists with another type, there is no room for more, or adding is not allowed;
            the message names each. The others were added.
        ServerUnavailable: the server does not answer.
    """
    types = await _types(temporal)
    added: list[str] = []
    refused: list[str] = []
    for field, name in wanted:
        if name is None or types.get(name) == _TYPES[field]:
            continue
        try:
            await _add(temporal, name, _TYPES[field], types.get(name))
            added.append(name)
        except (ConfigInvalid, InputInvalid) as error:
            refused.append(error.message.removesuffix("."))
    if added:
        await _until_known(temporal, added)
    if refused:
        raise ConfigInvalid(f"{'; '.join(refused)}. Rename or omit them with LLMFLOW_SEARCH_ATTRIBUTES")
    return tuple(added)


async def _add(
    temporal: TemporalClient,
    name: str,
    type: "IndexedValueType.ValueType",
    found: "IndexedValueType.ValueType | None",
) -> None:
    if found is not None:
        raise ConfigInvalid(
            f"search attribute {name} of namespace {temporal.namespace} is a {_readable(found)}, but llmflow "
            f"needs a {_readable(type)}"
        )
    async with readable_errors(name):
        await temporal.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=temporal.namespace, search_attributes={name: type})
        )


async def _types(temporal: TemporalClient) -> Mapping[str, "IndexedValueType.ValueType"]:
    async with readable_errors("search attributes"):
        found = await temporal.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=temporal.namespace)
        )
    return found.custom_attributes


async def _until_known(temporal: TemporalClient, names: Iterable[str]) -> None:
    """Wait until queries accept the attributes: a server on PostgreSQL caches the known ones for some seconds."""
    query = " AND ".join(f"`{name}` IS NOT NULL" for name in names)
    for _ in range(_KNOWN_WITHIN):
        try:
            await temporal.count_workflows(query)
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise rpc_error(error, query) from error
            await asyncio.sleep(1)
        else:
            return


def _readable(type: "IndexedValueType.ValueType") -> str:
    words = IndexedValueType.Name(type).removeprefix("INDEXED_VALUE_TYPE_").split("_")
    return "".join(word.capitalize() for word in words)
