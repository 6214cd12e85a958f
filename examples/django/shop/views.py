"""What the shop answers."""

import json
from datetime import timedelta

from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from shop.models import Order
from shop.tasks import remind, send_invoice


@csrf_exempt  # the example is called by programs alone
@require_POST
def new_order(request):
    """Take an order. Its tasks are sent once the transaction has committed: no task sees half an order."""
    wanted = json.loads(request.body)
    with transaction.atomic():
        order = Order.objects.create(customer=wanted["customer"])
        order.invoice_task = send_invoice.enqueue(order.pk).id
        order.save()
        due = timezone.now() + timedelta(seconds=wanted.get("remind_after_seconds", 3 * 24 * 3600))
        remind.using(run_after=due).enqueue(order.pk)
    return JsonResponse({"order": order.pk}, status=201)


@require_GET
def order(request, order_id):
    """Say how an order stands."""
    found = get_object_or_404(Order, pk=order_id)
    invoice = send_invoice.get_result(found.invoice_task)
    return JsonResponse(
        {
            "customer": found.customer,
            "invoice": invoice.status,
            "mails": sorted(found.mail_set.values_list("kind", flat=True)),
        }
    )
