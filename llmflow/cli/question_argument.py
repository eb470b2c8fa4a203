"""Argument that names a question."""

from typing import Annotated

import typer

ApprovalName = Annotated[
    str | None,
    typer.Argument(metavar="APPROVAL", help="Which question, if the run has several: publish, or publish#2"),
]
