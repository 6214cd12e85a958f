"""Where the shop is called."""

from django.urls import path

from shop import views

urlpatterns = [
    path("orders", views.new_order),
    path("orders/<int:order_id>", views.order),
]
