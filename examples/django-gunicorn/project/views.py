"""One page that says which release answers, by which worker, and since when."""
import os
import time

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

started = time.time()


def page(request):
    return render(request, "page.html", {
        "release": settings.RELEASE,
        "worker": os.getpid(),
        "started": time.strftime("%H:%M:%S", time.gmtime(started)),
    })


def healthz(request):
    return HttpResponse("ok\n", content_type="text/plain")


def version(request):
    return JsonResponse({"release": settings.RELEASE})
