"""A client of the control socket that can also misbehave, and what checks its answers."""
import http.client
import json
import socket
import struct


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = dial(self.path, self.timeout)


def dial(path, timeout=60):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(timeout)
    s.connect(path)
    return s


def ask(path, method, target, body=None):
    """(status, type of the body, body)"""
    c = Connection(path)
    try:
        c.request(method, target, body=None if body is None else json.dumps(body))
        r = c.getresponse()
        return r.status, (r.getheader("Content-Type") or "").split(";")[0], r.read()
    finally:
        c.close()


def raw(path, data, shut=False, timeout=60):
    """Send bytes, perhaps say that no more will come, and read one answer: (status, body) or None."""
    s = dial(path, timeout)
    try:
        try:
            s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has said no already
        return read_answer(s)
    finally:
        s.close()


def read_answer(s):
    r = http.client.HTTPResponse(s)
    try:
        r.begin()
        return r.status, r.read()
    except (http.client.HTTPException, ConnectionResetError):
        return None
    finally:
        r.close()


def peer_pid(path):
    """The process that listens there."""
    s = dial(path)
    try:
        return struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    finally:
        s.close()


class Document:
    """docs/api.yaml, to hold answers against."""

    def __init__(self, path):
        import jsonschema
        import yaml

        with open(path, encoding="utf-8") as f:
            self.doc = yaml.safe_load(f)
        self.jsonschema = jsonschema
        self.resolver = jsonschema.RefResolver.from_schema(self.doc)

    def resolve(self, j):
        while "$ref" in j:
            j = self.resolver.resolve(j["$ref"])[1]
        return j

    def validate(self, schema, value):
        v = self.jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        v.validate(value)

    def check(self, method, target, status, kind, body):
        """Raises unless an answer is one that the document has."""
        operation = self.doc["paths"][target][method.lower()]
        responses = operation["responses"]
        response = self.resolve(responses.get(str(status), responses["default"]))
        if kind not in response["content"]:
            raise AssertionError(f"{method} {target}: {status} with {kind}, expected {list(response['content'])}")
        if kind.endswith("json"):
            self.validate(response["content"][kind]["schema"], json.loads(body))

    def check_event(self, line):
        schema = self.doc["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]["application/x-ndjson"]["schema"]
        self.validate(schema, json.loads(line))
