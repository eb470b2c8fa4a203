"""Proof that both sides do the same work: both ask the model the same things, and return the same."""

from typing import Any
from uuid import uuid4

from bench.model import Model
from bench.sides import Side, sides_at

Json = dict[str, Any]


async def check(server: str) -> None:
    """Run each side once, and compare.

    Raises:
        RuntimeError: the models, texts or types that were asked for differ, or the results do.
    """
    async with Model(delay=0, record=True) as model, sides_at(server, model.url) as both:
        plain, llmflow = [await _done(side, model) for side in (both.plain, both.llmflow)]
    for theirs, ours in zip(plain, llmflow, strict=True):
        if theirs != ours:
            raise RuntimeError(f"the two sides do not do the same work:\nplain   {theirs}\nllmflow {ours}")


async def _done(side: Side, model: Model) -> list[object]:
    """Return the requests of a run, in order, and its result."""
    model.requests.clear()
    result = await side.chain(f"same-{side.name}-{uuid4()}")
    return [*(_essence(request.json) for request in model.requests), result]


def _essence(body: Json) -> Json:
    """Normalize a request: vendors take an instruction as a field or as a first message, and ignore titles."""
    said = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
    if "instructions" in body:
        said = [{"role": "system", "content": body["instructions"]}, *said]
    return {
        "model": body["model"],
        "store": body["store"],
        "said": [(message["role"], _text(message["content"])) for message in said],
        "format": _without_titles(body.get("text")),
    }


def _text(content: str | list[Json]) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _without_titles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_titles(inner) for key, inner in value.items() if key != "title"}
    return value
