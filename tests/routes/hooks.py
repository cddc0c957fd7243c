"""What schemathesis is told before each request: nobody waits long. Any number may be asked for, and most are waited for; and
each further wrong key is answered later than the one before, the same one at once."""

import os

import schemathesis

KEYS = os.environ["ROUTES_KEYS"].split()


@schemathesis.hook
def before_call(context, case, kwargs):
    wait = (case.query or {}).get("wait")
    if str(wait).isdecimal() and int(str(wait)) > 1:
        case.query["wait"] = 1
    for parameters in (case.query, case.body):
        for name in ("secret", "corpsecret"):
            if isinstance(parameters, dict) and isinstance(parameters.get(name), str) and parameters[name] not in KEYS:
                parameters[name] = KEYS[-1]
