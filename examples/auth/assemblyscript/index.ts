// auth: asks an authorisation service about each request, and lets it pass or answers in its place.
//
// The configuration is the name of the cluster to ask. No `authorization` header: 401, without asking. The service says
// 200: the request goes on with `x-auth-user`. It fails or does not answer: 503. It says anything else: 403.

export * from "@solo-io/proxy-runtime/proxy";
import {
  BaseContext, Context, continue_request, Counter, FilterHeadersStatusValues, GrpcStatusValues, HeaderPair, Headers,
  log, LogLevelValues, registerRootContext, RootContext, send_local_response, stream_context, WasmResultValues,
} from "@solo-io/proxy-runtime";
import { get_property } from "@solo-io/proxy-runtime/runtime";
import { configurationText, countShared } from "../../abi/assemblyscript/missing";

const TIMEOUT_MILLISECONDS: u32 = 1000;

function header(name: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(name), String.UTF8.encode(value));
}

class Auth extends RootContext {
  cluster: string = "";
  allowed: Counter = new Counter("auth_allowed");
  denied: Counter = new Counter("auth_denied");

  onConfigure(size: u32): bool {
    this.cluster = configurationText(size).trim();
    if (this.cluster.length == 0) log(LogLevelValues.error, "the configuration must name the cluster to ask");
    return this.cluster.length > 0;
  }

  createContext(id: u32): Context { return new Stream(id, this); }
}

class Stream extends Context {
  /** How many decisions had been made when this one was; shown to the client. */
  private decision: u64 = 0;
  /** The SDK runs the callbacks of streams that have ended, too. */
  private gone: bool = false;

  constructor(id: u32, private auth: Auth) { super(id, auth); }

  onRequestHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    const credentials = stream_context.headers.request.get("authorization");
    if (credentials.length == 0) {
      this.deny(401, "no credentials\n", [header("www-authenticate", "Bearer")]);
      return FilterHeadersStatusValues.StopIteration;
    }
    const question = [
      header(":method", "GET"), header(":path", "/auth"), header(":authority", "auth"),
      header("authorization", credentials),
    ];
    const status = this.auth.httpCall(
      this.auth.cluster, question, new ArrayBuffer(0), [], TIMEOUT_MILLISECONDS, this,
      (origin: BaseContext, headers: u32, bodySize: usize, trailers: u32) => { (origin as Stream).decide(headers); });
    if (status != WasmResultValues.Ok) {
      log(LogLevelValues.error, "cannot ask " + this.auth.cluster);
      this.deny(503, "authorisation is not available\n", []);
    }
    return FilterHeadersStatusValues.StopIteration; // Until the answer comes.
  }

  decide(headers: u32): void {
    if (this.gone) return;
    // No headers: the proxy could not ask. Out of time, or refused: the proxy answers 504 or 503 in its place.
    const status = headers == 0 ? "503" : stream_context.headers.http_callback.get(":status");
    if (status.startsWith("5")) {
      this.deny(503, "authorisation is not available\n", []);
      return;
    }
    if (status != "200") {
      this.deny(403, "not allowed\n", []);
      return;
    }
    stream_context.headers.request.replace("x-auth-user", stream_context.headers.http_callback.get("x-auth-user"));
    this.record("allowed", this.auth.allowed);
    continue_request();
  }

  onResponseHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    if (this.decision > 0) stream_context.headers.response.replace("x-auth-decision", this.decision.toString());
    return FilterHeadersStatusValues.Continue;
  }

  onDelete(): void { this.gone = true; }

  deny(code: u32, text: string, headers: Headers): void {
    this.record("denied", this.auth.denied);
    send_local_response(code, "", String.UTF8.encode(text), headers, GrpcStatusValues.InvalidCode);
  }

  /** Counts the decision where an operator looks (a metric) and where every worker's plugin can see it (shared data). */
  record(verdict: string, metric: Counter): void {
    metric.increment(1);
    this.decision = countShared("auth.decisions");
    const path = String.UTF8.decode(get_property("request\0path"));
    log(LogLevelValues.info, "decision " + this.decision.toString() + ": " + verdict + ", path: " + path);
  }
}

registerRootContext((id: u32) => { return new Auth(id); }, "auth");
