"""Usage and bills of failed calls: vendors put them into errors, failed responses and answers of another format."""

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic_core import from_json

from llmflow.errors import ProviderError
from llmflow.providers.dialects.usage.merging import merged
from llmflow.providers.dialects.usage.reader import Tiers, read_usage
from llmflow.providers.dialects.usage.tools import items_run
from llmflow.types.base import changed
from llmflow.types.models import Billed
from llmflow.types.usage import Usage

_Json = Mapping[str, object]


def with_bill(error: ProviderError, *bodies: object, model: str, base_url: str | None) -> ProviderError:
    """Return an error with the usage and the bill that a vendor sent with it, if it sent any, in `detail.billed`.

    Args:
        error: The error.
        bodies: What the vendor sent, as JSON values or bytes: a body, or the events of a stream.
        model: The requested model, as the vendor names it.
        base_url: Address of the vendor.
    """
    places = [place for body in bodies for place in _places(_parsed(body))]
    billed = _billed(places, model, base_url)
    if billed.usage == Usage() and billed.reported_usd is None:
        return error
    said = billed.model_dump(mode="json", exclude_defaults=True)
    return type(error)(error.message, changed(error.detail, billed=said))


def _billed(places: list[_Json], model: str, base_url: str | None) -> Billed:
    usage: object = None
    run: dict[str, int] = {}
    for place in places:
        usage = merged(usage, place.get("usage"))
        run = items_run(_objects(place.get("output")), place.get("tools")) or run
    names = [name for place in places if isinstance(name := place.get("model"), str) and name]
    tiers = [tier for place in places if isinstance(tier := place.get("service_tier"), str)]
    answered = Tiers(answered=tiers[-1] if tiers else None)
    return read_usage(usage, run, answered, model=names[-1] if names else model, base_url=base_url)


def _places(body: object) -> Iterator[_Json]:
    """Yield the objects of a body that may have a `usage`."""
    if isinstance(body, list):  # Google sends arrays of errors
        for one in cast(list[object], body):
            yield from _places(one)
    elif isinstance(body, dict):
        said = cast(dict[str, object], body)
        yield said
        for name in ("response", "error", "metadata"):
            yield from _places(said.get(name))


def _parsed(body: object) -> object:
    if not isinstance(body, bytes):
        return body
    try:
        return from_json(body)
    except ValueError:
        return None


def _objects(items: object) -> list[_Json]:
    each = cast(list[object], items) if isinstance(items, list) else []
    return [cast(_Json, item) for item in each if isinstance(item, dict)]
