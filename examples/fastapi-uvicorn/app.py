"""One page that says which release answers, by which worker, and since when."""
import os
import time

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.templating import Jinja2Templates

app = FastAPI()
templates = Jinja2Templates("templates")
started = time.time()
release = os.environ.get("FRESHINIT_RELEASE") or os.environ.get("APP_RELEASE", "unknown")


@app.middleware("http")
async def name_release(request: Request, call_next):
    response = await call_next(request)
    response.headers["X-Release"] = release
    response.headers["Cache-Control"] = "no-store"
    return response


@app.get("/")
def page(request: Request):
    return templates.TemplateResponse(request, "page.html", {
        "release": release,
        "worker": os.getpid(),
        "started": time.strftime("%H:%M:%S", time.gmtime(started)),
    })


@app.get("/healthz", response_class=PlainTextResponse)
def healthz():
    return "ok\n"


@app.get("/version")
def version():
    return {"release": release}
