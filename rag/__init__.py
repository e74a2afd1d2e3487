"""Question to answer: retrieval, prompt, model, checked citations."""

import os

# Nothing leaves this machine unless a remote model is chosen: no hub look-ups, no tracing service, whatever the shell says.
os.environ.update(
    HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false",
    HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="true",
)  # fmt: skip
