"""What the shop does later, or apart from its requests."""

from django.tasks import task

from shop.models import Mail, Order


@task(queue_name="mail")
def send_invoice(order_id):
    """Send the invoice of an order. A task may run more than once: the second time finds the mail."""
    _, is_new = Mail.objects.get_or_create(order_id=order_id, kind="invoice")
    return {"sent": is_new}


@task(queue_name="mail", takes_context=True)
def remind(context, order_id):
    """Remind a customer of an order that is not paid by now."""
    if Order.objects.filter(pk=order_id, paid_at=None).exists():
        Mail.objects.get_or_create(order_id=order_id, kind="reminder")
    return {"attempt": context.attempt}
