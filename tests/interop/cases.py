"""What does WeChat see of existing SDKs behind a token server? Each SDK with 64 threads of one program, in each case.

A real `wxtoken serve` stands before a real `wxtoken platform`. Each SDK has an account of its own for each case, so that
all cases run at the same time. Prints a table and fails when a case took more fetches than it may, or a client made more
requests than one that does not loop.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

WXTOKEN, PYTHON, NODE, NODE_MODULES = sys.argv[1:]
HERE = os.path.dirname(os.path.abspath(__file__))
THREADS = 64
# Of one thread in one round; one that loops makes hundreds.
MOST_REQUESTS = 12 * THREADS
# Two fetches of one account are this far apart, in seconds: the first ones were made at the start.
FLOOR = 33
PATIENCE = 60
KEY, WRONG_KEY, SECRET = "wxtk_of-the-interop-tests", "wxtk_of-nobody", "a-secret-that-stays-at-the-server"

SDKS = {
    "wechatpy 1.8.18": [PYTHON, os.path.join(HERE, "wechatpy_client.py")],
    "co-wechat-api 3.11.0": [NODE, os.path.join(HERE, "co_wechat_api_client.js")],
}


class Case:
    """One row: what happens, to an account of which endpoint, how many fetches that may cost, and what calls end with."""

    def __init__(self, name, most_fetches, endpoint="token", key=KEY, trouble=None, ends=("ok",), by_server=False):
        self.name, self.most_fetches, self.endpoint, self.key = name, most_fetches, endpoint, key
        self.trouble, self.ends = trouble, ends
        # Calls go below the same base as the token.
        self.by_server = by_server
        # The account's very first token counts, too.
        self.cold = name.startswith("cold")


def rotated(far, account):
    far.order("POST", f"/accounts/{account}/rotate")


def forced(far, account):
    far.order("POST", f"/accounts/{account}/force")


def refused(far, account):
    far.order("POST", f"/accounts/{account}/refuse", {"errcode": 40001, "using": True})


# An SDK that gives up by itself raises what WeChat said; one that does not, what the server says to end it.
RAISED = ("40001", "45009")
CASES = [
    Case("cold start", 1),
    Case("cold start, stable_token", 1, endpoint="stable"),
    Case("rotation elsewhere", 1, trouble=rotated),
    Case("forced elsewhere, stable_token", 1, endpoint="stable", trouble=forced),
    Case("platform refuses every token", 2, trouble=refused, ends=RAISED),
    Case("the same, stable_token", 2, endpoint="stable", trouble=refused, ends=RAISED),
    Case("rotation elsewhere, one base", 1, trouble=rotated, by_server=True),
    Case("every token refused, one base", 2, trouble=refused, ends=RAISED, by_server=True),
    Case("wrong key", 0, key=WRONG_KEY, ends=("40125",)),
]


class Program:
    """A process of ours, by its id; it ends with us."""

    def __init__(self, command, env=None, log=None):
        env = {**os.environ, **(env or {})}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=env)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line.strip()

    def end(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(10)


class Platform(Program):
    def __init__(self, accounts):
        options = [option for account in accounts for option in ("--account", f"official:{account}:{SECRET}")]
        super().__init__([WXTOKEN, "platform", *options])
        self.url = self.line().removeprefix("listening on ")
        self.control = self.line().removeprefix("control on ")

    def order(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)

    def fetches(self, account):
        calls = self.order("GET", "/counters")["accounts"][account]["fetches"].values()
        return sum(call["accepted"] + sum(call["refused"].values()) for call in calls)


class Server(Program):
    def __init__(self, folder, platform, accounts):
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        text = 'listen = "127.0.0.1:0"\n'
        for name, endpoint in accounts.items():
            text += f'[[account]]\nname = "{name}"\nkind = "official"\nendpoint = "{endpoint}"\nid = "{name}"\n'
            text += f'secret = {{ env = "INTEROP_SECRET" }}\nbase = "{platform.url}"\n'
        text += f'[[client]]\nname = "sdk"\nkey_sha256 = "{digest}"\naccounts = {json.dumps(list(accounts))}\nmay = ["read"]\n'
        text += 'call = ["/cgi-bin/getcallbackip"]\n'
        path = os.path.join(folder, "wxtoken.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        super().__init__([WXTOKEN, "serve", "--config", path], {"INTEROP_SECRET": SECRET}, self.log)
        self.url = re.sub(".* on ", "", self.line())


class Sdk(Program):
    """One SDK in one case."""

    def __init__(self, command, platform, account, case):
        calls = "-" if case.by_server else platform.url
        super().__init__([*command, calls, account, case.key, str(THREADS)], {"NODE_PATH": NODE_MODULES})

    def round(self, server):
        self.process.stdin.write(server.url + "\n")
        self.process.stdin.flush()
        return json.loads(self.line())


class Row:
    def __init__(self, number, case, sdk):
        self.case, self.sdk, self.account = case, sdk, f"wx{number:016}"
        self.program, self.result, self.fetched = None, None, 0

    def told(self, fetches):
        """The row as text, and whether all is as it should be."""
        outcomes, requests = self.result["outcomes"], self.result["requests"]
        wrong = []
        if fetches > self.case.most_fetches:
            wrong.append("too many fetches")
        if sum(requests.values()) > MOST_REQUESTS:
            wrong.append("too many requests: it loops")
        if not set(outcomes) <= set(self.case.ends) or sum(outcomes.values()) != THREADS:
            wrong.append("its calls should end with " + " or ".join(self.case.ends))
        ended = ", ".join(f"{count} {how}" for how, count in sorted(outcomes.items()))
        text = (
            f"{self.case.name:31} {self.sdk:21} {fetches:>2} of {self.case.most_fetches} "
            f"{requests.get('token', 0):>6} {requests.get('api', 0):>5}   {ended}"
        )
        return "   WRONG: ".join([text, *["; ".join(wrong)] * bool(wrong)]), not wrong


def run(rows, programs, folder):
    """All cases at the same time. The first fetches are made at the start, and the later ones when they may be."""

    def kept(program):
        programs.append(program)
        return program

    platform = kept(Platform([row.account for row in rows]))
    for row in rows:
        row.program = kept(Sdk(SDKS[row.sdk], platform, row.account, row.case))
    for row in rows:
        row.program.line()
    # So long that a crowd stands before the server while the first fetch is under way.
    for path in ("/cgi-bin/token", "/cgi-bin/stable_token"):
        platform.order("POST", "/faults", {"fault": {"kind": "latency", "ms": 500}, "scope": {"path": path}})
    server = kept(Server(folder, platform, {row.account: row.case.endpoint for row in rows}))
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(rows)) as crowd:
        first = [row for row in rows if row.case.key == KEY]
        for row, result in zip(first, crowd.map(lambda row: row.program.round(server), first)):
            row.result = result
            if set(result["outcomes"]) != {"ok"}:
                raise SystemExit(f"{row.sdk}: {row.case.name}: not even at first: {result}")
        platform.order("DELETE", "/faults")
        time.sleep(max(0.0, started + FLOOR - time.monotonic()))
        later = [row for row in rows if not row.case.cold]
        for row in later:
            row.fetched = platform.fetches(row.account)
            if row.case.trouble:
                row.case.trouble(platform, row.account)
        # What was superseded elsewhere lives for five minutes. They pass on the platform alone.
        platform.order("POST", "/clock/advance", {"ms": 301_000})
        for row, result in zip(later, crowd.map(lambda row: row.program.round(server), later)):
            row.result = result
    return [row.told(platform.fetches(row.account) - row.fetched) for row in rows]


def main():
    began = time.monotonic()
    pairs = [(case, sdk) for case in CASES for sdk in SDKS]
    rows = [Row(number, case, sdk) for number, (case, sdk) in enumerate(pairs)]
    programs = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            told = run(rows, programs, folder)
        except BaseException:
            with open(os.path.join(folder, "log"), encoding="utf-8") as log:
                print(log.read(), file=sys.stderr)
            raise
        finally:
            for program in reversed(programs):
                program.end()
    print(f"{'case':31} {'SDK':21} fetches  token   API   {THREADS} calls ended with")
    for text, _ in told:
        print(text)
    good = all(good for _, good in told)
    print(f"{'no SDK loops, and none fetches more than it may' if good else 'FAILED'}, {time.monotonic() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
