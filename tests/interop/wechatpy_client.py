"""What does wechatpy do with a token server? Its users change two addresses, and nothing else is changed here.

One program with many threads and one client; its calls go to the platform, or (-) to the server, too. Each line on standard
input is the token server's address, and a round: every thread makes one call. The answer is a line of JSON: how many calls
succeeded, what the others raised, how many requests all of it took.
"""

import collections
import json
import sys
import threading

from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

platform, appid, key, threads = sys.argv[1:]
server = ""


class Client(WeChatClient):
    @property
    def API_BASE_URL(self):
        return (server if platform == "-" else platform) + "/cgi-bin/"

    def fetch_access_token(self):
        return self._fetch_access_token(
            url=server + "/cgi-bin/token",
            params={"grant_type": "client_credential", "appid": self.appid, "secret": self.secret},
        )


requests = collections.Counter()
lock = threading.Lock()


def count(response, *_args, **_kwargs):
    with lock:
        requests["token" if "/cgi-bin/token?" in response.url else "api"] += 1


client = Client(appid, key)
client._http.hooks["response"].append(count)


def call(outcomes, together):
    together.wait()
    try:
        client.misc.get_wechat_ips()
        outcome = "ok"
    except WeChatClientException as error:
        outcome = str(error.errcode)
    except BaseException as error:  # A loop ends with RecursionError.
        outcome = type(error).__name__
    with lock:
        outcomes[outcome] += 1


print("ready", flush=True)
for line in sys.stdin:
    server = line.strip()
    requests.clear()
    outcomes = collections.Counter()
    together = threading.Barrier(int(threads))
    crowd = [threading.Thread(target=call, args=(outcomes, together)) for _ in range(int(threads))]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    print(json.dumps({"outcomes": outcomes, "requests": requests}), flush=True)
