"""One page that says which release answers, by which worker, and since when."""
import os
import time

from flask import Flask, render_template

import greeting

app = Flask(__name__)
started = time.time()
release = os.environ.get("FRESHINIT_RELEASE") or os.environ.get("APP_RELEASE", "unknown")


@app.after_request
def name_release(response):
    response.headers["X-Release"] = release
    response.headers["Cache-Control"] = "no-store"
    return response


@app.get("/")
def page():
    return render_template(
        "page.html",
        greeting=greeting.TEXT,
        release=release,
        worker=os.getpid(),
        started=time.strftime("%H:%M:%S", time.gmtime(started)),
    )


@app.get("/healthz")
def healthz():
    return "ok\n"


@app.get("/version")
def version():
    return {"release": release}
