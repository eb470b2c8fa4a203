"""Options of a Temporal worker: those that its owner gave, and those that Temporal filled in."""

from collections.abc import Mapping
from typing import cast

from temporalio.worker import Worker, WorkerConfig

_DEFAULTS = cast(Mapping[str, object], Worker.__init__.__kwdefaults__)


def is_default(config: WorkerConfig, option: str) -> bool:
    """Return True if the owner of a worker left an option out.

    A plugin gets every option. An equal value that the owner wrote is another object, and a choice.
    """
    return dict(config).get(option, _DEFAULTS[option]) is _DEFAULTS[option]
