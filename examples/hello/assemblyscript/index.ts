// hello: writes every request header and both bodies to the proxy's log, and changes nothing.

export * from "@solo-io/proxy-runtime/proxy"; // The callbacks that the proxy looks for.
import {
  Context, FilterDataStatusValues, FilterHeadersStatusValues, log, LogLevelValues, registerRootContext, RootContext,
  stream_context,
} from "@solo-io/proxy-runtime";
import { BufferTypeValues } from "@solo-io/proxy-runtime/runtime";
import { bodyText } from "../../abi/assemblyscript/missing";

class Hello extends RootContext {
  onConfigure(size: u32): bool { return true; }
  createContext(id: u32): Context { return new Stream(id, this); }
}

class Stream extends Context {
  constructor(id: u32, root: Hello) { super(id, root); }

  onRequestHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request.get_headers();
    for (let i = 0; i < headers.length; i++) {
      const key = String.UTF8.decode(headers[i].key);
      const value = String.UTF8.decode(headers[i].value);
      log(LogLevelValues.info, key + ": " + value);
    }
    return FilterHeadersStatusValues.Continue;
  }

  onRequestBody(size: usize, endOfStream: bool): FilterDataStatusValues {
    log(LogLevelValues.info, "OnHttpRequestBody");
    return showBody(BufferTypeValues.HttpRequestBody, size, endOfStream);
  }

  onResponseBody(size: usize, endOfStream: bool): FilterDataStatusValues {
    log(LogLevelValues.info, "OnHttpResponseBody");
    return showBody(BufferTypeValues.HttpResponseBody, size, endOfStream);
  }
}

// A body arrives in pieces. Pausing makes the proxy keep them, so that the last call sees the whole body.
function showBody(body: BufferTypeValues, size: usize, endOfStream: bool): FilterDataStatusValues {
  log(LogLevelValues.info, "Body size: " + size.toString());
  log(LogLevelValues.info, "End of stream: " + (endOfStream ? "true" : "false"));
  if (!endOfStream) return FilterDataStatusValues.StopIterationAndBuffer;
  log(LogLevelValues.info, "BODY CONTENT: " + bodyText(body, size as u32));
  return FilterDataStatusValues.Continue;
}

registerRootContext((id: u32) => { return new Hello(id); }, "my_root_id");
