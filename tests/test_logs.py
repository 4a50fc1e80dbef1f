"""No line of the log holds what signs somebody in or looks like a key, however it got there."""

import json
import logging
import logging.config

import pytest
from django.test import RequestFactory

from config.logs import logging_settings

KEY = "qbt_live_4fK2mXw9Zr7TqLp0"
TOKEN = f"rdy_abcdefgh_{'0123456789abcdef' * 4}"


@pytest.mark.parametrize("lines", ["json", "text"])
def test_a_request_is_logged_without_the_token_or_key_in_its_address(lines: str) -> None:
    settings = logging_settings(level="INFO", lines=lines)
    formatter = logging.config.DictConfigurator(settings).configure_formatter(settings["formatters"]["lines"])
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Forbidden: %s", ("/x/",), None)
    record.request = RequestFactory().get("/sign-in/link/", {"sesame": "AAAAtokenAAAA", "q": KEY, "t": TOKEN})
    record.status_code = 403

    line = formatter.format(record)

    assert "AAAAtokenAAAA" not in line
    assert KEY not in line
    assert TOKEN[4:] not in line
    assert "sesame=***" in line
    if lines == "json":
        assert json.loads(line)["status_code"] == 403
