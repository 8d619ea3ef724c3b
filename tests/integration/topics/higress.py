"""Plugins as Higress' SDKs make them: Redis (a server of Debian's), the endpoint that a plugin chooses, bytes put into a response, by a call or by name."""
import struct

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.redis_server import RedisServer
from harness.upstream import Upstream
from harness.weir import Weir


def redis_plugin(cluster="redis", user="", password=""):
    return config.plugin(guest="higress", configuration=config.string(f"{cluster}\n{user}\n{password}"))


def with_redis(*ports, plugin=None, **more):
    """An edge whose plugin talks to the cluster `redis`, and that answers the rest by itself."""
    clusters = [config.cluster("redis", *ports, **more)]
    return Weir(config.bootstrap(config.direct(), plugins=[plugin or redis_plugin()], clusters=clusters))


def ask(client, command):
    answer = client.get("/redis", headers=[("x-query", command)])
    return answer.status, answer.text


@fact("a plugin's command goes to Redis, and the answer comes as the server wrote it")
def _():
    with RedisServer() as server, with_redis(server.port) as weir, Client(weir.port()) as client:
        same(ask(client, "SET greeting hello"), (200, "+OK\r\n"))
        same(ask(client, "GET greeting"), (200, "$5\r\nhello\r\n"))
        same(ask(client, "GET nothing"), (200, "$-1\r\n"))
        same(ask(client, "RPUSH list a b")[1], ":2\r\n")
        same(ask(client, "LRANGE list 0 -1")[1], "*2\r\n$1\r\na\r\n$1\r\nb\r\n")
        same(ask(client, "EVAL return{1,{2,3}} 0")[1], "*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n")
        holds(ask(client, "NOSUCH")[1], "-ERR unknown command")
        same(server.ask("GET", "greeting"), "hello")
        same(client.get("/").status, 200)


@fact("commands share one connection per worker, and many at a time are answered each with its own")
def _():
    with RedisServer() as server, with_redis(server.port) as weir:
        clients = [Client(weir.port()) for _ in range(20)]
        for round in range(5):
            for number, client in enumerate(clients):
                client.ask("/redis", headers=[("x-query", f"ECHO {round}-{number}")])
            for number, client in enumerate(clients):
                holds(client.read().text, f"{round}-{number}")
        same(server.clients(), 1)
        same(weir.stat("cluster.redis.upstream_cx_total"), 1)
        for client in clients:
            client.close()


@fact("a connection begins with user, password and database")
def _():
    with RedisServer(user="edge", password="secret") as server:
        with with_redis(server.port, plugin=redis_plugin("redis?db=2", "edge", "secret")) as weir, Client(weir.port()) as client:
            same(ask(client, "SET where two"), (200, "+OK\r\n"))
            same(server.ask("GET", "where", database=2), "two")
            same(server.ask("GET", "where"), "$-1")
        with with_redis(server.port, plugin=redis_plugin("redis", "edge", "wrong")) as weir, Client(weir.port()) as client:
            holds(ask(client, "GET where")[1], "-NOAUTH")


@fact("a password alone is the default user's")
def _():
    with RedisServer(password="secret") as server:
        with with_redis(server.port, plugin=redis_plugin("redis", "", "secret")) as weir, Client(weir.port()) as client:
            same(ask(client, "PING"), (200, "+PONG\r\n"))


@fact("RESP3 is framed, too")
def _():
    with RedisServer() as server, with_redis(server.port) as weir, Client(weir.port()) as client:
        holds(ask(client, "HELLO 3")[1], "%7\r\n")
        same(ask(client, "GET nothing")[1], "_\r\n")
        same(ask(client, "HSET h k v")[1], ":1\r\n")
        same(ask(client, "HGETALL h")[1], "%1\r\n$1\r\nk\r\n$1\r\nv\r\n")
        holds(ask(client, "CONFIG GET maxmemory")[1], "%1\r\n")


@fact("a server that does not answer, is lost or was never there is an error of the call, and the next one connects anew", 4)
def _():
    with RedisServer() as server, with_redis(server.port) as weir, Client(weir.port()) as client:
        same(ask(client, "PING"), (200, "+PONG\r\n"))
        server.pause()
        same(ask(client, "PING"), (502, ""))
        same(weir.stat("cluster.redis.upstream_rq_timeout"), 1)
        server.pause(False)
        same(ask(client, "PING"), (200, "+PONG\r\n"))
        server.stop()
        same(ask(client, "PING"), (502, ""))
        server.start()
        eventually(lambda: ask(client, "PING"), (200, "+PONG\r\n"))
        same(ask(client, "QUIT"), (200, "+OK\r\n"))
        eventually(lambda: ask(client, "PING"), (200, "+PONG\r\n"))


@fact("an answer above the limit ends the connection and no more than that")
def _():
    with RedisServer() as server, with_redis(server.port) as weir, Client(weir.port()) as client:
        same(ask(client, "EVAL return(string.rep(1,3000000)) 0")[0], 200)
        same(ask(client, "EVAL return(string.rep(1,5000000)) 0"), (502, ""))
        same(weir.stat("cluster.redis.upstream_cx_protocol_error"), 1)
        same(ask(client, "PING"), (200, "+PONG\r\n"))


