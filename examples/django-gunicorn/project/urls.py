from django.urls import path

from project import views

urlpatterns = [path("", views.page), path("healthz", views.healthz), path("version", views.version)]
