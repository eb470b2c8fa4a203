"""Server options for Temporal's own command line."""

import pytest
from temporalio.client import Client as Temporal

from llmflow.cli.questions import where
from llmflow.client import Client
from llmflow.service.connections import Connection


@pytest.mark.parametrize(
    ("address", "namespace", "told"),
    [
        ("localhost:7233", "default", ()),
        ("127.0.0.1:7233", "shop", ("--namespace", "shop")),
        ("127.0.0.1:7234", "default", ("--address", "127.0.0.1:7234")),
        ("temporal:7233", "shop", ("--address", "temporal:7233", "--namespace", "shop")),
    ],
)
async def test_temporals_own_command_is_told_which_server_is_meant(
    address: str, namespace: str, told: tuple[str, ...]
) -> None:
    temporal = await Temporal.connect(address, namespace=namespace, lazy=True)
    assert where(Connection(Client(temporal), None)) == told
