"""A test fails where a worker would refuse to start."""

from pathlib import Path

import pytest

from llmflow.app import App
from llmflow.errors import ConfigInvalid
from llmflow.testing import ScriptedProvider, environment


async def test_a_prompt_whose_model_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / "ask.prompt").write_text("---\nmodel: fsat\n---\nuser:\nhi\n")
    models = tmp_path / "models.yaml"
    models.write_text("providers:\n  offline: {api: offline}\nmodels:\n  fast: offline:extractive\n")
    app = App(name="ask", workflows=[], prompts=tmp_path, models=models)

    with pytest.raises(ConfigInvalid, match=r"prompt `ask/ask`: .*'fsat'.*`fast`"):
        async with environment(app, ScriptedProvider([]), address="127.0.0.1:1"):
            pass
