"""Does a token server keep to its own description? A real `wxtoken serve` before a real `wxtoken platform`.

1. schemathesis makes requests from `/openapi.json`, sound ones and broken ones, on every route with a right key: every status
   is documented, every body and head is as described, what is wrong is refused, what is right is taken.
2. The routes that do not end, and those that wait, are asked by hand, for a bounded time.
3. Every route with no key and with a wrong key, for an account that is there and for one that is not: the answers are the
   same, byte for byte. With a key that may nothing: the same 403 whether the account is there or not.
"""

import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

WXTOKEN, INTO = sys.argv[1:]
SCHEMATHESIS = os.path.join(INTO, "python", "bin", "schemathesis")
SEED = "20260101"
# Of each of the two runs, in seconds, and the most requests for one route.
MOST_TIME, MOST_EXAMPLES = 120, 100
PATIENCE = 20
KEY, POOR_KEY, WRONG_KEY = "wxtk_of-the-route-tests", "wxtk_of-one-that-may-nothing", "wxtk_of-nobody"
SECRET = "a-secret-that-stays-at-the-server"
OFFICIAL, CORP = "wx0123456789abcdef", "ww0123456789abcdef"
# An account with tickets, one with others, and one that is not there.
NAMES = ["shop", "app", "nobody"]
CHECKS = {
    # What the server's own interface promises. That no answer is 5xx unless documented is in the first.
    "^/(?!cgi-bin)": [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "positive_data_acceptance",
        "unsupported_method",
        "allow_header_conformance",
    ],
    # WeChat says 200 to everything.
    "^/cgi-bin": [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "not_a_server_error",
    ],
}
STREAM = "text/event-stream"


