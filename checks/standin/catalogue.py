"""The model ids that Bastion's pages name, by endpoint. Only endpoints that the stand-in serves are here."""

RESPONSES_MODELS = (
    "gpt-oss-120b",
    "gpt-oss-20b",
    "Llama-3.1-8B-Instruct",
    "Meta-Llama-3_3-70B-Instruct",
    "Qwen3-32B",
    "Mistral-Small-3.2-24B-Instruct-2506",
    "Mistral-Nemo-Instruct-2407",
    "Qwen3-Coder-30B-A3B-Instruct",
    "Qwen2.5-VL-72B-Instruct",
)
"""The nine of ``/api-reference/responses``."""

CHAT_MODELS = (*RESPONSES_MODELS, "Mistral-7B-Instruct-v0.3", "Qwen3Guard-Gen-8B", "Qwen3Guard-Gen-0.6B")
"""The twelve of ``/api-reference/chat-completions``; ``/api-reference/completions`` names the same."""

EMBEDDING_MODELS = ("Qwen3-Embedding-8B", "bge-m3", "bge-multilingual-gemma2")
"""The three of ``/api-reference/embeddings``."""

ALL_MODELS = CHAT_MODELS + EMBEDDING_MODELS
