"""The stand-in as the OpenAI Python SDK sees it, which by Bastion's pages needs only its base URL and a key."""

import openai
import pytest

from checks.standin.catalogue import ALL_MODELS
from checks.standin.server import StandInServer
from checks.standin.settings import Fault, RetryAfterForm, StandInSettings

KEY = "qbt_canary_sdk_0001"
REPLY = "All is well."
MESSAGES = [{"role": "user", "content": "Reply with exactly: ok"}]


@pytest.fixture(scope="module")
def server():
    with StandInServer() as server:
        yield server


@pytest.fixture
def standin(server):
    server.state.reset(StandInSettings(accepted_keys=frozenset({KEY}), reply=REPLY))
    return server


@pytest.fixture
def sdk(standin):
    with openai.OpenAI(api_key=KEY, base_url=standin.url, max_retries=0, timeout=60) as client:
        yield client


def chat(sdk):
    return sdk.chat.completions.create(model="gpt-oss-120b", messages=MESSAGES, max_tokens=16)


def test_the_models_are_listed(sdk):
    assert [model.id for model in sdk.models.list()] == list(ALL_MODELS)


def test_a_chat_completion_is_read(sdk):
    completion = chat(sdk)
    choice = completion.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", REPLY, "stop")
    assert completion.usage.total_tokens == 7


def test_a_chat_stream_is_read_to_its_end(sdk):
    chunks = list(sdk.chat.completions.create(model="gpt-oss-120b", messages=MESSAGES, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == REPLY
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, None, "stop"]
    assert [chunk.usage is None for chunk in chunks] == [True, True, True, False]


def test_the_streaming_helper_puts_a_chat_together(sdk):
    with sdk.chat.completions.stream(model="gpt-oss-120b", messages=MESSAGES) as stream:
        final = stream.get_final_completion()
    assert (final.choices[0].message.content, final.choices[0].finish_reason) == (REPLY, "stop")


def test_a_text_completion_is_read_plain_and_streamed(sdk):
    plain = sdk.completions.create(model="gpt-oss-20b", prompt="Hello")
    streamed = sdk.completions.create(model="gpt-oss-20b", prompt="Hello", stream=True)
    assert (plain.choices[0].text, "".join(chunk.choices[0].text for chunk in streamed)) == (REPLY, REPLY)


def test_embeddings_come_as_numbers_and_in_base64_and_are_the_same(sdk):
    numbers = sdk.embeddings.create(model="bge-m3", input="Hello", encoding_format="float").data[0].embedding
    packed = sdk.embeddings.create(model="bge-m3", input="Hello").data[0].embedding
    assert (len(numbers), numbers) == (1024, packed)


def test_a_response_is_read(sdk):
    response = sdk.responses.create(model="gpt-oss-20b", input="Hello", store=False)
    assert (response.output_text, response.status, response.usage.total_tokens) == (REPLY, "completed", 4)


def test_a_response_that_is_cut_short_says_so(sdk):
    response = sdk.responses.create(model="gpt-oss-20b", input="Hello", store=False, max_output_tokens=2)
    assert (response.output_text, response.status) == ("All is", "incomplete")
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_response_stream_is_read(sdk):
    events = list(sdk.responses.create(model="gpt-oss-20b", input=MESSAGES, store=False, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == REPLY
    assert (events[-1].type, events[-1].response.output_text) == ("response.completed", REPLY)


def test_the_streaming_helper_puts_a_response_together(sdk):
    with sdk.responses.stream(model="gpt-oss-20b", input="Hello", store=False) as stream:
        assert stream.get_final_response().output_text == REPLY


def test_a_response_without_store_false_is_an_internal_server_error(sdk):
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.responses.create(model="gpt-oss-20b", input="Hello")
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_error")


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (400, openai.BadRequestError, ("Invalid request", "invalid_request_error", "invalid_request")),
        (401, openai.AuthenticationError, ("Invalid API key", "invalid_request_error", "invalid_api_key")),
        (402, openai.APIStatusError, ("Insufficient funds", "insufficient_quota", "insufficient_funds")),
        (404, openai.NotFoundError, ("Not found", "invalid_request_error", None)),
        (429, openai.RateLimitError, ("Rate limit exceeded", "rate_limit_error", "rate_limit_exceeded")),
        (500, openai.InternalServerError, ("Internal error", "api_error", None)),
        (502, openai.InternalServerError, ("Upstream error", "api_error", "upstream_error")),
        (503, openai.InternalServerError, ("Service unavailable", "api_error", "service_unavailable")),
        (504, openai.InternalServerError, ("Gateway timeout", "api_error", None)),
    ],
)
def test_every_error_is_the_exception_that_the_sdk_has_for_it(standin, sdk, status, kind, body):
    standin.state.fail(Fault(status=status))
    with pytest.raises(openai.APIStatusError) as caught:
        chat(sdk)
    message, error_type, code = body
    assert (type(caught.value), caught.value.status_code) == (kind, status)
    expected = {"message": message, "type": error_type} | ({"code": code} if code else {})
    assert caught.value.response.json() == {"error": expected}
    assert (caught.value.body, caught.value.type, caught.value.code) == (expected, error_type, code)


@pytest.mark.parametrize("key", ["qbt_never_issued", "qbt_revoked"])
def test_an_unknown_and_a_revoked_key_are_authentication_errors(standin, key):
    standin.state.accept("qbt_revoked")
    standin.state.revoke("qbt_revoked")
    with (
        openai.OpenAI(api_key=key, base_url=standin.url, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()
    assert caught.value.response.json() == {
        "error": {"message": "Invalid API key", "type": "invalid_request_error", "code": "invalid_api_key"}
    }


def test_no_balance_is_a_status_error_402(standin, sdk):
    standin.state.empty_balance(KEY)
    with pytest.raises(openai.APIStatusError) as caught:
        chat(sdk)
    assert (type(caught.value), caught.value.status_code) == (openai.APIStatusError, 402)


def test_an_unknown_model_is_a_bad_request_or_not_found(standin, sdk):
    with pytest.raises(openai.BadRequestError) as first:
        sdk.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    standin.state.change(unknown_model_status=404)
    with pytest.raises(openai.NotFoundError) as second:
        sdk.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert (first.value.code, second.value.code) == ("model_not_found", "model_not_found")


def test_the_sdk_comes_back_by_itself_after_a_429_and_the_journal_shows_both(standin):
    standin.state.change(retry_after_form=RetryAfterForm.SECONDS, retry_after_s=1)
    standin.state.fail(Fault(status=429, requests=1))
    with openai.OpenAI(api_key=KEY, base_url=standin.url, max_retries=1) as client:
        chat(client)
    first, second = standin.state.journal()
    assert (first.status, second.status) == (429, 200)
    assert (second.at - first.at).total_seconds() >= 0.95
