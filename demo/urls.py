"""The demo's one address."""

from django.urls import path

from demo import views

urlpatterns = [path("act-as/", views.act_as, name="act-as")]
