"""Write `exports.txt`, `required_fields.txt` and `docs/reference.md` anew: `python -m tests.architecture.pin`.

The diff is what to look at. A field that became required is not pinned by this: it needs a default.
"""

from . import test_exports, test_reference, test_wire
from .reference import reference
from .source import sources


def main() -> None:
    exports = sorted(set(test_exports.surface(sources("llmflow"))))
    test_exports.PINNED.write_text("".join(f"{name}\n" for name in exports))
    test_reference.PAGE.write_text(reference(exports, sources("llmflow")))

    founding = test_wire.read(test_wire.PINNED.read_text()) if test_wire.PINNED.exists() else {}
    now = {model.__name__: test_wire.required(model) for model in test_wire.wire_models()}
    fields = {model: now[model] & founding.get(model, now[model]) for model in sorted(now)}
    test_wire.PINNED.write_text("".join(f"{' '.join([f'{model}:', *sorted(fields[model])])}\n" for model in fields))


if __name__ == "__main__":
    main()
