"""What one run asks people, and what they say."""

from temporalio import workflow

from llmflow.types.approvals import ApprovalReport
from llmflow.types.contracts import APPROVALS


class Approvals:
    """Questions and decisions of one run."""

    def install(self) -> None:
        """Take decisions, and answer what is asked, in every workflow."""
        workflow.set_query_handler(APPROVALS.name, self.report)

    def report(self) -> ApprovalReport:
        """All questions so far."""
        return ApprovalReport()
