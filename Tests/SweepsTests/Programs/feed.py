"""A small feed service: POST /bsky.Service/GetPostRecords looks every URI of a batch up in memcached.

    python3 feed.py --port 8080 --limit 64 --pool 64        serves
    python3 feed.py --limit 64 --pool 64 --test 3x1000      stores posts, and sends itself 3 batches of 1,000

Every lookup is a task of its own. Without --limit all of a batch run at once, each on a connection of its own; of those
that are given back, --pool are kept, and the others closed.
"""
import argparse
import asyncio
import base64
import collections
import json
import resource
import sys

MEMCACHED = ("127.0.0.1", 11211)
PATH = "/bsky.Service/GetPostRecords"


class Pool:
    def __init__(self, size):
        self.size = size
        self.idle = []

    async def take(self):
        if self.idle:
            return self.idle.pop()
        return await asyncio.open_connection(*MEMCACHED, limit=1 << 20)

    def give(self, connection):
        if len(self.idle) < self.size:
            self.idle.append(connection)
        else:
            connection[1].close()


async def lookup(pool, uri):
    connection = await pool.take()
    reader, writer = connection
    try:
        writer.write(b"get %s\r\n" % uri.encode())
        head = (await reader.readuntil(b"\r\n")).split()
        value = None
        if head[0] == b"VALUE":
            value = (await reader.readexactly(int(head[3]) + 2))[:-2]
            await reader.readuntil(b"END\r\n")
    except BaseException:
        writer.close()
        raise
    pool.give(connection)
    return value


class Feed:
    def __init__(self, limit, pool):
        self.limit = limit
        self.pool = Pool(pool)

    async def records(self, uris):
        permits = asyncio.Semaphore(self.limit or len(uris) or 1)
        errors = collections.Counter()

        async def record(uri):
            async with permits:
                try:
                    value = await lookup(self.pool, uri)
                except (OSError, asyncio.IncompleteReadError) as error:
                    errors[str(error)] += 1
                    value = None
            return {} if value is None else {"record": base64.b64encode(value).decode()}

        found = await asyncio.gather(*map(record, uris))
        for text, count in errors.items():
            print(f"{count} lookups failed: {text}", file=sys.stderr, flush=True)
        return found

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                answer = json.dumps({"records": await self.records(body["uris"])}).encode()
                fields = f"content-type: application/json\r\ncontent-length: {len(answer)}"
                writer.write(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def test(feed, batches, size):
    """Whether every post of every batch was found."""
    uris = [f"post-{number}" for number in range(size)]
    reader, writer = await feed.pool.take()
    for uri in uris:
        writer.write(b"set %s 0 0 4\r\npost\r\n" % uri.encode())
    for _ in uris:
        await reader.readuntil(b"\r\n")
    writer.close()
    complete = True
    for batch in range(1, batches + 1):
        found = sum(bool(record) for record in await feed.records(uris))
        print(f"batch {batch}: {found} of {size} posts found", flush=True)
        complete = complete and found == size
    return complete


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=8080)
    options.add_argument("--limit", type=int, default=0, help="lookups of a batch at once; 0: all")
    options.add_argument("--pool", type=int, default=2, help="idle connections that are kept")
    options.add_argument("--test", metavar="BATCHESxURIS")
    options = options.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    feed = Feed(options.limit, options.pool)
    if options.test:
        sys.exit(0 if await test(feed, *map(int, options.test.split("x"))) else 1)
    server = await asyncio.start_server(feed.serve, "127.0.0.1", options.port, limit=64 << 20)
    await server.serve_forever()


asyncio.run(main())
