"""What the stand-in answers on a real socket, equal to the byte where Bastion's pages say it."""

import json
import re
from datetime import UTC, datetime

import httpx
import pytest

from checks.standin.catalogue import ALL_MODELS, CHAT_MODELS, RESPONSES_MODELS
from checks.standin.server import StandInServer
from checks.standin.settings import StandInSettings
from checks.standin.state import StandInState

KEY = "qbt_canary_accepted_0001"
OTHER_KEY = "qbt_canary_accepted_0002"
NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
CHAT = {"model": "gpt-oss-120b", "messages": [{"role": "user", "content": "Reply with exactly: ok"}]}
BAD_KEY = {"error": {"message": "Invalid API key", "type": "invalid_request_error", "code": "invalid_api_key"}}


@pytest.fixture(scope="module")
def server():
    with StandInServer(state=StandInState(now=lambda: NOW)) as server:
        yield server


@pytest.fixture(autouse=True)
def standin(server):
    server.state.reset(StandInSettings(accepted_keys=frozenset({KEY, OTHER_KEY}), reply="All is well."))
    return server


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
        yield client


def data_of(text: str) -> list:
    assert text.endswith("\n\n")
    events = text.removesuffix("\n\n").split("\n\n")
    assert all(event.startswith("data: ") and "\n" not in event for event in events)
    return [one if one == "[DONE]" else json.loads(one) for one in (event.removeprefix("data: ") for event in events)]


# --- models and completions -------------------------------------------------------------------------------------------
def test_the_models_of_the_account_are_listed_in_the_documented_shape(standin, client):
    answer = client.get("/models")
    assert (answer.status_code, answer.json()) == (
        200,
        {"object": "list", "data": [{"id": name, "object": "model"} for name in ALL_MODELS]},
    )
    standin.state.change(models=("bge-m3",))
    assert client.get("/models").json() == {"object": "list", "data": [{"id": "bge-m3", "object": "model"}]}


def test_there_are_twelve_chat_models_and_nine_for_responses():
    assert (len(set(CHAT_MODELS)), len(set(RESPONSES_MODELS)), len(set(ALL_MODELS))) == (12, 9, 15)


def test_no_header_is_sent_that_is_not_http_itself(client):
    assert set(client.get("/models").headers) == {"date", "content-type", "content-length"}
    assert set(client.post("/chat/completions", json=CHAT | {"stream": True}).headers) == {
        "date",
        "content-type",
        "transfer-encoding",
    }


def test_a_chat_completion_has_the_documented_shape(client):
    answer = client.post("/chat/completions", json=CHAT | {"max_tokens": 16, "a_field_nobody_knows": [1]})
    body = answer.json()
    assert re.fullmatch(r"chatcmpl-[0-9a-f]{24}", body.pop("id"))
    assert (answer.status_code, body) == (
        200,
        {
            "object": "chat.completion",
            "created": int(NOW.timestamp()),
            "model": "gpt-oss-120b",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "All is well."}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7},
        },
    )


def test_max_tokens_cuts_the_reply_and_says_so(client):
    choice = client.post("/chat/completions", json=CHAT | {"max_tokens": 2}).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("All is", "length")


def test_a_chat_stream_is_data_lines_with_done_at_the_end(client):
    answer = client.post("/chat/completions", json=CHAT | {"stream": True})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    *chunks, done = data_of(answer.text)
    assert done == "[DONE]"
    assert len({chunk.pop("id") for chunk in chunks}) == 1
    head = {"object": "chat.completion.chunk", "created": int(NOW.timestamp()), "model": "gpt-oss-120b"}
    assert chunks == [
        *(
            head | {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            for piece in ("All", " is", " well.")
        ),
        head
        | {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7},
        },
    ]


def test_a_provider_that_gives_no_usage_in_its_streams_can_be_played(standin, client):
    standin.state.change(stream_usage=False)
    *chunks, _done = data_of(client.post("/chat/completions", json=CHAT | {"stream": True}).text)
    assert [sorted(chunk) for chunk in chunks] == [["choices", "created", "id", "model", "object"]] * 4


def test_a_text_completion_answers_each_prompt_plain_and_streamed(client):
    asked = {"model": "Qwen3-32B", "prompt": ["One", "Two"]}
    choices = client.post("/completions", json=asked).json()["choices"]
    assert choices == [{"index": index, "text": "All is well.", "finish_reason": "stop"} for index in (0, 1)]
    *chunks, done = data_of(client.post("/completions", json=asked | {"stream": True}).text)
    texts = ["", ""]
    for chunk in chunks:
        texts[chunk["choices"][0]["index"]] += chunk["choices"][0]["text"]
    assert (texts, done) == (["All is well."] * 2, "[DONE]")


def test_embeddings_have_the_documented_shape_and_the_size_asked_for(client):
    body = client.post("/embeddings", json={"model": "bge-m3", "input": ["a b", "c"], "dimensions": 3}).json()
    assert [len(one.pop("embedding")) for one in body["data"]] == [3, 3]
    assert body == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0}, {"object": "embedding", "index": 1}],
        "model": "bge-m3",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    assert (
        len(client.post("/embeddings", json={"model": "bge-m3", "input": "a"}).json()["data"][0]["embedding"]) == 1024
    )


# --- responses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("store", [{}, {"store": True}, {"store": None}, {"store": 0}])
def test_a_response_without_store_false_is_an_upstream_error(client, store):
    answer = client.post("/responses", json={"model": "gpt-oss-20b", "input": "Hello"} | store)
    assert (answer.status_code, answer.json()) == (
        502,
        {"error": {"message": "Upstream error", "type": "api_error", "code": "upstream_error"}},
    )


