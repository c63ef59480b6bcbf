"""As little as this example needs."""
import os
import pathlib

RELEASE = os.environ.get("FRESHINIT_RELEASE", "unknown")
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-this-example")
# `freshinit health` asks for 127.0.0.1.
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "*").split()
ROOT_URLCONF = "project.urls"
MIDDLEWARE = ["project.release.name_release"]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [pathlib.Path(__file__).parent.parent / "templates"],
}]
