"""The place of a bug, out of stack traces as workers record them."""

import pytest

from llmflow import flow
from llmflow.history.places import users_place

PACKAGED = '  File "/venv/lib/python3.12/site-packages/temporalio/worker/instance.py", line 9, in run_workflow\n'
USERS = '  File "/srv/claims.py", line 12, in run\n    await settle(claim)\n'
DEEPER = '  File "/srv/money.py", line 3, in settle\n    return limits[claim]\n'
OURS = f'  File "{flow.__file__}", line 7, in fan_out\n'


@pytest.mark.parametrize(
    ("trace", "place"),
    [
        ("", None),
        (PACKAGED, None),
        (PACKAGED + USERS, "/srv/claims.py:12 in run"),
        (PACKAGED + USERS + DEEPER, "/srv/money.py:3 in settle"),
        (PACKAGED + USERS + OURS + PACKAGED, "/srv/claims.py:12 in run"),
        ('  File "C:\\app\\claims.py", line 1, in <module>\n', "C:\\app\\claims.py:1 in <module>"),
        ('  File "<frozen importlib._bootstrap>", line 1, in load\n', None),
    ],
)
def test_it_is_the_last_frame_of_the_user(trace: str, place: str | None) -> None:
    assert users_place(trace) == place
