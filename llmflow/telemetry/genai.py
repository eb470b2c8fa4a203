"""Names of OpenTelemetry's conventions for generative AI, profile v1.41, and our own beside them.

The conventions are still in development and moved to a repository of their own after v1.41, which is the set that back
ends read. The names are only here, so that a later profile is one edit.
"""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.0"

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_TOP_P = "gen_ai.request.top_p"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
OUTPUT_TYPE = "gen_ai.output.type"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_ID = "gen_ai.response.id"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
PROMPT_NAME = "gen_ai.prompt.name"
PROMPT_VERSION = "gen_ai.prompt.version"
"""Name of the draft after v1.41, which has no other name for it."""
TOOL_NAME = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
WORKFLOW_NAME = "gen_ai.workflow.name"
ERROR_TYPE = "error.type"
HTTP_STATUS = "http.response.status_code"

# Content: only if it is asked for.
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"
VARIABLES = "llmflow.prompt.variables"

# Ours, where the conventions have no name.
COST_USD = "llmflow.cost.usd"
COST_SOURCE = "llmflow.cost.source"
CALL_ID = "llmflow.call.id"
CALL_ATTEMPT = "llmflow.call.attempt"
PROMPT_LABEL = "llmflow.prompt.label"
PROMPT_ARM = "llmflow.prompt.arm"
TENANT = "llmflow.tenant"
TAGS = "llmflow.tags"

# The names in Temporal's own spans.
WORKFLOW_ID = "temporalWorkflowID"
RUN_ID = "temporalRunID"
