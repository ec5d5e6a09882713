"""Google's client for Python against a service: client.py WAY BASE KEY. Says what it was told."""

import json
import pathlib
import sys
import urllib.request

import google.oauth2.credentials
from googleapiclient.discovery import build, build_from_document
from googleapiclient.errors import HttpError

STORY = "https://www.example.org/2026/11/23/a-story.html"
GOOGLES = pathlib.Path(__file__).with_name("urlshortener.v1.json")

way, base, key = sys.argv[1:]
rest = f"{base}/discovery/v1/apis/urlshortener/v1/rest"

if way == "from_document":
    with urllib.request.urlopen(rest) as answer:
        service = build_from_document(answer.read().decode(), developerKey=key)
elif way == "discover":
    service = build(
        "urlshortener",
        "v1",
        developerKey=key,
        discoveryServiceUrl=f"{base}/discovery/v1/apis/{{api}}/{{apiVersion}}/rest",
        static_discovery=False,
        cache_discovery=False,
    )
elif way == "endpoint":
    service = build_from_document(
        GOOGLES.read_text(),
        developerKey=key,
        client_options={"api_endpoint": f"{base}/urlshortener/v1/"},
    )
elif way == "bearer":
    service = build_from_document(
        GOOGLES.read_text(),
        credentials=google.oauth2.credentials.Credentials(token=key),
        client_options={"api_endpoint": f"{base}/urlshortener/v1/"},
    )
else:
    sys.exit(f"no such way: {way}")


def refusal(request):
    try:
        return request.execute()
    except HttpError as error:
        return [error.resp.status, error.error_details[0]["reason"]]


url = service.url()
inserted = url.insert(body={"longUrl": STORY + "?utm_source=python"}).execute()
old = "http://goo.gl/fbsS"
told = {
    "inserted": inserted,
    "again": url.insert(body={"longUrl": STORY}).execute(),
    "expanded": url.get(shortUrl=old).execute(),
    "full": url.get(shortUrl=old, projection="FULL").execute(),
    "partial": url.get(shortUrl=inserted["id"], fields="longUrl").execute(),
    "history": url.list(projection="FULL").execute(),
    "unknown": refusal(url.get(shortUrl="http://goo.gl/nothing")),
    "malformed": refusal(url.insert(body={"longUrl": "no address"})),
}
print(json.dumps(told))