@fact("without an endpoint a call fails at once, and with an unknown cluster the plugin is refused")
def _():
    with with_redis() as weir, Client(weir.port()) as client:
        same(ask(client, "PING"), (500, "10"))
        same(ask(client, ""), (500, "2"))


@fact("commands go to every endpoint of the cluster in turn")
def _():
    with RedisServer() as one, RedisServer() as two, with_redis(one.port, two.port) as weir, Client(weir.port()) as client:
        for _ in range(6):
            same(ask(client, "INCR count")[0], 200)
        same((one.ask("GET", "count"), two.ask("GET", "count")), ("3", "3"))


# ---- the stream's way to its upstream and back

def pairs(body):
    """A list of pairs as the ABI has it."""
    count = struct.unpack_from("<I", body)[0]
    sizes = struct.unpack_from(f"<{2 * count}I", body, 4)
    at, texts = 4 + 8 * count, []
    for size in sizes:
        texts.append(body[at:at + size].decode())
        at += size + 1
    return dict(zip(texts[::2], texts[1::2]))


def named(name):
    return Upstream(lambda request: request.answer(f"{name} {request.path}"))


@fact("a plugin sees the members of its cluster and chooses one, if that can serve")
def _():
    with named("one") as one, named("two") as two:
        ports = [one.port, two.port]
        cluster = config.cluster("web", *ports)
        sick = {"endpoint": {"address": config.address(1)}, "health_status": "UNHEALTHY"}
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"].append(sick)
        plugin = config.plugin(guest="higress")
        with Weir(config.bootstrap(config.route("web"), plugins=[plugin], clusters=[cluster])) as weir, Client(weir.port()) as client:
            healthy, unhealthy = ('{"health_status":"%s","metrics":""}' % health for health in ("Healthy", "Unhealthy"))
            same(pairs(client.get("/hosts").body),
                 {f"127.0.0.1:{one.port}": healthy, f"127.0.0.1:{two.port}": healthy, "127.0.0.1:1": unhealthy})
            for upstream, name in ((one, "one"), (two, "two")):
                for _ in range(4):
                    same(client.get("/to", headers=[("x-host", f"127.0.0.1:{upstream.port}")]).text, f"{name} /to")
            for other in ("127.0.0.1:1", "127.0.0.1:99", "nonsense"):
                seen = {client.get("/to", headers=[("x-host", other)]).text for _ in range(4)}
                same(seen, {"one /to", "two /to"}, other)


@fact("bytes that a plugin puts in go before the answer, or are the answer")
def _():
    with named("web") as upstream:
        plugin = config.plugin(guest="higress")
        with Weir(config.bootstrap(upstream=upstream, plugins=[plugin])) as weir, Client(weir.port()) as client:
            same(client.get("/before").text, "before|web /before")
            same(client.get("/instead").text, "instead")
            same(client.get("/other").text, "web /other")


@fact("an answer without a body gets the one that a plugin asks for by name, whether it stops the headers or not")
def _():
    with Upstream(lambda request: request.answer("")) as upstream:
        plugin = config.plugin(guest="higress")
        with Weir(config.bootstrap(upstream=upstream, plugins=[plugin])) as weir, Client(weir.port()) as client:
            for _ in range(3):
                same([client.get(path).text for path in ("/given", "/added", "/other")], ["given", "given", ""])


@fact("the body that a plugin asks for by name takes the place of the upstream's")
def _():
    with named("web") as upstream:
        plugin = config.plugin(guest="higress")
        with Weir(config.bootstrap(upstream=upstream, plugins=[plugin])) as weir, Client(weir.port()) as client:
            same([client.get(path).text for path in ("/given", "/added", "/other")], ["given", "given", "web /other"])


@fact("a plugin has as much of a body kept as it asks for and may have, and more than that is a 413")
def _():
    def answers(*flags):
        script = "request_headers: setprop set_decoder_buffer_limit 104857600|request_body: more? return 1"
        plugin = config.plugin(name="p", script=script.replace("|", "\n"))
        small = {"per_connection_buffer_limit_bytes": 32768}
        with Upstream(lambda request: request.answer(str(len(request.body())))) as upstream:
            with Weir(config.bootstrap(upstream=upstream, plugins=[plugin], **small), *flags) as weir, Client(weir.port()) as client:
                seen = [client.get("/", method="POST", body=b"x" * size) for size in (40_000, 1_000_000, 3_000_000)]
                return [answer.status if answer.status != 200 else int(answer.text) for answer in seen]

    same(answers(), [40_000, 1_000_000, 413])
    same(answers("--plugin-limit", "p:body-mb=4"), [40_000, 1_000_000, 3_000_000])


@fact("an answer that a plugin ends leaves the rest of the upstream's unread")
def _():
    def endless(request):
        request.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            request.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    with Upstream(endless) as upstream:
        with Weir(config.bootstrap(upstream=upstream, plugins=[config.plugin(guest="higress")])) as weir:
            same(get(weir.port(), "/instead").text, "instead")
            eventually(lambda: weir.stat("cluster.web.upstream_cx_active"), 0)
