"""The page on private authorities makes certificates that tasker accepts, and has every reason that it gives."""

import shlex
import ssl
import subprocess

import pytest
from pages import DOCS, blocks, table

from tasker.egress import tls

PAGE = DOCS / "private-certificate-authorities.md"


def test_the_commands_of_the_page_make_an_authority_and_a_certificate_for_the_names_in_it(tmp_path):
    commands = [text for _, text in blocks(PAGE) if text.startswith("openssl req")]
    for line in "\n".join(commands).replace("\\\n", "").splitlines():
        subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)
    trusting = tls.client_context()
    trusting.load_verify_locations(cafile=tmp_path / "our-authority.pem")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(tmp_path / "hooks.pem", tmp_path / "hooks.key")

    for host in ("hooks.internal", "10.1.2.3"):
        shake_hands(trusting, serving, host)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trusting, serving, "hooks")


def shake_hands(trusting, serving, host):
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname=host)
    server = serving.wrap_bio(there, back, server_side=True)
    waiting = [client, server]
    for side in [client, server] * 4:
        if side in waiting:
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
    assert waiting == []


def test_every_reason_for_which_tls_fails_has_a_row():
    begins = [row[0] for row in table(PAGE, "## When it fails")]
    reasons = {
        *tls._CERTIFICATE.values(),
        *tls._HANDSHAKE.values(),
        *(tls._CUT, tls._LATE, tls._ENDLESS, tls._ODD),
        *(const for const in tls._reason.__code__.co_consts),
    }
    reasons = {
        reason for reason in reasons if isinstance(reason, str) and reason.startswith(("the target", "the issuer"))
    }

    assert [reason for reason in reasons if not any(reason.startswith(begin) for begin in begins)] == []
    assert [begin for begin in begins if not any(reason.startswith(begin) for reason in reasons)] == []
