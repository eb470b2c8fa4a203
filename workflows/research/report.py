"""The report as Markdown, and the name of its file."""

import hashlib
import re

from workflows.research.schemas import Question, Report, Source


def to_markdown(question: Question, report: Report, sources: list[Source]) -> str:
    """Render a page with numbered citations; `sources` are those that the report cites."""
    numbers = {source.id: number for number, source in enumerate(sources, start=1)}
    lines = [f"# {report.title}", "", f"> {question.text}", "", report.summary, ""]
    for section in report.sections:
        marks = "".join(f"[{numbers[source]}]" for source in dict.fromkeys(section.sources))
        lines += [f"## {section.heading}", "", f"{section.text} {marks}", ""]
    lines += ["## Sources", ""]
    lines += [f"{numbers[source.id]}. {source.title} ({source.path}:{source.line})" for source in sources]
    return "\n".join(lines) + "\n"


def file_name(run: str) -> str:
    """Return the file of a run's report. An id that is not a safe name is shortened, and gets a hash."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", run)[:80]
    return f"{run if run == safe else f'{safe}-{hashlib.sha256(run.encode()).hexdigest()[:12]}'}.md"
