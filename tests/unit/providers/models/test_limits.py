"""Limits in models.yaml, and the providers that come of them."""

from pathlib import Path
from textwrap import dedent

import pytest

from llmflow.errors import AuthenticationFailed, ConfigInvalid, ErrorDetail, RateLimited
from llmflow.providers.answer_modes import AnswerModes
from llmflow.providers.breaker import Breaker
from llmflow.providers.connect import connect_providers
from llmflow.providers.limits.limited import Limited
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.providers.models.limits import Limit, Limits
from llmflow.providers.patience import Patient
from llmflow.providers.wrappers import wrap_providers
from llmflow.testing import ScriptedProvider
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas

GOOD = """
    providers:
      local:
        api: chat
        base_url: "http://x"
        limits: {requests: 500/minute, tokens: [200000/minute, 1000000 / 2 days]}
      gateway: {api: chat, base_url: "http://y"}
      other: {api: chat, base_url: "http://z"}
      offline: {api: offline}
    limits:
      "gateway:large": {requests: 20/10 seconds}
"""
TENANTS = """
    tenants:
      "*": {requests: 1/second}
      acme corp: {tokens: 5/hour}
"""


def load(tmp_path: Path, text: str) -> ModelCatalogue:
    path = tmp_path / "models.yaml"
    path.write_text(dedent(text).strip() + "\n")
    return load_model_catalogue(path)


def test_limits(tmp_path: Path) -> None:
    models = load(tmp_path, GOOD + TENANTS)
    assert models.providers["local"].limits == Limits(
        requests=(Limit(amount=500, seconds=60),),
        tokens=(Limit(amount=200_000, seconds=60), Limit(amount=1_000_000, seconds=172_800)),
    )
    assert not models.providers["gateway"].limits
    assert models.limits == {"gateway:large": Limits(requests=(Limit(amount=20, seconds=10),))}
    assert models.tenants == {
        "*": Limits(requests=(Limit(amount=1, seconds=1),)),
        "acme corp": Limits(tokens=(Limit(amount=5, seconds=3600),)),
    }


def test_only_what_has_limits_is_counted(tmp_path: Path) -> None:
    """A model without limits costs nothing; a breaker costs next to nothing, and every vendor has one."""
    providers = {name: ScriptedProvider([]) for name in ("local", "gateway", "other", "offline")}

    def behind(models: ModelCatalogue) -> dict[str, object]:
        guarded = wrap_providers(providers, models)
        inner = {name: vars(one)["_provider"] for name, one in guarded.items() if isinstance(one, Patient)}
        return {name: type(vars(one)["_provider"]) for name, one in inner.items() if isinstance(one, Breaker)}

    some = {"local": Limited, "gateway": Limited, "other": AnswerModes}
    assert behind(load(tmp_path, GOOD)) == some
    assert behind(load(tmp_path, GOOD + TENANTS)) == {**some, "other": Limited}
    assert behind(ModelCatalogue.only("offline")) == dict.fromkeys(("local", "gateway", "other"), ScriptedProvider)


async def test_a_provider_without_a_key_uses_up_no_limit(tmp_path: Path) -> None:
    """It is refused in any case, and the next candidate needs the room."""
    text = """
        providers:
          keyless: {api: chat, base_url: "http://x", key: NO_SUCH_KEY}
          local: {api: chat, base_url: "http://y"}
        tenants: {"*": {requests: 1/hour}}
    """
    models = load(tmp_path, text)
    providers = {**connect_providers(models, {}), "local": ScriptedProvider(["yes"])}
    guarded = wrap_providers(providers, models)
    request = ModelRequest(model="a", messages=(), tenant="acme")
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await guarded["keyless"].complete(request, NoDeltas())
    assert (await guarded["local"].complete(request, NoDeltas())).text == "yes"


def test_redis_is_needed_only_for_limits(tmp_path: Path) -> None:
    assert wrap_providers({"local": ScriptedProvider([])}, ModelCatalogue.only("local"), "nonsense")
    with pytest.raises(ConfigInvalid, match="LLMFLOW_REDIS"):
        wrap_providers({"local": ScriptedProvider([])}, load(tmp_path, GOOD), "nonsense")


PROVIDER = "providers: {x: {api: chat, base_url: 'http://x'}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "providers: {x: {api: chat, base_url: 'http://x', limits: 5}}",
            "1:58: a set of limits must be a mapping, not 5",
        ),
        (
            PROVIDER + "limits: {'x:a': {request: 5/minute}}",
            "2:18: a set of limits has no field 'request' (did you mean",
        ),
        (PROVIDER + "limits: {'x:a': {requests: 5}}", "2:28: a limit of requests must be text, not 5"),
        (PROVIDER + "limits: {'x:a': {requests: 5 a minute}}", "2:28: a limit of requests is written like 500/minute"),
        (PROVIDER + "limits: {'x:a': {tokens: 0/minute}}", "2:26: a limit of tokens is written like 500/minute, or 20"),
        (PROVIDER + "limits: {'x:a': {tokens: 5/0 minutes}}", "2:26: a limit of tokens is written like 500/minute"),
        (PROVIDER + "limits: {'x:a': {tokens: 1/minite}}", "2:26: '1/minite': there is no unit of time 'minite' (did"),
        (
            PROVIDER + "limits: {'x:a': {tokens: [1/hour, 1/month]}}",
            "2:35: '1/month': there is no unit of time 'month'",
        ),
        (PROVIDER + "limits: {'y:a': {tokens: 1/hour}}", "2:17: model 'y:a': there is no provider 'y'. There is: x"),
        (PROVIDER + "limits: {smart: {tokens: 1/hour}}", "2:17: model 'smart': there is no provider 'smart'"),
        (PROVIDER + "tenants: [acme]", "2:10: `tenants` must be a mapping, not a list"),
        (PROVIDER + "tennants: {}", "2:1: models.yaml has no field 'tennants' (did you mean `tenants`?)"),
    ],
)
def test_mistakes_have_a_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load_model_catalogue(path)
    assert str(caught.value).startswith(f"{path}:{said}")


async def test_a_wait_above_the_limit_of_its_provider_ends_the_call(tmp_path: Path) -> None:
    models = load(tmp_path, "providers: {local: {api: chat, base_url: 'http://x/v1', longest_wait: 2.5}}")
    asked = [RateLimited("slow", ErrorDetail(retry_after=seconds, status=429)) for seconds in (2.5, 3)]
    guarded = wrap_providers({"local": ScriptedProvider(asked)}, models)["local"]
    for retry in (None, False):
        with pytest.raises(RateLimited) as caught:
            await guarded.complete(ModelRequest(model="m", messages=()), NoDeltas())
        assert caught.value.detail.retry is retry


@pytest.mark.parametrize("wait", ["-1", "soon", "true"])
def test_a_wait_is_a_number_of_seconds(tmp_path: Path, wait: str) -> None:
    with pytest.raises(ConfigInvalid, match="`longest_wait` must be a number of seconds"):
        load(tmp_path, f"providers: {{local: {{api: chat, base_url: 'http://x/v1', longest_wait: {wait}}}}}")
