"""What the shop keeps."""

from django.db import models


class Order(models.Model):
    """An order of a customer."""

    customer = models.EmailField()
    ordered_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True)
    invoice_task = models.CharField(max_length=36)
    """The id of the task that sends the invoice."""


class Mail(models.Model):
    """A mail that the shop has sent. The example does not bother anybody with it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["order", "kind"], name="once"),)
