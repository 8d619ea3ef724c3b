"""Where weir answers otherwise than Envoy on purpose, or not yet: by case, for cases that are made in loops or whose reason
is long. A reason beside the case itself (differs=) is the same thing. None: the case's own reason no longer holds, they
agree. A reason that begins with "sometimes: " allows both, because Envoy's own behaviour varies from run to run."""

RESTART = "weir starts the plugin anew at once after a trap, and the log shows it"
JSON = "a Struct reaches the plugin as JSON, which it can read; Envoy 1.40 hands over the protobuf in random order"
UNSEEN = "sometimes: weir sends nothing upstream for a request that is refused in the same turn; Envoy has sent its head"

UNKNOWN = "a return value that is no action continues; Envoy stops the stream, or loses its body"

KNOWN = {
    "plugin headers/set": "server, which the proxy overwrites, is written last whatever stood there before",
    "plugin headers/set pairs": "Envoy routes nothing once a plugin has dropped x-forwarded-proto; weir routes by authority and path",
    "plugin headers/malformed pairs": "pairs that cannot be read change nothing and answer BadArgument; Envoy removes every header",
    "plugin headers/authority removed": "RFC 9112 3.2: a request without Host is not sent; the client gets 503",
    "plugin headers/line breaks in a value": "a value that no header may have is refused at the call with BadArgument",
    "plugin headers/hop-by-hop fields set by a plugin": "connection fields belong to the codec, whoever sets them",
    "plugin headers/content-length made wrong": None,
    "plugin replies/status 600": "a status outside of 200 to 599 becomes 500",
    "plugin replies/status 999": "a status outside of 200 to 599 becomes 500",
    "plugin replies/pseudo headers among the fields": "fields that no answer may have are dropped before the filters see them",
    "plugin replies/odd fields": "fields that no answer may have are dropped before the filters see them",
    "plugin callouts/trailers without a body": "the trailers of a callout are sent, in an empty chunked body; Envoy loses them",
    "plugin chains/the second answers in the body": UNSEEN,
    "plugin chains/the second traps": RESTART,
    "plugin body/continue in a body that stops": "a continue before the stop of the same callback takes effect; Envoy ignores it",
    "plugin body/longer than its length": None,
    "plugin body/body action 4": UNKNOWN,
    "plugin body/body action 99": UNKNOWN,
    "plugin body/headers action 99": UNKNOWN,
    "plugin body/continue in the log phase": "sometimes: Envoy crashes; weir ignores what is asked out of its phase",
    "plugin metrics/gauge": "a gauge below zero is shown as the negative number that it is",
    "plugin body limits/request grown over the limit by the plugin": UNSEEN,
    "plugin configuration struct/startup": JSON,
    "plugin vm configuration struct/startup": JSON,
    "plugin failure in request_body/trap": RESTART,
    "plugin failure in request_headers/trap": RESTART,
    "plugin failure in response_headers/trap": RESTART,
    "plugin failure in response_body/trap": RESTART,
    "plugin failure in log/trap": RESTART,
    "plugin failure in done/trap": RESTART,
    "plugin failure in call/trap": RESTART,
    "plugin queues and failure/a trap in the callback": RESTART,
    "plugin logger that traps/the request is not touched": RESTART,
    "plugin tcp trap in new_connection/the connection": RESTART,
    "plugin tcp trap in downstream_data/the connection": RESTART,
    "plugin tcp trap in upstream_data/the connection": RESTART,
    "plugin tcp trap in downstream_close/the connection": RESTART,
    "plugin tcp trap in log/the connection": RESTART,
    "plugin tcp trap in done/the connection": RESTART,
    "plugin tcp trap old open/the connection": RESTART,
    "plugin failure open/the request that traps": "under FAIL_OPEN the request that trapped the plugin goes on too, and the plugin starts anew",
    "plugin failure fail_open/the request that traps": RESTART,
    "plugin failure reload/the request that traps": RESTART,
}
