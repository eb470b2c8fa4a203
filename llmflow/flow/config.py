"""The App's constants in workflow code."""

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypeForm

from llmflow.errors import ConfigInvalid
from llmflow.flow.execute import execute_local
from llmflow.flow.run import current
from llmflow.types.constants import ConstantsRequest, PinnedConstants
from llmflow.types.contracts import CONFIG
from llmflow.types.problems import described

C = TypeVar("C")


async def config(type: TypeForm[C]) -> C:
    """Return the `config` of the run's App: `limits = await flow.config(Limits)`.

    A run pins it at its first use, for itself, for the runs that continue it, and for its children of the same App. A
    deploy with other constants changes new runs alone.

    Args:
        type: Type of the constants: a pydantic model, a dataclass, a TypedDict, `dict[str, int]`.

    Raises:
        ConfigInvalid: the run's workflow is in no App of this worker.
        ValueError: the constants do not fit the type. As every bug, it blocks the run until a fixed worker is deployed.
    """
    run = current()
    if run.app is None:
        raise ConfigInvalid(
            f"workflow {run.workflow_type!r} is in no App, so it has no config: add it to App(workflows=[...])"
        )
    if (pinned := run.constants.find(run.app)) is None:
        async with run.constants.resolving:
            if (pinned := run.constants.find(run.app)) is None:
                request = ConstantsRequest(app=run.app, fork=run.forks.fork)
                pinned = run.constants.keep(await execute_local(CONFIG, request))
    return _checked(pinned, type)


def _checked(pinned: PinnedConstants, type: TypeForm[C]) -> C:
    try:
        return TypeAdapter[C](type).validate_json(to_json(pinned.values))
    except ValidationError as error:
        raise ValueError(f"config of App {pinned.app!r} does not fit {error.title}: {described(error)}") from None