@pytest.mark.parametrize("model", sorted(set(CHAT_MODELS) - set(RESPONSES_MODELS)))
def test_three_chat_models_are_not_found_for_responses(client, model):
    answer = client.post("/responses", json={"model": model, "input": "Hello", "store": False})
    assert answer.json() == {
        "error": {"message": "Model not found", "type": "invalid_request_error", "code": "model_not_found"}
    }


def test_a_response_stream_names_and_numbers_its_events_and_ends_without_done(client):
    asked = {"model": "gpt-oss-20b", "input": "Hello", "store": False, "stream": True}
    pairs = [
        event.split("\n") for event in client.post("/responses", json=asked).text.removesuffix("\n\n").split("\n\n")
    ]
    names = [name.removeprefix("event: ") for name, _data in pairs]
    values = [json.loads(data.removeprefix("data: ")) for _name, data in pairs]
    assert [value["type"] for value in values] == names
    assert [value["sequence_number"] for value in values] == list(range(len(values)))
    assert names == [
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 3,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


# --- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "header",
    [None, "Bearer qbt_never_issued", "Bearer qbt_revoked", "Bearer", "", f"Basic {KEY}", KEY],
    ids=["missing", "unknown", "revoked", "no key", "nothing", "other scheme", "no scheme"],
)
def test_a_missing_an_invalid_and_a_revoked_key_get_one_body(standin, header):
    standin.state.accept("qbt_revoked")
    standin.state.revoke("qbt_revoked")
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(f"{standin.url}/models", headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()) == (401, BAD_KEY)


def test_two_authorization_headers_are_no_key(standin):
    headers = [("Authorization", f"Bearer {KEY}"), ("Authorization", "Bearer qbt_other")]
    assert httpx.get(f"{standin.url}/models", headers=headers, trust_env=False).json() == BAD_KEY


def test_a_key_is_revoked_and_let_in_again_while_serving(standin, client):
    seen = [client.get("/models").status_code]
    standin.state.revoke(KEY)
    seen.append(client.get("/models").status_code)
    standin.state.accept(KEY)
    seen.append(client.get("/models").status_code)
    assert seen == [200, 401, 200]


def test_a_key_without_balance_is_refused_work_but_lists_models_unless_told_otherwise(standin, client):
    standin.state.empty_balance(KEY)
    answer = client.post("/chat/completions", json=CHAT)
    assert (answer.status_code, answer.json()) == (
        402,
        {"error": {"message": "Insufficient funds", "type": "insufficient_quota", "code": "insufficient_funds"}},
    )
    seen = [client.get("/models").status_code]
    standin.state.change(models_need_balance=True)
    seen.append(client.get("/models").status_code)
    standin.state.accept(KEY)
    seen.append(client.post("/chat/completions", json=CHAT).status_code)
    assert seen == [200, 402, 200]


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_model_is_400_or_404_with_one_code(standin, client, status):
    standin.state.change(unknown_model_status=status)
    answer = client.post("/chat/completions", json=CHAT | {"model": "gpt-4o"})
    assert (answer.status_code, answer.json()) == (
        status,
        {"error": {"message": "Model not found", "type": "invalid_request_error", "code": "model_not_found"}},
    )


def test_a_model_that_the_account_may_not_call_is_not_found(standin, client):
    standin.state.change(models=("gpt-oss-20b",))
    assert client.post("/chat/completions", json=CHAT).json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("/chat/completions", b"", "The request body is not JSON"),
        ("/chat/completions", b"\xff\xfe", "The request body is not JSON"),
        ("/chat/completions", b"[" * 100_000, "The request body is not JSON"),
        ("/chat/completions", b"[]", "The request body is not a JSON object"),
        ("/chat/completions", b"{}", "model is required"),
        ("/chat/completions", b'{"model": "gpt-oss-20b"}', "messages is required"),
        ("/chat/completions", b'{"model": "gpt-oss-20b", "messages": []}', "messages is required"),
        (
            "/chat/completions",
            b'{"model": "gpt-oss-20b", "messages": [1]}',
            "each of messages is an object with a role",
        ),
        (
            "/chat/completions",
            b'{"model": "gpt-oss-20b", "messages": [{"role": "user"}], "stream": "yes"}',
            "stream is not a boolean",
        ),
        ("/completions", b'{"model": "gpt-oss-20b"}', "prompt is required: a string or a list of strings"),
        ("/responses", b'{"model": "gpt-oss-20b", "store": false}', "input is required: a string or a list of items"),
        ("/embeddings", b'{"model": "bge-m3", "input": [1]}', "input is required: a string or a list of strings"),
        ("/embeddings", b'{"model": "bge-m3", "input": "a", "dimensions": 5000}', "dimensions is more than 4096"),
    ],
)
def test_what_does_not_validate_is_an_invalid_request(client, path, content, message):
    answer = client.post(path, content=content)
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": {"message": message, "type": "invalid_request_error", "code": "invalid_request"}},
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/models/gpt-oss-20b"),
        ("POST", "/models"),
        ("GET", "/chat/completions"),
        ("GET", "/usage"),
        ("GET", "/"),
    ],
)
def test_what_no_page_names_is_not_there(client, method, path):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": {"message": "Not found", "type": "invalid_request_error"}},
    )


def test_a_body_above_the_cap_is_too_large_and_one_at_the_cap_is_read(standin, client):
    content = json.dumps(CHAT).encode()
    standin.state.change(max_body_bytes=len(content))
    seen = [client.post("/chat/completions", content=content).status_code]
    answer = client.post("/chat/completions", content=content + b" ")
    seen.append(answer.status_code)
    seen.append(client.post("/chat/completions", content=iter([b" " * 65536] * 64)).status_code)
    assert (seen, answer.json()) == (
        [200, 413, 413],
        {"error": {"message": "Request body too large", "type": "invalid_request_error"}},
    )
