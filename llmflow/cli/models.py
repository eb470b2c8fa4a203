"""Models that an App's prompts name, and whether one can be asked here."""

import os
from dataclasses import replace

from llmflow.app import App
from llmflow.cli.output import near
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, ModelNotFound
from llmflow.service.diagnosis import Model
from llmflow.types.base import changed
from llmflow.worker.apps import app_model_catalogue, missing_keys, prompts_of


def models_of(app: App, settings: Settings) -> list[Model]:
    """Return every name of models.yaml and of the prompts, sorted.

    Raises:
        ConfigInvalid: no models.yaml, or it does not parse, or a prompt names what it does not have.
        PromptInvalid: a prompt does not parse.
    """
    models = app_model_catalogue(app, settings)
    meant = dict(models.aliases)
    for prompt in prompts_of(app):
        if prompt.model:
            try:
                meant[prompt.model] = models.resolve(prompt.model)
            except ModelNotFound as error:
                raise ConfigInvalid(f"prompt `{prompt.ref.name}`: {error.message}") from None
    missing = missing_keys(replace(models, aliases=meant))
    providers = models.providers
    return [
        Model(
            name,
            candidates=tuple(one.model for one in candidates),
            keys=tuple(dict.fromkeys(key for one in candidates if (key := providers[one.provider].key))),
            missing=missing.get(name, ()),
            offline=any(providers[one.provider].api == "offline" for one in candidates),
        )
        for name, candidates in sorted(meant.items())
    ]


def settings_for_trial(app: App) -> Settings:
    """Return the environment's settings; if no model could be asked, with the offline provider behind every model.

    Raises:
        ConfigInvalid: see `models_of`.
        PromptInvalid: a prompt does not parse.
    """
    settings = Settings.load()
    if settings.models is None:
        models = models_of(app, settings)
        if models and all(model.missing for model in models):
            return changed(settings, models="offline")
    return settings


def how_to_get_a_model(app: App, settings: Settings) -> str:
    """Say in a sentence how to get answers of a language model.

    Raises:
        ConfigInvalid: the App's own models.yaml does not parse.
        PromptInvalid: a prompt does not parse.
    """
    if settings.models is None:
        return f"For a language model, name one in {near(app.models)}."
    own = models_of(app, changed(settings, models=None)) if app.models else []
    keys = dict.fromkeys(key for model in own for key in model.missing)
    steps = [f"set {' or '.join(keys)}"] if keys else []
    if "LLMFLOW_MODELS" in os.environ:  # `demo` and `dev` say offline by themselves
        steps.append("unset LLMFLOW_MODELS")
    return f"For a language model, {' and '.join(steps)}."