class Program:
    """A process of ours, by its id; it ends with us."""

    def __init__(self, command, env=None, log=None):
        pipe = subprocess.PIPE
        env = {**os.environ, **(env or {})}
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=env)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line.strip()

    def end(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(30)


def configuration(folder, platform):
    def digest(key):
        return hashlib.sha256(key.encode()).hexdigest()

    return f"""
listen = "127.0.0.1:0"
store = "{folder}/wxtoken.redb"

[[account]]
name = "shop"
kind = "official"
id = "{OFFICIAL}"
secret = {{ env = "ROUTES_SECRET" }}
base = "{platform}"
tickets = ["jsapi"]

[[account]]
name = "app"
kind = "work"
id = "{CORP}"
secret = {{ env = "ROUTES_SECRET" }}
base = "{platform}"
tickets = ["agent_config"]

[[client]]
name = "tests"
key_sha256 = "{digest(KEY)}"
accounts = ["shop", "app"]
may = ["read", "report", "rotate", "admin"]

[[client]]
name = "poor"
key_sha256 = "{digest(POOR_KEY)}"
accounts = ["shop", "app"]
may = []
"""


class Server:
    """The server's address, and what it says of itself."""

    def __init__(self, url):
        self.url = url
        self.host = urllib.parse.urlsplit(url).netloc
        status, _, body = self.ask("GET", "/openapi.json")
        assert status == 200, status
        self.document = json.loads(body)

    def ask(self, method, path, headers=None, body=None):
        """One request on a connection of its own: status, headers without the date, and the body."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, self.head(answer), answer.read()
        finally:
            connection.close()

    def listen(self, path, headers, seconds):
        """The beginning of an answer that does not end."""
        connection = http.client.HTTPConnection(self.host, timeout=seconds)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            heard, until = b"", time.monotonic() + seconds
            try:
                while time.monotonic() < until and (piece := answer.read1(65536)):
                    heard += piece
            except TimeoutError:
                pass
            return answer.status, self.head(answer), heard
        finally:
            connection.close()

    @staticmethod
    def head(answer):
        return {name.lower(): value for name, value in answer.getheaders() if name.lower() != "date"}

    def routes(self):
        for path, item in self.document["paths"].items():
            for method in item:
                if method != "parameters":
                    yield method.upper(), path, item[method]

    def is_stream(self, operation):
        return any(STREAM in answer.get("content", {}) for answer in operation["responses"].values())


def narrowed(document):
    """The same description, in which accounts and keys are ours: of what it allows, what is worth asking."""
    document = json.loads(json.dumps(document))
    parameters = document["components"]["parameters"]
    parameters["name"]["schema"] = {"type": "string", "enum": NAMES}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []) if isinstance(operation, dict) else []:
                some = {"secret": [KEY, WRONG_KEY], "corpsecret": [KEY, WRONG_KEY], "appid": [OFFICIAL, "wx0"], "corpid": [CORP]}
                if parameter.get("name") in some:
                    parameter["schema"]["enum"] = some[parameter["name"]]
    return document


def drive(server):
    """What schemathesis finds."""
    path = os.path.join(INTO, "openapi.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(narrowed(server.document), file)
    streams = [route for _, route, operation in server.routes() if server.is_stream(operation)]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "ROUTES_KEYS": f"{KEY} {WRONG_KEY}"}
    good = True
    for regex, checks in CHECKS.items():
        command = [SCHEMATHESIS, "run", path, "--url", server.url, "--header", f"Authorization: Bearer {KEY}"]
        command += ["--include-path-regex", regex, "--checks", ",".join(checks), "--phases", "examples,coverage,fuzzing"]
        command += ["--seed", SEED, "--max-examples", str(MOST_EXAMPLES), "--request-timeout", str(PATIENCE)]
        command += ["--continue-on-failure", "--warnings", "off", "--suppress-health-check", "all"]
        for stream in streams:
            command += ["--exclude-path", stream]
        began = time.monotonic()
        try:
            code = subprocess.run(command, timeout=MOST_TIME, env=environment).returncode
        except subprocess.TimeoutExpired:
            code = "no end"
        print(f"schemathesis on {regex}: {'good' if code == 0 else f'FAILED ({code})'}, {time.monotonic() - began:.0f} s")
        good &= code == 0
    return good


def filled(path, name):
    for part, value in {"name": name, "kind": "jsapi" if name != "app" else "agent_config", "path": "x"}.items():
        path = path.replace("{" + part + "}", value)
    return path


def bearer(key):
    return {"Authorization": f"Bearer {key}"} if key else {}


class Findings:
    def __init__(self):
        self.wrong, self.looks = [], 0

    def expect(self, truth, what):
        self.looks += 1
        if not truth:
            self.wrong.append(what)


def streams(server, found):
    """Those that do not end, for a second each."""
    for method, path, operation in server.routes():
        if server.is_stream(operation):
            status, head, heard = server.listen(filled(path, "shop"), bearer(KEY), 1)
            found.expect((status, head.get("content-type", "").split(";")[0]) == (200, STREAM), f"{path}: {status} {head}")
            found.expect(head.get("cache-control") == "no-store", f"{path}: {head}")
            lines = heard.decode().split("\n")
            known = re.compile(r"(event|id|data|retry): ?.*|:.*|")
            found.expect(any(line.startswith("data:") for line in lines), f"{path}: nothing in a second: {heard!r}")
            found.expect(all(known.fullmatch(line) for line in lines), f"{path}: {heard!r}")
            found.expect(method == "GET", f"{method} {path}")
            status, _, body = server.ask("HEAD", filled(path, "shop"), bearer(KEY))
            found.expect((status, body) == (200, b""), f"HEAD {path}: {status} {body!r}")


def waits(server, found):
    """A reader that waits gets 304 after its time, and one that has something else is answered at once."""
    path = filled("/v1/accounts/{name}/token", "shop")
    status, head, _ = server.ask("GET", path, bearer(KEY))
    found.expect(status == 200, f"{path}: {status}")
    began = time.monotonic()
    status, again, body = server.ask("GET", path + "?wait=1", {**bearer(KEY), "If-None-Match": head["etag"]})
    found.expect((status, body, again.get("etag")) == (304, b"", head["etag"]), f"{path}?wait=1: {status} {body!r}")
    found.expect(time.monotonic() - began >= 1, f"{path}?wait=1 did not wait")
    found.expect(again.get("wxtoken-expires-in", "").isdigit() and again.get("wxtoken-refresh-after", "").isdigit(), f"{again}")
    for condition in ('"1-0000000000000000"', 'W/"0-", "x,y"'):
        status, _, _ = server.ask("GET", path + "?wait=60", {**bearer(KEY), "If-None-Match": condition})
        found.expect(status == 200, f"{path} with {condition}: {status}")
    status, whole, body = server.ask("HEAD", path, bearer(KEY))
    found.expect((status, body) == (200, b"") and int(whole["content-length"]) > 50, f"HEAD {path}: {status} {whole} {body!r}")


def keys(server, found):
    """What a missing, a wrong and a poor key learn: one and the same thing, everywhere."""
    said = {}
    strangers = [("GET", "/v1/nothing", {}), ("GET", "/v2/{name}/x", {})]
    keyed = [route for route in [*server.routes(), *strangers] if route[2].get("security") != []]
    # Each further wrong key is answered later, the same one at once.
    for key in ("", WRONG_KEY, KEY + "x", KEY[:-1]):
        for method, path, _ in keyed:
            for name in NAMES:
                answer = server.ask(method, filled(path, name), bearer(key), b"{}" if method == "POST" else None)
                found.expect(answer[0] == 401, f"{method} {path} without a good key: {answer[0]}")
                said.setdefault(repr(answer), f"{method} {path}")
    for method, path, _ in keyed:
        for scheme in ("Basic", "bearer\t", "Basic " + KEY):
            answer = server.ask(method, filled(path, "shop"), {"Authorization": scheme})
            said.setdefault(repr(answer), f"{method} {path} {scheme}")
    found.expect(len(said) == 1, f"refused in several ways: {said}")
    poor = {}
    for method, path, operation in server.routes():
        if "{name}" in path:
            for name in NAMES:
                answer = server.ask(method, filled(path, name), bearer(POOR_KEY), b"{}" if method == "POST" else None)
                found.expect(answer[0] == 403, f"{method} {path} with a poor key, {name}: {answer[0]}")
                poor.setdefault(repr(answer), f"{method} {path} {name}")
    found.expect(len(poor) == 1, f"not allowed in several ways: {poor}")
    # In WeChat's shape: ids and keys that are there or not.
    shaped = {}
    for ours, other, at in (
        (OFFICIAL, "wx9", "/cgi-bin/token?grant_type=client_credential&appid={}&secret={}"),
        (CORP, "ww9", "/cgi-bin/gettoken?corpid={}&corpsecret={}"),
    ):
        for account in (ours, other):
            for key in (WRONG_KEY, POOR_KEY, KEY + "x") + ((KEY,) if account == other else ()):
                answer = server.ask("GET", at.format(account, key))
                found.expect((answer[0], json.loads(answer[2])["errcode"]) == (200, 40125), f"{at}: {answer}")
                shaped.setdefault(repr(answer), f"{at} {account} {key}")
    found.expect(len(shaped) == 1, f"refused in several ways: {shaped}")


def run(programs, folder):
    def kept(program):
        programs.append(program)
        return program

    accounts = ["--account", f"official:{OFFICIAL}:{SECRET}", "--account", f"work:{CORP}:{SECRET}"]
    platform = kept(Program([WXTOKEN, "platform", *accounts])).line().removeprefix("listening on ")
    path = os.path.join(folder, "wxtoken.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(configuration(folder, platform))
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
        program = kept(Program([WXTOKEN, "serve", "--config", path], {"ROUTES_SECRET": SECRET}, log))
        server = Server(re.sub(".* on ", "", program.line()))
    found = Findings()
    waits(server, found)
    streams(server, found)
    keys(server, found)
    good = drive(server)
    status, _, _ = server.ask("GET", "/healthz")
    found.expect((status, program.process.poll()) == (200, None), "it has not lived through it")
    with open(os.path.join(folder, "log"), encoding="utf-8") as log:
        text = log.read()
    found.expect("panicked" not in text and SECRET not in text, text)
    for wrong in found.wrong:
        print(f"WRONG: {wrong}")
    print(f"{found.looks} looks by hand, {len(found.wrong)} of them wrong; {len(list(server.routes()))} routes")
    return good and not found.wrong


def main():
    programs = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            return 0 if run(programs, folder) else 1
        finally:
            for program in reversed(programs):
                program.end()


if __name__ == "__main__":
    sys.exit(main())
