"""The workflow code that a run executes."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Code:
    """A workflow class with its input: the run's own; in a batch, those of the run that fans out."""

    method: Callable[..., object]
    """The class's `run`."""
    make: Callable[[Sequence[Any]], object]  # Any: the user's own types
    """Makes an object of the class from the input, like Temporal at the start of a run."""
    arguments: Sequence[Any]  # Any: as above
    """The input, which user code may have changed."""

    def copied(self) -> "Code":
        """Return this code with a private copy of the input."""
        return Code(method=self.method, make=self.make, arguments=copy.deepcopy(self.arguments))

    def fresh(self) -> object:
        """Make a new object of the class, in its state after `__init__`."""
        return self.make(copy.deepcopy(self.arguments))
