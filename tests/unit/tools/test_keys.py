"""The idempotency key of a call."""

import pytest

from llmflow.errors import ConfigInvalid
from llmflow.tools import idempotency_key


def test_without_an_activity_there_is_none() -> None:
    with pytest.raises(ConfigInvalid, match="works only in tools and activities on an llmflow worker"):
        idempotency_key()
