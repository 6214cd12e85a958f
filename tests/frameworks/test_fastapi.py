"""The client and the verified webhooks, in applications of FastAPI and of Starlette."""

import json
import time
from typing import Annotated

import fastapi
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from tasker import AsyncClient
from tasker.egress.signing import Signer
from tasker.errors import SettingError
from tasker.fastapi import LONGEST_BODY, VerifiedWebhook, get_client, lifespan, verified

pytestmark = pytest.mark.anyio

SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ID = "019bbade-01c6-7d11-821f-bc1538901f12"
URL = "http://127.0.0.1:9"


def headers(body, *, secret=SECRET, ago=0):
    timestamp = str(int(time.time()) - ago)
    return {
        "webhook-id": ID,
        "webhook-timestamp": timestamp,
        "webhook-signature": Signer((secret,)).signature(ID, timestamp, body),
    }


def caller(app):
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app, raise_app_exceptions=True), base_url="http://app")


def fastapi_app(**options):
    app = fastapi.FastAPI(**options)

    @app.get("/client")
    async def client(tasker: Annotated[AsyncClient, fastapi.Depends(get_client)]):
        return {"id": id(tasker), "url": tasker.url}

    @app.post("/hook")
    async def hook(webhook: Annotated[VerifiedWebhook, fastapi.Depends(verified([OLD, SECRET], longest=1000))]):
        return {"id": webhook.id, "body": webhook.body.decode(), "sent_at": webhook.sent_at.timestamp()}

    return app


def starlette_app(**options):
    async def client(request):
        tasker = get_client(request)
        return JSONResponse({"id": id(tasker), "url": tasker.url})

    let_through = verified([OLD, SECRET], longest=1000)

    async def hook(request):
        webhook = await let_through(request)
        return JSONResponse({"id": webhook.id, "body": webhook.body.decode(), "sent_at": webhook.sent_at.timestamp()})

    return Starlette(routes=[Route("/client", client), Route("/hook", hook, methods=["POST"])], **options)


both = pytest.mark.parametrize("make", [fastapi_app, starlette_app], ids=["FastAPI", "Starlette"])


@both
async def test_an_application_has_one_client_for_as_long_as_it_runs(make, monkeypatch):
    monkeypatch.setenv("TASKER_URL", URL)
    app = make(lifespan=lifespan)
    async with app.router.lifespan_context(app), caller(app) as calling:
        answers = [(await calling.get("/client")).json() for _ in range(3)]
        client = app.state.tasker
        assert answers == [{"id": id(client), "url": URL}] * 3
    assert not hasattr(app.state, "tasker")
    with pytest.raises(RuntimeError, match="closed"):
        await client._connection._http.get(URL)


@both
async def test_without_the_lifespan_the_error_says_what_is_missing(make):
    async with caller(make()) as calling:
        with pytest.raises(RuntimeError, match=r"expected FastAPI\(lifespan=tasker.fastapi.lifespan\)"):
            await calling.get("/client")


async def test_a_lifespan_of_ones_own_may_say_more_and_share_the_client():
    inner = starlette_app()
    app = Starlette(routes=[Mount("/inner", inner)])
    async with lifespan(app, url=URL, key="tasker_x"), caller(app) as calling:
        inner.state.tasker = app.state.tasker
        assert (await calling.get("/inner/client")).json()["id"] == id(app.state.tasker)


async def test_a_url_that_cannot_be_used_ends_the_start_of_the_application():
    with pytest.raises(SettingError, match="url"):
        async with lifespan(Starlette(), url="localhost"):
            pass


@both
@pytest.mark.parametrize("secret", [SECRET, OLD])
async def test_a_genuine_webhook_is_let_through_with_its_body_as_it_arrived(make, secret):
    body = b'{"a":  "\xc3\xa9"}\r\n'
    sent = headers(body, secret=secret)
    async with caller(make()) as calling:
        answer = await calling.post("/hook", content=body, headers=sent)
    assert answer.json() == {"id": ID, "body": body.decode(), "sent_at": float(sent["webhook-timestamp"])}


@both
async def test_anything_else_is_answered_with_401_and_why_is_not_said(make):
    forged = {
        "another body": ({**headers(b"x")}, b"y"),
        "another secret": (headers(b"x", secret="whsec_" + "QUJD" * 10), b"x"),
        "an old one": (headers(b"x", ago=600), b"x"),
        "unsigned": ({}, b"x"),
    }
    async with caller(make()) as calling:
        for name, (sent, body) in forged.items():
            answer = await calling.post("/hook", content=body, headers=sent)
            assert answer.status_code == 401, name
            assert answer.text in ('{"detail":"Unauthorized"}', "Unauthorized")


@both
async def test_a_body_that_is_too_long_is_not_read_to_its_end(make):
    body = b"x" * 1001
    async with caller(make()) as calling:
        assert (await calling.post("/hook", content=body, headers=headers(body))).status_code == 413
        assert (await calling.post("/hook", content=body[1:], headers=headers(body[1:]))).status_code == 200


def test_a_secret_that_is_none_ends_the_start():
    for secrets in ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", [SECRET, ""], []):
        with pytest.raises(ValueError, match="secret") as raised:
            verified(secrets)
        assert "MfKQ9r8" not in str(raised.value)


def test_the_body_is_read_as_json():
    webhook = VerifiedWebhook(ID, None, json.dumps({"order": 17}).encode())
    assert webhook.json() == {"order": 17}
    assert LONGEST_BODY >= 16 * 1024 * 1024
