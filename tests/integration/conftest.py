"""Environments for the workflows in `hello/`."""

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from llmflow.testing import Environment, environment
from llmflow.types.providers import Provider
from tests.integration.hello.app import app

Hello = Callable[[Provider], AbstractAsyncContextManager[Environment]]


@pytest.fixture
def hello(temporal: str) -> Hello:
    """Serve the App of the tests with a provider behind every model: `async with hello(provider) as env`."""
    # `make test-production` has a PostgreSQL for it.
    return lambda provider: environment(app, provider, address=temporal, store=os.environ.get("LLMFLOW_STORE"))
