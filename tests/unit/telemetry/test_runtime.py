"""Temporal's runtime of a process."""

import pytest

from llmflow.errors import ConfigInvalid
from llmflow.telemetry.runtime import process_runtime


def test_a_port_that_is_taken(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    _first = process_runtime(address)
    with pytest.raises(ConfigInvalid, match="choose another address"):
        process_runtime(address)


def test_an_address_without_a_port() -> None:
    with pytest.raises(ConfigInvalid, match="localhost"):
        process_runtime("localhost")
