"""Which release answers: a header on each answer, and no old page kept by a browser or proxy."""
from django.conf import settings


def name_release(get_response):
    def respond(request):
        response = get_response(request)
        response["X-Release"] = settings.RELEASE
        response["Cache-Control"] = "no-store"
        return response

    return respond
