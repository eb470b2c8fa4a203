"""Tables of the store. `migrations/` creates them; a test compares both."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()

_TRILLION = Decimal(10**12)


class Dollars(TypeDecorator[Decimal]):
    """US dollars as whole trillionths, so that both databases add exactly. Prices have at most twelve decimals."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """See base class."""
        return None if value is None else int((value * _TRILLION).to_integral_value())

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """See base class. Any: an int, or the Decimal of PostgreSQL's sum."""
        return None if value is None else Decimal(value) / _TRILLION


class Moment(TypeDecorator[datetime]):
    """Moment in UTC, as whole microseconds since 1970: SQLite has no type for it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """See base class."""
        return None if value is None else round(value.timestamp() * 1_000_000)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """See base class."""
        return None if value is None else datetime.fromtimestamp(value / 1_000_000, UTC)


calls = Table(
    "calls",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("activity_id", String, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("workflow_id", String, nullable=False),
    Column("root_id", String, nullable=False),  # workflow id of the run that began the tree
    Column("workflow_type", String, nullable=False),
    Column("request_hash", String, nullable=False),
    Column("outcome", String, nullable=False),  # answered, refused, lost, cancelled, or the class of an error
    Column("prompt", String, nullable=False),
    Column("version", String, nullable=False),
    Column("label", String),
    Column("arm", String),
    Column("model_asked", String, nullable=False),
    Column("model", String),  # the one that answered
    Column("response_id", String),
    Column("base_url", String),
    Column("repair", Integer, nullable=False),  # number of earlier answers that did not fit the type
    Column("at", Moment, nullable=False),
    Column("day", Date, nullable=False),  # day of `at`, in UTC
    Column("latency_ms", Integer),
    Column("first_token_ms", Integer),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("input_audio_tokens", BigInteger, nullable=False),
    Column("output_audio_tokens", BigInteger, nullable=False),
    Column("cache_write_1h_tokens", BigInteger, nullable=False),
    Column("cache_read_audio_tokens", BigInteger, nullable=False),
    Column("input_image_tokens", BigInteger, nullable=False),
    Column("output_image_tokens", BigInteger, nullable=False),
    Column("input_video_tokens", BigInteger, nullable=False),
    Column("web_searches", BigInteger, nullable=False),
    Column("file_searches", BigInteger, nullable=False),
    Column("unread", JSON, nullable=False),  # counts of the vendor that make the price unknown
    Column("usd", Dollars),  # frozen when the answer came; null: unknown
    Column("low_usd", Dollars),  # without an answer: what the vendor may bill, at least and at most; null: unknown
    Column("high_usd", Dollars),
    Column("price_source", String),
    Column("price_matched", String),
    Column("price_date", Date),
    Column("tier", String),
    Column("region", String),
    Column("repriced_usd", Dollars),  # by repricing; never over the frozen one
    Column("repriced_source", String),
    Column("tenant", String),
    Column("user_id", String),
    Column("item", String),  # label of the fan-out's item
    Column("answer_mode", String),  # how a typed answer was asked for
    Column("input_usd", Dollars),  # parts of `usd`; the rest are fees; null: unknown
    Column("output_usd", Dollars),
    Column("cache_saved_usd", Dollars),  # what the call would have cost more otherwise; null: unknown
    Column("tier_saved_usd", Dollars),
    Column("reused_usd", Dollars),  # cost of a recorded answer that was taken instead of a new one
    Column("fork_of", String),  # workflow id of the run that its root is a fork of
    Column("tags", JSON, nullable=False),
    Index("calls_by_day", "day"),
    Index("calls_by_root", "root_id"),
    Index("calls_by_prompt", "prompt", "version"),
)

answers = Table(
    "answers",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("activity_id", String, primary_key=True),
    Column("request_hash", String, nullable=False),
    Column("result", Text, nullable=False),  # a CompletionResult as JSON
    Column("at", Moment, nullable=False),
    Index("answers_by_age", "at"),
)

prompt_versions = Table(
    "prompt_versions",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("text", Text, nullable=False),  # text of the file
    Column("at", Moment, nullable=False),
    Column("by", String, nullable=False),
)

prompt_labels = Table(
    "prompt_labels",
    metadata,
    Column("name", String, primary_key=True),
    Column("label", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("protected", Boolean, nullable=False),
)

prompt_rollouts = Table(
    "prompt_rollouts",
    metadata,
    Column("name", String, primary_key=True),
    Column("label", String, primary_key=True),
    Column("salt", String, nullable=False),
    Column("unit", String, nullable=False),  # run, user, tenant or item
    Column("arms", JSON, nullable=False),  # [{"arm": "a", "version": "...", "buckets": [[0, 9000]]}], of 10000
)

prompt_moves = Table(
    "prompt_moves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, index=True),
    Column("label", String, nullable=False),
    Column("kind", String, nullable=False),  # label, back, rollout, or protection
    Column("before", String),
    Column("after", String),
    Column("at", Moment, nullable=False),
    Column("by", String, nullable=False),
    Column("why", String),
)

scores = Table(
    "scores",
    metadata,
    Column("root_id", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("by", String, primary_key=True),  # empty: nobody gave a name
    Column("value", Float, nullable=False),
    Column("at", Moment, nullable=False),
    Column("comment", Text),
)

budgets = Table(
    "budgets",
    metadata,
    Column("id", String, primary_key=True),  # of a run: its run id; else such as tenant:acme/day
    Column("scope", String, nullable=False),  # run, tenant, user, tag, app or key
    Column("name", String, nullable=False),
    Column("period", String),  # day or month; null: for good
    Column("since", Date),  # first day of the current period, in UTC
    Column("usd", Dollars, nullable=False),  # the limit
    Column("unpriced", String, nullable=False),  # refuse or allow
    Column("uncertain", String, nullable=False),  # highest or lowest
    Column("spent", Dollars, nullable=False),  # in the current period
    Column("reserved", Dollars, nullable=False),  # by in-flight calls
    Column("closed", Text),  # why it takes no call
    Column("full", String, nullable=False),  # refuse, cheaper or ask: what a call without room does
    Column("warned", Integer, nullable=False),  # percent of the limit that people were warned of
    Column("at", Moment, nullable=False),  # when it was made
    Index("budgets_by_name", "scope", "name"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("activity_id", String, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("budget", String, primary_key=True),
    Column("since", Date),  # the budget's period when the money was reserved
    Column("usd", Dollars, nullable=False),
    Column("assumed", Dollars, nullable=False),  # counts as spent if the cost stays unknown
    Column("bounded", Boolean, nullable=False),  # no bill can be higher, by the price list and the request
    Column("until", Moment, nullable=False),
    Column("settled", Boolean, nullable=False),  # `assumed` counts until the cost is known
    Column("lost", Text, nullable=False),  # the Call to record if nothing ends the attempt, as JSON
    Index("reservations_by_budget", "budget", "settled"),
    Index("reservations_by_end", "settled", "until"),
)

budget_raises = Table(
    "budget_raises",
    metadata,
    Column("id", String, primary_key=True),  # of an approval: run id and address of the activity; else random
    Column("budget", String, nullable=False, index=True),
    Column("usd", Dollars, nullable=False),
    Column("by", String, nullable=False),
    Column("why", Text),
    Column("at", Moment, nullable=False),
)

served_workflows = Table(
    "served_workflows",
    metadata,
    Column("namespace", String, primary_key=True),
    Column("task_queue", String, primary_key=True),
    Column("apps", String, primary_key=True),  # of the worker that serves it, by name; the last start replaces theirs
    Column("workflow_type", String, primary_key=True),  # empty: a dynamic workflow, which serves every type
)

conversation_branches = Table(
    "conversation_branches",
    metadata,
    Column("branch", String, primary_key=True),
    Column("parent", String),  # the branch that it forks; null: it begins a conversation
    Column("parent_position", Integer),  # last position of the parent that belongs to it
    Column("run_id", String, nullable=False),  # the only run that writes it
    Column("at", Moment, nullable=False),
)

conversation_entries = Table(
    "conversation_entries",
    metadata,
    Column("branch", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # said, answers, instructions or cut
    Column("hash", String, nullable=False),  # of the entry and of the hash before it
    Column("entry", Text, nullable=False),  # as JSON
)

conversation_heads = Table(
    "conversation_heads",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("workflow_id", String, nullable=False),
    Column("root_id", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("tenant", String),
    Column("user_id", String),
    Column("at", Moment, nullable=False),
    Index("conversation_heads_by_root", "root_id"),
    Index("conversation_heads_by_workflow", "workflow_id"),
)

contents = Table(
    "contents",
    metadata,
    Column("hash", String, primary_key=True),
    Column("text", Text, nullable=False),  # a tool's result, as the model reads it
    Column("at", Moment, nullable=False),
)

run_events = Table(
    "run_events",
    metadata,
    Column("root_id", String, primary_key=True),  # workflow id of the root run, whose stream it is
    Column("number", BigInteger, primary_key=True),  # in the stream
    Column("id", String, nullable=False),  # the same for an event that is written twice
    Column("is_delta", Boolean, nullable=False),
    Column("event", Text, nullable=False),  # a RunEvent as JSON
    Index("run_events_by_id", "root_id", "id", unique=True),
)

event_streams = Table(
    "event_streams",
    metadata,
    Column("root_id", String, primary_key=True),
    Column("newest", BigInteger, nullable=False),  # number of its newest event
    Column("at", Moment, nullable=False),  # when that was written
    Index("event_streams_by_age", "at"),
)

event_readers = Table(
    "event_readers",
    metadata,
    Column("id", String, primary_key=True),
    Column("root_id", String, nullable=False),
    Column("until", Moment, nullable=False),  # a reader that is gone does not renew it
)
