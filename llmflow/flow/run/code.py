"""The workflow code that a run executes."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Code:
    """A workflow class with its input: the run's own, or in a batch that of the run that fans out."""

    method: Callable[..., object]
    """The class's `run`."""
    make: Callable[[Sequence[Any]], object]  # Any: the user's own types
    """Makes an object of the class as Temporal does at the start of a run; takes the input."""
    arguments: Sequence[Any]  # Any: as above
    """The input, as code of the user was given it: it may have changed it."""

    def copied(self) -> "Code":
        """The same with a copy of the input, which no code of the user sees."""
        return Code(method=self.method, make=self.make, arguments=copy.deepcopy(self.arguments))

    def fresh(self) -> object:
        """A new object of the class, with what `__init__` sets."""
        return self.make(copy.deepcopy(self.arguments))
