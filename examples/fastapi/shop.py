"""A shop that asks for a review some days after an order: tasker calls it back then."""

import os
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from tasker import AsyncClient, TaskNotFound
from tasker.fastapi import VerifiedWebhook, get_client, lifespan, verified

OWN_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8000")
SECRETS = os.environ["WEBHOOK_SECRETS"].split(",")

app = FastAPI(lifespan=lifespan)
Tasker = Annotated[AsyncClient, Depends(get_client)]
Verified = Annotated[VerifiedWebhook, Depends(verified(SECRETS))]

mails: dict[str, int] = {}
"""By the id of the task: the orders that were asked for. A real shop has a table with the id as its key."""


class NewOrder(BaseModel):
    number: int
    ask_after: str = "7d"


@app.post("/orders", status_code=201)
async def new_order(order: NewOrder, tasker: Tasker) -> dict[str, str]:
    """Take an order, and have its customer asked later. The key makes it one question for each order."""
    created = await tasker.schedule(
        f"{OWN_URL}/ask-for-review",
        json={"order": order.number},
        delay=order.ask_after,
        key=f"review-{order.number}",
        on_conflict="keep",
    )
    return {"task": created.id}


@app.delete("/orders/{number}", status_code=204)
async def cancel_order(number: int, tasker: Tasker) -> None:
    """Take an order back. If its customer was asked by now, there is nothing to cancel."""
    with suppress(TaskNotFound):
        await tasker.by_key(f"review-{number}").cancel()


@app.post("/ask-for-review")
async def ask_for_review(webhook: Verified) -> dict[str, bool]:
    """Be called by tasker. It may call more than once, always with the same id."""
    is_new = webhook.id not in mails
    mails[webhook.id] = webhook.json()["order"]
    return {"is_new": is_new}


@app.get("/mails")
async def sent() -> list[int]:
    return list(mails.values())
