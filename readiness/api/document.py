"""The OpenAPI document: what ninja reads from the code, with the type under which problems are sent."""

import json
from typing import Any

from ninja import NinjaAPI

from .problems import PROBLEM_JSON


def document(api: NinjaAPI) -> dict[str, Any]:
    """Return the document as JSON."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1")))
    for operations in found["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {PROBLEM_JSON: answer["content"]["application/json"]}
    return found
