"""How API keys are written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.model.api_key import digest_of, is_damaged, written

IDS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=8)
SECRETS = st.binary(min_size=32, max_size=32)


@given(IDS, SECRETS)
def test_a_key_has_a_prefix_its_id_its_secret_and_a_check(key_id, secret):
    key = written(key_id, secret)
    assert re.fullmatch(rf"tasker_{key_id}_[0-9A-Za-z]{{43}}_[0-9A-Za-z]{{6}}", key)
    assert not is_damaged(key)
    assert len(digest_of(key.encode())) == 32


@given(IDS, SECRETS, SECRETS)
def test_no_two_secrets_are_written_alike(key_id, one, other):
    assert (written(key_id, one) == written(key_id, other)) == (one == other)


@given(IDS, SECRETS, st.integers(0, 65), st.sampled_from("0Zz_-"))
def test_a_letter_that_is_mistyped_or_missing_is_found(key_id, secret, place, letter):
    key = written(key_id, secret)
    mistyped = key[:place] + letter + key[place + 1 :]
    if place >= len("tasker_"):
        assert is_damaged(mistyped) == (mistyped != key)
        assert is_damaged(key[:place] + key[place + 1 :])


@pytest.mark.parametrize("text", ["", "tasker", "pQ7v2mX9kT4wZr8yB1nC", "Tasker_0"])
def test_keys_of_other_makers_are_not_damaged(text):
    assert not is_damaged(text)
