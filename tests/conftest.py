"""Fixtures of all tests: one real Temporal server for the session; PostgreSQL and Redis on request."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

from llmflow.testing import server
from tests.helpers.postgres import NoPostgres, Postgres, running_postgres
from tests.helpers.redis import NoRedis, running_redis

_SERVICES = {"TEMPORAL_ADDRESS", "LLMFLOW_STORE", "LLMFLOW_REDIS", "LLMFLOW_CACHE"}
"""Which servers and programs to use: `make test-production` names them."""
_TERMINAL = {
    *("COLUMNS", "LINES", "TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    *("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS"),
}
# All else that steers llmflow, or how a terminal looks, is for tests to say, and not for the shell that they run in.
# pytest-xdist says, too, that its processes are 80 columns wide, and what goes into a pipe is not.
for name in {*os.environ} - _SERVICES:
    if name in _TERMINAL or name.startswith(("LLMFLOW_", "TEMPORAL_", "OPENAI_", "OTEL_")):
        del os.environ[name]

# A shell that runs the tests in the background makes them ignore Ctrl-C, and so would the commands that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Time is no reason to fail here: the machine may be busy.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("busy")


LONGEST = (
    *(
        "test_chaos",
        "test_installed_wheel",
        "test_claims",
        "test_store_away",
        "test_kill",
        "test_heirs",
        "test_cli_dev",
    ),
    *("test_docs_types", "test_forks_of_effects", "test_cli_demos", "test_cli_reload", "test_cli_demo", "test_limits"),
)
"""Files that take the most time, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: a process takes a file at a time, and one would end minutes after the other."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    """Keep the modules and the list of tests out of garbage collections.

    A collection that happens in workflow code counts as workflow code's time, which Temporal limits to 2 s.
    """
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long form of tests that have one: `make soak`")


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Return True if tests should take minutes and repeat by the dozen."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(autouse=True)
def _leaves_no_tracer() -> Iterator[None]:
    """Fail a test that leaves a tracer provider behind: all later tests of its process would be traced."""
    yield
    assert isinstance(get_tracer_provider(), ProxyTracerProvider)


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[str]:
    """The address of a Temporal server that keeps nothing."""
    async with server() as address:
        yield address


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    """A PostgreSQL that keeps nothing: `await postgres.database()` is the URL of a new and empty database."""
    try:
        async with running_postgres() as cluster:
            yield cluster
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
async def redis_url() -> AsyncIterator[str]:
    """The URL of a Redis that keeps nothing, shared by the whole session: use keys of your own."""
    try:
        async with running_redis() as url:
            yield url
    except NoRedis as missing:
        pytest.skip(str(missing))
