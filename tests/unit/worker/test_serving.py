"""Serving changes its process, and restores it."""

import gc

import pytest

from llmflow.worker.serving import few_collections


@pytest.mark.parametrize(("before", "meanwhile"), [(700, 2_000), (50_000, 50_000)])
def test_the_collector_runs_less_often_and_as_before_when_serving_ends(before: int, meanwhile: int) -> None:
    found = gc.get_threshold()
    gc.set_threshold(before, 11, 12)
    try:
        with few_collections():
            assert gc.get_threshold() == (meanwhile, 11, 12)
            assert gc.get_freeze_count()
        assert gc.get_threshold() == (before, 11, 12)
        assert not gc.get_freeze_count()
    finally:
        gc.set_threshold(*found)
