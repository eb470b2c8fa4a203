"""Checks of all that runs need: server, search attributes, store, workers, and the contents of an App."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from llmflow.app import App
from llmflow.client import Client
from llmflow.client.search_attributes import add_attributes, known_attributes
from llmflow.config import Settings
from llmflow.errors import (
    LLMFlowError,
    NoWorker,
    Remedy,
    ServerUnavailable,
    StoreUnavailable,
    did_you_mean,
)
from llmflow.prompts.prompt import Prompts
from llmflow.service.connections import Connection
from llmflow.service.prompts import opened
from llmflow.service.stuck import stuck_runs
from llmflow.stores.database import Database
from llmflow.types.attributes import SearchAttributes
from llmflow.types.usage import Cost

_AWAY = (ServerUnavailable, StoreUnavailable, NoWorker)


@dataclass(frozen=True)
class Model:
    """Name for models, as prompts and models.yaml use it."""

    name: str
    candidates: tuple[str, ...]
    """`provider:model` of each candidate, in the order in which they are tried."""
    keys: tuple[str, ...]
    """Environment variables that hold the candidates' keys."""
    missing: tuple[str, ...]
    """Variables of which one would help, if no candidate can be asked."""
    offline: bool
    """True if one of the candidates is not a language model."""

    def __str__(self) -> str:
        return ", then ".join(self.candidates)


@dataclass(frozen=True, kw_only=True)
class PriceLists:
    """Price lists of an App, in their order."""

    names: tuple[str, ...]
    """Names and versions, with their age if it is known."""
    cost: Callable[[str], Cost]
    """Cost of a plain call of a `provider:model`."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Readers of an App's contents. Each function may raise ConfigInvalid or PromptInvalid."""

    app: App
    prompts: Callable[[], Prompts]
    models: Callable[[], Sequence[Model]]
    prices: Callable[[], "PriceLists | None"]
    """`None` if the models cannot be read: `models` says why."""


class Check(BaseModel):
    """One thing that was checked."""

    model_config = ConfigDict(frozen=True)

    name: str
    ok: bool
    found: str
    """State of the thing, or its problem."""
    remedy: Remedy | None = None
    """Action that helps, if `found` does not say it."""
    key: str | None = None
    """Environment variable that `set_key` is about."""
    away: bool = False
    """True if only a server, a store or a worker does not answer: a retry may succeed."""


async def diagnose(
    settings: Settings,
    connect: Callable[[], Awaitable[Connection]],
    contents: Contents | LLMFlowError | None,
    *,
    fix: bool,
) -> list[Check]:
    """Check everything.

    Args:
        settings: Location of the store, and names of search attributes.
        connect: Connects to the server.
        contents: Contents of an App, if one is named; or the error of loading it.
        fix: Add missing search attributes, and bring the store to the current schema.
    """
    app = contents.app if isinstance(contents, Contents) else None
    of_server = await _of_server(app, connect, settings.attributes, fix=fix)
    checks = [*of_server, await _of_store(settings.store_url, fix=fix)]
    if isinstance(contents, LLMFlowError):
        return [*checks, _failed("app", contents)]
    return [*checks, *(_of_app(contents, settings, await _in_code(contents, settings)) if contents else ())]


async def _of_server(
    app: App | None, connect: Callable[[], Awaitable[Connection]], attributes: SearchAttributes, *, fix: bool
) -> list[Check]:
    try:
        connection = await connect()
        client = connection.client
        version = await client.server_version()
        address, namespace = client.temporal.service_client.config.target_host, client.temporal.namespace
        ui = f", Web UI at {connection.ui_url}" if connection.ui_url else ""
        server = Check(name="server", ok=True, found=f"Temporal {version} at {address}, namespace {namespace}{ui}")
        workers = await _of_workers(client, app) if app else []
        stuck = await _of_runs(client)
    except LLMFlowError as error:
        return [_failed("server", error)]
    searchable = await _of_attributes(client, attributes, fix=fix)
    return [server, *[one async for one in _of_payloads(client)], searchable, *workers, stuck]


