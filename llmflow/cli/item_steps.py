"""Steps of a fan-out's items, collapsed to what fits a screen."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from llmflow.types.steps import StepRecord
from llmflow.types.usage import Totals

_ITEM = re.compile(r"\[(?P<index>[0-9]+)\]")
_ITEMS = 3
"""Items whose steps are shown one by one."""
_FAILED = 10
"""Failed steps that are shown beside the count of all."""


def collapsed(above: str, steps: Sequence[StepRecord], known: Mapping[str, StepRecord]) -> Iterator[StepRecord]:
    """Replace the equal steps of many items, such as `check[3]/ask`, by one that counts them, `check[*]/ask`.

    The failed ones follow the others, without those whose failure the step of the fan-out lists itself.

    Args:
        above: Address of the step around them; empty outside of steps.
        steps: Steps inside it, the latest first.
        known: All steps of the run by address.
    """
    alike: dict[str, list[StepRecord]] = defaultdict(list)
    for step in steps:
        alike[above + _ITEM.sub("[*]", step.path.removeprefix(above), count=1)].append(step)
    for path, group in alike.items():
        if len(group) <= _ITEMS:
            yield from group
            continue
        source = known.get(path.partition("[*]")[0])
        told = [one.index for one in source.failures] if source else []
        failed = [one for one in group if one.status == "failed" and _index(above, one) not in told]
        yield from failed[-_FAILED:]
        yield _together(path, group)


def _index(above: str, step: StepRecord) -> int | None:
    found = _ITEM.search(step.path, len(above))
    return int(found["index"]) if found else None


def _together(path: str, steps: Sequence[StepRecord]) -> StepRecord:
    ended = [step.ended_at for step in steps if step.ended_at]
    failed = sum(step.status == "failed" for step in steps)
    is_open = len(ended) < len(steps)
    return StepRecord(
        path=path,
        status="running" if is_open else "failed" if failed else "completed",
        started_at=min(step.started_at for step in steps),
        ended_at=None if is_open else max(ended),
        done=len(ended),
        total=len(steps),
        failed=failed,
        usage=sum((step.usage for step in steps), Totals()),
    )
