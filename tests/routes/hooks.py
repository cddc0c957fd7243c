"""What schemathesis is told before each request: nobody waits long. Any number may be asked for, and most are waited for."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    wait = (case.query or {}).get("wait")
    if str(wait).isdecimal() and int(str(wait)) > 1:
        case.query["wait"] = 1