async def _of_payloads(client: Client) -> AsyncIterator[Check]:
    """Check codec and storage by writing and reading a value; `store gc` deletes it from the storage."""
    converter = client.temporal.data_converter
    parts = {"codec": converter.payload_codec, "external storage": converter.external_storage}
    named = " and ".join(name for name, part in parts.items() if part)
    if not named:
        return
    try:
        # 192 KB that compression leaves above the threshold of external storage.
        written = "".join(sha256(bytes([number // 256, number % 256])).hexdigest() for number in range(3_000))
        [read] = await converter.decode(await converter.encode([written]))
        ok, found = read == written, f"a value is read {'as it was written' if read == written else 'as another one'}"
    except Exception as error:  # of any class: a codec may be the user's own code
        ok, found = False, f"{type(error).__name__}: {error}"
    yield Check(name="payloads", ok=ok, found=f"{named}: {found}")


async def _of_runs(client: Client) -> Check:
    """Count runs that cannot go on. They are not a failure of this machine, and may wait for a worker elsewhere."""
    count = len(await stuck_runs(client))
    remedy = Remedy(action="list_stuck") if count else None
    return Check(name="runs", ok=True, found=f"{_count(count, 'run')} cannot go on", remedy=remedy)


async def _of_workers(client: Client, app: App) -> list[Check]:
    """Check that the App's task queue has a worker, and each task queue of its tools."""
    checks: list[Check] = []
    for queue in (app.task_queue, *app.tool_queues):
        is_own = queue == app.task_queue
        count = await client.workers(queue, activities=not is_own)
        remedy = None if count else Remedy(action="start_worker", task_queue=None if is_own else queue)
        found = f"{_count(count, 'worker')} on task queue {queue} in the last 75 s"
        checks.append(Check(name="worker", ok=count > 0, found=found, remedy=remedy, away=not count))
    return checks


async def _of_attributes(client: Client, wanted: SearchAttributes, *, fix: bool) -> Check:
    """Check the search attributes. Missing ones are not a failure, because runs do without them."""
    try:
        added = await add_attributes(client.temporal, wanted) if fix else ()
        known = await known_attributes(client.temporal, wanted)
    except LLMFlowError as error:
        return _failed("search", error)
    missing = [name for field, name in wanted if name and name != getattr(known, field)]
    if missing:
        found = f"runs cannot be found by {', '.join(missing)}: the namespace has no such search attribute"
        return Check(name="search", ok=True, found=found, remedy=Remedy(action="add_attributes"))
    new = f"; new: {', '.join(added)}" if added else ""
    return Check(
        name="search", ok=True, found=f"runs can be found by {', '.join(name for _, name in known if name)}{new}"
    )


async def _of_store(url: str, *, fix: bool) -> Check:
    try:
        database = Database(url)
        if fix:
            await database.upgrade()
        async with database:
            return Check(name="store", ok=True, found=database.name)
    except LLMFlowError as error:
        return _failed("store", error)


async def _in_code(contents: Contents, settings: Settings) -> int:
    """Count the stored prompts of an App that have no file; none if files or store cannot be read, as others say."""
    try:
        async with opened(settings) as store:
            return len(await store.without_file(contents.app.name, contents.prompts()))
    except LLMFlowError:
        return 0


def _of_app(contents: Contents, settings: Settings, in_code: int) -> Iterator[Check]:
    app = contents.app
    serves = ", ".join((_count(len(app.workflows), "workflow"), _count(len(app.tool_specs), "tool")))
    yield Check(name="app", ok=True, found=f"{app.name}: {serves}")
    checks = {
        "tools": lambda: _tools(app),
        "prompts": lambda: _prompts(contents, in_code),
        "models": lambda: _models(contents),
        "prices": lambda: _prices(contents, settings),
    }
    for name, check in checks.items():
        try:
            yield from check()
        except LLMFlowError as error:
            yield _failed(name, error)


def _tools(app: App) -> Iterator[Check]:
    """Check that the App serves the tools that its workflows use. An App that does says so under `app`."""
    for workflow, tool in app.missing_tools:
        found = f"workflow {workflow} uses the tool `{tool}`, which the App does not have"
        yield Check(name="tools", ok=False, found=found, remedy=Remedy(action="add_tool"))


def _prompts(contents: Contents, in_code: int) -> Iterator[Check]:
    """Check that prompts parse, and name tools that exist."""
    app = contents.app
    prompts, tools = contents.prompts(), [spec.name for spec in app.tool_specs]
    strange = [(prompt.ref.name, tool) for prompt in prompts for tool in prompt.tools if tool not in tools]
    for name, tool in strange:
        found = f"{name} names the tool `{tool}`, which the App does not have{did_you_mean(tool, tools)}"
        yield Check(name="prompts", ok=False, found=found, remedy=Remedy(action="add_tool"))
    if not strange:
        found = f"{_count(len(prompts), 'prompt')} in {app.prompts}" if app.prompts else "no files"
        found += f"; {_count(in_code, 'prompt')} without a file in the store" if in_code else ""
        yield Check(name="prompts", ok=True, found=found)


def _models(contents: Contents) -> Iterator[Check]:
    """Check that each model has a candidate that can be asked. Values of keys are never shown."""
    for model in contents.models():
        remedy = None
        if model.missing:
            found = f"{model.name}: {' or '.join(model.missing)} is not set ({model})"
            remedy = Remedy(action="set_key")
        elif model.offline:
            found, remedy = f"{model.name}: {model}, which is not a language model", Remedy(action="name_model")
        else:
            found = f"{model.name}: {model}; {', '.join(model.keys) or 'no key'}"
        key = next(iter(model.missing), None)
        yield Check(name="models", ok=not model.missing, found=found, remedy=remedy, key=key)


def _prices(contents: Contents, settings: Settings) -> Iterator[Check]:
    """Check that a prices.yaml parses, or the worker would not start, and name the models without a sure price."""
    lists = contents.prices()
    if lists is None:
        return
    path = settings.prices or contents.app.prices
    found = ", then ".join(lists.names)
    yield Check(name="prices", ok=True, found=f"{path}: {found}" if path else found)
    models = dict.fromkeys(name for model in contents.models() if not model.offline for name in model.candidates)
    for name in models:
        cost = lists.cost(name)
        doubts = cost.source.partition("; ")[2]
        if cost.usd is None:
            yield Check(name="prices", ok=True, found=f"{name}: {cost.source}")
        elif doubts:
            yield Check(name="prices", ok=True, found=f"{name}: its price is not sure: {doubts}")


def _failed(name: str, error: LLMFlowError) -> Check:
    return Check(name=name, ok=False, found=error.message, remedy=error.detail.remedy, away=isinstance(error, _AWAY))


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
