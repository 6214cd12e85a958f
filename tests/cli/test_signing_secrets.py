"""Secrets that cannot be used: the error says where they stand, not what they are."""

import pytest

from tasker.cli.server import sources
from tasker.errors import SettingError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"# ours\n{SECRET}\n\nwhsec_p4ss # old\n", "secrets: line 4: expected whsec_"),
        ("\n# p4ss\n", "at least one signing secret"),
    ],
)
def test_a_line_of_the_file_is_named_by_its_number(tmp_path, monkeypatch, text, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secrets").write_text(text)

    for given in (
        ({"webhook_secrets_file": "secrets"}, {}),
        ({}, {"TASKER_WEBHOOK_SECRETS_FILE": "secrets"}),
    ):
        with pytest.raises(SettingError) as refused:
            sources.load(*given)
        assert place in str(refused.value)
        assert "p4ss" not in str(refused.value)
        assert str(refused.value).startswith(("--webhook-secrets-file: ", "TASKER_WEBHOOK_SECRETS_FILE: "))


@pytest.mark.parametrize(
    ("flags", "environ", "place"),
    [
        ({"webhook_secrets": (SECRET, "p4ss")}, {}, "--webhook-secret"),
        ({}, {"TASKER_WEBHOOK_SECRET": f"{SECRET}, p4ss"}, "TASKER_WEBHOOK_SECRET"),
    ],
)
def test_an_option_and_a_variable_are_named(tmp_path, monkeypatch, flags, environ, place):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError) as refused:
        sources.load(flags, environ)

    assert refused.value.setting == place
    assert "p4ss" not in str(refused.value)
