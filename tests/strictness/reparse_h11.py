"""What h11 reads in bytes: a line of base64 in, a line of JSON out. Run by the stand's Python environment.

{"requests": [{"method", "target", "host", "body", "fields"}...], "error": text or "", "partial": whether bytes were left}
"""
import base64
import json
import sys

import h11

FRAMING = ("host", "content-length", "transfer-encoding")


def read(data):
    requests, error = [], ""
    while data and not error:
        request, data, error = first(data)
        if request is None:
            break
        requests.append(request)
    return {"requests": requests, "error": error, "partial": bool(data)}


def first(data):
    """The first request (None where it is not whole), the bytes behind it, and what is wrong with it."""
    link, now = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), None
    link.receive_data(data)
    try:
        while True:
            event = link.next_event()
            if isinstance(event, h11.Request):
                fields = [(name.decode().lower(), value.decode("latin-1")) for name, value in event.headers]
                now = {"method": event.method.decode(), "target": event.target.decode("latin-1"), "body": "",
                       "host": ",".join(value for name, value in fields if name == "host"),
                       "fields": sorted([name, value] for name, value in fields if name not in FRAMING)}
            elif isinstance(event, h11.Data):
                now["body"] += bytes(event.data).decode("latin-1")
            elif isinstance(event, h11.EndOfMessage):
                return now, link.trailing_data[0], ""
            else:
                return None, data, ""
    except h11.RemoteProtocolError as error:
        return None, data, str(error)


for line in sys.stdin:
    print(json.dumps(read(base64.b64decode(line))), flush=True)
