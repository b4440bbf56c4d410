"""Asks spiral-server with connect-python as its users do: prints one line of JSON for each case.

Arguments: address, and URIs to ask for as a file with one a line.
"""
import json
import os
import sys

from connectrpc.client import ConnectClientSync
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo
from connectrpc.protocol import ProtocolType
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

address, path = sys.argv[1], sys.argv[2]
uris = open(path).read().split()


def messages():
    """The messages of bsky.Service that are needed, without generated code."""
    file = descriptor_pb2.FileDescriptorProto(name="posts.proto", package="bsky", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    field = descriptor_pb2.FieldDescriptorProto

    def add(name, *fields):
        message = file.message_type.add(name=name)
        for number, (field_name, kind, repeated, type_name) in enumerate(fields, 1):
            message.field.add(
                name=field_name, number=number, type=kind, type_name=type_name,
                label=field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL,
            )

    add("GetPostRecordsRequest", ("uris", field.TYPE_STRING, True, None))
    time = (field.TYPE_MESSAGE, False, ".google.protobuf.Timestamp")
    add(
        "Record", ("record", field.TYPE_BYTES, False, None), ("cid", field.TYPE_STRING, False, None),
        ("indexed_at", *time), ("taken_down", field.TYPE_BOOL, False, None), ("created_at", *time), ("sorted_at", *time),
    )
    add(
        "PostRecordMeta", *((name, field.TYPE_BOOL, False, None) for name in ("violates_thread_gate", "has_media", "is_reply"))
    )
    add(
        "GetPostRecordsResponse",
        ("records", field.TYPE_MESSAGE, True, ".bsky.Record"), ("meta", field.TYPE_MESSAGE, True, ".bsky.PostRecordMeta"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    names = ("GetPostRecordsRequest", "GetPostRecordsResponse")
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(f"bsky.{name}")) for name in names]


request_class, response_class = messages()


def method(name):
    return MethodInfo(
        name=name, service_name="bsky.Service", input=request_class, output=response_class,
        idempotency_level=IdempotencyLevel.UNKNOWN,
    )


def ask(case, client, keys, name="GetPostRecords", **options):
    try:
        answer = client.execute_unary(request=request_class(uris=keys), method=method(name), **options)
        said = {
            "records": len(answer.records), "meta": len(answer.meta), "found": sum(1 for r in answer.records if r.cid),
        }
    except ConnectError as error:
        said = {"code": error.code.name.lower(), "message": error.message}
    print(json.dumps({"case": case, **said}), flush=True)


forms = {
    "proto": {}, "json": {"proto_json": True}, "grpc": {"protocol": ProtocolType.GRPC},
    "grpc json": {"protocol": ProtocolType.GRPC, "proto_json": True},
}
for form, options in forms.items():
    for packing in ("gzip", "plain"):
        plain = {"send_compression": None, "accept_compression": []} if packing == "plain" else {}
        client = ConnectClientSync(address, **options, **plain)
        ask(f"{form}, {packing}, 3", client, uris[:3])
        if form != "grpc json":
            ask(f"{form}, {packing}, many", client, uris)
    ask(f"{form}, unknown method", client, uris[:3], name="GetNothing")
    ask(f"{form}, no uris", client, [])
    ask(f"{form}, bad key", client, ["a b"])
    ask(f"{form}, too many uris", client, ["a"] * 100_001)
    ask(f"{form}, in time", client, uris[:3], timeout_ms=20_000)
    ask(f"{form}, out of time", client, uris, timeout_ms=1)

# Its threads sometimes outlive the interpreter, which then ends with a fault of its own.
os._exit(0)
