"""Remedies in the words of the command line."""

from collections.abc import Mapping
from types import MappingProxyType

from llmflow.errors import LLMFlowError, Remedy
from llmflow.types.texts import command_line

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "start_server": "llmflow dev",
        "start_worker": "llmflow worker{queue}{app}",
        "list_runs": "llmflow list",
        "list_stuck": "llmflow list --stuck",
        "look_at_run": "llmflow status {run}",
        "ask_temporal": "llmflow status {run}",
        "find_bug": "llmflow status {run}",
        "read_ledger": "llmflow cost --run {run}",
        "choose_id": "llmflow status {run}",
        "upgrade_store": "llmflow store upgrade",
        "push_prompts": "llmflow prompts push{app}",
        "keep_text": "llmflow prompts push{app}",
        "pull_prompt": "llmflow prompts pull {prompt}@{label}{app}",
        "read_history": "llmflow prompts history {prompt}",
        "point_label": "llmflow prompts label {prompt} {version} {label}",
        "drop_label": "llmflow prompts label {prompt} none {label}",
        "end_rollout": "llmflow prompts rollout {prompt} {label} --end",
        "keep_arm": "llmflow prompts rollout {prompt} {label} --end --keep ARM",
        "add_attributes": "llmflow doctor --fix",
    }
)
_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "start_server": "`{command}` starts one, and says where it is",
        "start_worker": "start one with `{command}`",
        "list_runs": "`{command}` shows those there are",
        "list_stuck": "`{command}` says why",
        "look_at_run": "`{command}` says how",
        "ask_temporal": "`{command}` asks Temporal for it",
        "find_bug": "`{command}` shows which worker is missing, or how the code fails",
        "read_ledger": "`{command}` knows what it cost",
        "choose_id": "choose another --id, or look at that run: `{command}`",
        "repeat_effects": "--repeat-effects makes the fork call it",
        "say_who": "give one of them with --by",
        "upgrade_store": "run `{command}`",
        "push_prompts": "`{command}` stores those of an App",
        "keep_text": "store it with `{command}`, or give it up with --force",
        "point_label": "type `{command}`, if you mean that version",
        "end_rollout": "`{command}` ends it",
        "force": "add --force, and say with --why what for",
    }
)


def command(remedy: Remedy, app: str = "") -> str | None:
    """Return the command line of a remedy; `None` if no command does it.

    Args:
        remedy: Remedy with the names that the command takes.
        app: Option that names the App, such as ` --app mine.app:app`, if it has to be named.
    """
    template = _COMMANDS.get(remedy.action)
    quoted = {name: value if value is None else command_line(str(value)) for name, value in remedy}
    queue = f" --task-queue {quoted['task_queue']}" if remedy.task_queue else ""
    return template.format(**quoted, app=app, queue=queue) if template else None


def hint(remedy: Remedy | None) -> str:
    """Return a remedy as the end of a sentence, after a colon; empty without one."""
    if remedy is None or remedy.action not in _SENTENCES:
        return ""
    return ": " + _SENTENCES[remedy.action].format(command=command(remedy))


def said(error: LLMFlowError) -> str:
    """Return the message of an error, and the command to type."""
    return error.message + hint(error.detail.remedy)
