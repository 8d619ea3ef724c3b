"""A setup as each proxy's configuration.

All have: keep-alive on both sides, one pool of upstream connections, no access log, limits of connections that no load
reaches. Where a proxy has a default that would cost it something for nothing in this use (nginx closes a connection
after so many requests and stores bodies in files), it is set.
"""
import json
import os

from suite.options import ROOT

GUESTS = os.environ.get("WEIR_GUESTS", os.path.join(ROOT, "build/guests"))
TYPE = "type.googleapis.com/"
HTTP = TYPE + "envoy.extensions.filters.http."
MANAGER = TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TLS = TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
UPSTREAM_CONNECTIONS = 1024  # Envoy's default. Beyond these, requests wait for one; as in HAProxy.


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def envoy(setup, ports, origin, pem):
    """What weir and Envoy read, as JSON."""
    chains = [("plain", {})]
    if setup.fronts:
        chains.append(("tls", {"transport_socket": {"name": "tls", "typed_config": {"@type": TLS, "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": [{"certificate_chain": {"filename": pem}, "private_key": {"filename": pem}}]}}}}))
    listeners = [{"name": name, "address": address(ports[name]),
                  "filter_chains": [{"filters": [{"name": "http", "typed_config": manager(setup)}], **more}]} for name, more in chains]
    names = ["origin"] if setup.clusters == 1 else [f"c{i}" for i in range(setup.clusters)]
    return json.dumps({"admin": {"address": address(ports["admin"])},
                       "static_resources": {"listeners": listeners, "clusters": [cluster(name, origin) for name in names]}})


def manager(setup):
    action = {"cluster": "origin"} if setup.clusters == 1 else {"cluster_header": "x-cluster"}
    prefixes = ["/"] if setup.routes == 1 else [f"/r{i}/" for i in range(setup.routes)]
    out = {"@type": MANAGER, "stat_prefix": "bench",
           "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
               {"match": {"prefix": prefix}, "route": action} for prefix in prefixes]}]},
           "http_filters": [wasm(i, plugin) for i, plugin in enumerate(setup.plugins)] +
                           [{"name": "envoy.filters.http.router", "typed_config": {"@type": HTTP + "router.v3.Router"}}]}
    if setup.many_headers:
        out["common_http_protocol_options"] = {"max_headers_count": 200}
    return out


def wasm(number, plugin):
    vm = {"vm_id": f"vm{number}", "runtime": "envoy.wasm.runtime.v8",
          "code": {"local": {"filename": os.path.join(GUESTS, plugin.guest + ".wasm")}}}
    config = {"name": f"{plugin.guest}{number}", "root_id": "bench", "vm_config": vm}
    if plugin.configuration:
        config["configuration"] = {"@type": TYPE + "google.protobuf.StringValue", "value": plugin.configuration}
    return {"name": "envoy.filters.http.wasm", "typed_config": {"@type": HTTP + "wasm.v3.Wasm", "config": config}}


def cluster(name, origin):
    return {"name": name, "type": "STATIC", "connect_timeout": "10s",
            "circuit_breakers": {"thresholds": [{"max_connections": UPSTREAM_CONNECTIONS, "max_pending_requests": 65536,
                                                 "max_requests": 65536}]},
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(origin)}}]}]}}


def haproxy(setup, ports, origin, pem):
    binds = [f"bind 127.0.0.1:{ports['plain']}"]
    if setup.fronts:
        binds += [f"bind 127.0.0.1:{ports['h2']} proto h2", f"bind 127.0.0.1:{ports['tls']} ssl crt {pem} ssl-min-ver TLSv1.3"]
    # It wants two descriptors for each of its maxconn, which no load needs.
    lines = ["global", "no strict-limits", f"maxconn {12000 if setup.many_connections else 4000}", f"nbthread {setup.workers}"]
    if setup.many_headers:
        lines.append("tune.http.maxhdr 256")
    lines += ["defaults", "mode http", "timeout connect 10s", "timeout client 60s", "timeout server 60s", "timeout queue 60s", "http-reuse always",
              "frontend f", *binds, "default_backend b",
              "backend b", f"server s 127.0.0.1:{origin} maxconn {UPSTREAM_CONNECTIONS}"]
    return "\n".join(lines) + "\n"


def nginx(setup, ports, origin, pem, folder):
    listens = [f"listen 127.0.0.1:{ports['plain']} backlog=4096;"]
    if setup.fronts:
        listens += [f"listen 127.0.0.1:{ports['h2']} http2;", f"listen 127.0.0.1:{ports['tls']} ssl;",
                    f"ssl_certificate {pem}; ssl_certificate_key {pem}; ssl_protocols TLSv1.3;"]
    temporary = " ".join(f"{each}_temp_path {folder};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    many = 1000000000
    return f"""
daemon off;
worker_processes {setup.workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {16384 if setup.many_connections else 4096}; }}
http {{
  access_log off;
  keepalive_requests {many};
  client_max_body_size 0;
  {temporary}
  upstream o {{ server 127.0.0.1:{origin}; keepalive 512; keepalive_requests {many}; }}
  server {{
    {' '.join(listens)}
    location / {{
      proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }}
  }}
}}
"""
