"""Asks spiral-server with aiohttp and httpx as their users do: prints one line of JSON for each case.

Arguments: address, and URIs to ask for as a file with one a line.
"""
import asyncio
import json
import sys

import aiohttp
import httpx

address, path = sys.argv[1], sys.argv[2]
uris = open(path).read().split()
url = f"{address}/bsky.Service/GetPostRecords"


def say(case, status, answer=None):
    found = sum(1 for record in answer["records"] if record.get("cid")) if answer else None
    print(json.dumps({"case": case, "status": status, "found": found}), flush=True)


def pieces(body):
    for start in range(0, len(body), 1000):
        yield body[start:start + 1000]


async def slow_pieces(body):
    for piece in pieces(body):
        yield piece


async def ask_with_aiohttp():
    async with aiohttp.ClientSession() as session:
        async def post(case, keys, **options):
            async with session.post(url, **options, **({} if "data" in options else {"json": {"uris": keys}})) as answer:
                say(f"aiohttp, {case}", answer.status, await answer.json() if answer.status == 200 else None)

        async with session.head(f"{address}/nothing") as answer:
            say("aiohttp, head", answer.status)
        await post("after head", uris[:3])
        await post("many", uris)
        await post("gzip", uris[:3], compress="gzip")
        await post("expect", uris[:3], expect100=True)
        body = json.dumps({"uris": uris[:300]}).encode()
        await post("pieces", uris, data=slow_pieces(body), headers={"Content-Type": "application/json"})
        async with session.get(url) as answer:
            say("aiohttp, get", answer.status)
        await asyncio.gather(*(post("at once", uris[:3]) for _ in range(20)))


def ask_with_httpx():
    with httpx.Client(trust_env=False, timeout=60) as client:
        def post(case, **options):
            answer = client.post(url, **options)
            say(f"httpx, {case}", answer.status_code, answer.json() if answer.status_code == 200 else None)

        say("httpx, head", client.head(f"{address}/nothing").status_code)
        post("after head", json={"uris": uris[:3]})
        post("many", json={"uris": uris})
        body = json.dumps({"uris": uris[:300]}).encode()
        post("pieces", content=pieces(body), headers={"Content-Type": "application/json"})
        post("wrong", json={"uris": [1]})
        say("httpx, options", client.options(url).status_code)


asyncio.run(ask_with_aiohttp())
ask_with_httpx()
