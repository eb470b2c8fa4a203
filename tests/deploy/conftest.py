"""Fixtures: the files of `deploy/`, as data."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy.files import COMPOSE

Service = dict[str, Any]  # Any: YAML


@pytest.fixture(scope="session")
def services() -> dict[str, Service]:
    """The services of docker-compose.yml, by name, with their aliases resolved."""
    return YAML(typ="safe").load(COMPOSE)["services"]
