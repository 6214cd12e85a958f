"""What stands for a secret in an answer never comes back as one."""

import pytest
from rest_server import LATER

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"headers": {"x-key": "***"}}, "webhook.headers.x-key"),
        ({"url": "http://me:***@localhost/"}, "webhook.url"),
        ({"on_failure": "http://me:***@localhost/"}, "webhook.on_failure"),
        ({"on_success": {"url": "http://localhost/", "headers": {"x-key": "***"}}}, "webhook.on_success.headers.x-key"),
    ],
    ids=str,
)
async def test_a_mask_is_refused_where_a_secret_belongs(server, more, field):
    body = {"webhook": {"execution_time": LATER, "url": "http://localhost/", "body": "x", **more}}
    reply = await server.call("POST", "/tasks/new", body)
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, "masked_value", field)


async def test_three_stars_elsewhere_are_three_stars(server):
    url = "http://me:***x@localhost/***@a:***@"
    assert await server.new({"webhook": {"execution_time": LATER, "url": url, "body": "***"}})
