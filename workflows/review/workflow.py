"""The review: write, judge and improve an article; then two reviewers approve it, or say what it lacks."""

import re
from collections.abc import Sequence

from temporalio import workflow

from llmflow import flow
from llmflow.flow.patterns import OutputGuard, Reask, evaluate, guarded
from workflows.review.schemas import Article, Notes, Reviewed, Verdict
from workflows.review.tools import publish

GOOD_ENOUGH = 8
ASKED = 3
"""Maximum number of times that reviewers see an article."""


@workflow.defn
class Review:
    """Publishes an article that a judge finds good and two reviewers approve."""

    def __init__(self) -> None:
        self.wishes: list[str] = []

    @workflow.run
    async def run(self, notes: Notes) -> Reviewed:
        """Run the review. A comment on a rejected article is a request, which the next article must meet."""
        write = guarded(self.write, after=[invents_no_number(notes.text)])
        improve = evaluate(write, self.judge, until=GOOD_ENOUGH, max_rounds=3)
        while True:
            async with flow.step("draft"):
                draft = await improve(notes)
            decision = await flow.approval(
                "publish",
                draft.value,
                timeout=notes.answer_within,
                approvers=notes.reviewers,
                quorum=2,
                details=f"Publish “{draft.value.title}”? The judge gives it {draft.judgement.score} of 10.",
            )
            if decision.approved or not decision.comment or len(self.wishes) == ASKED - 1:
                break
            self.wishes.append(decision.comment)
        decision.require()
        async with flow.step("publish"):
            publication = await flow.call_tool(publish, draft.value)
        return Reviewed(
            article=draft.value,
            publication=publication,
            score=draft.judgement.score,
            approved_by=[vote.by for vote in decision.votes],
            wishes=self.wishes,
        )

    async def write(self, notes: Notes, *, messages: Sequence[flow.Message] = ()) -> Article:
        """Write an article. `messages` has the last one, with the remarks of the judge or the guard."""
        asked = {"notes": notes.text, "brief": notes.brief, "wishes": self.wishes}
        return (await flow.complete("review/write", asked, output=Article, messages=messages)).output

    async def judge(self, notes: Notes, article: Article) -> Verdict:
        """Score an article, and name what it lacks."""
        asked = {"article": article, "brief": notes.brief, "wishes": self.wishes}
        return (await flow.complete("review/judge", asked, output=Verdict)).output


def invents_no_number(notes: str) -> OutputGuard[Article]:
    """Check, as a guard, that every number of the article is in the notes: models add them up, and get them wrong."""
    known = re.findall(r"\d+", notes)

    def invents_no_number(article: Article) -> Reask | None:
        invented = [number for number in re.findall(r"\d+", article.text) if number not in known]
        return Reask(f"The notes do not have these numbers: {', '.join(invented)}.") if invented else None

    return invents_no_number
