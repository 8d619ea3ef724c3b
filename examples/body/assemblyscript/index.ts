// body: reads, replaces, prepends to and appends to request and response bodies, as its configuration says.
//
// One rule a line: request|response prepend|append|replace TEXT. Empty lines and lines with # first are skipped.

export * from "@solo-io/proxy-runtime/proxy";
import {
  Context, FilterDataStatusValues, FilterHeadersStatusValues, log, LogLevelValues, registerRootContext, RootContext,
  stream_context,
} from "@solo-io/proxy-runtime";
import { BufferTypeValues } from "@solo-io/proxy-runtime/runtime";
import { bodyText, configurationText, setBody } from "../../abi/assemblyscript/missing";

class Edit {
  constructor(public verb: string, public text: string) {}
}

class Body extends RootContext {
  request: Edit[] = [];
  response: Edit[] = [];

  onConfigure(size: u32): bool {
    const lines = configurationText(size).split("\n");
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i].trim();
      if (line.length == 0 || line.startsWith("#")) continue;
      if (!this.add(line.split(" "))) {
        log(LogLevelValues.error, "not a rule: " + line);
        return false;
      }
    }
    return true;
  }

  add(words: string[]): bool {
    if (words.length < 3) return false;
    const verb = words[1];
    if (verb != "prepend" && verb != "append" && verb != "replace") return false;
    const edit = new Edit(verb, words.slice(2).join(" "));
    if (words[0] == "request") this.request.push(edit);
    else if (words[0] == "response") this.response.push(edit);
    else return false;
    return true;
  }

  createContext(id: u32): Context { return new Stream(id, this); }
}

class Stream extends Context {
  constructor(id: u32, private rules: Body) { super(id, rules); }

  // The length is about to change. Without content-length the proxy frames the new body itself; this is the last moment
  // to say so, because headers leave before the body.
  onRequestHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    if (!endOfStream && this.rules.request.length > 0) stream_context.headers.request.remove("content-length");
    return FilterHeadersStatusValues.Continue;
  }

  onRequestBody(size: usize, endOfStream: bool): FilterDataStatusValues {
    return rewrite("request", this.rules.request, BufferTypeValues.HttpRequestBody, size as u32, endOfStream);
  }

  onResponseHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    if (!endOfStream && this.rules.response.length > 0) stream_context.headers.response.remove("content-length");
    return FilterHeadersStatusValues.Continue;
  }

  onResponseBody(size: usize, endOfStream: bool): FilterDataStatusValues {
    return rewrite("response", this.rules.response, BufferTypeValues.HttpResponseBody, size as u32, endOfStream);
  }
}

// The three edits are one call: what stands in [start, start + count) gives way to the text.
function rewrite(
  side: string, edits: Edit[], body: BufferTypeValues, size: u32, endOfStream: bool): FilterDataStatusValues {
  if (edits.length == 0) return FilterDataStatusValues.Continue;
  // The proxy keeps what came so far; the last call sees the whole.
  if (!endOfStream) return FilterDataStatusValues.StopIterationAndBuffer;
  log(LogLevelValues.info, side + " body was: " + bodyText(body, size));
  for (let i = 0; i < edits.length; i++) {
    const edit = edits[i];
    if (edit.verb == "prepend") size += setBody(body, 0, 0, edit.text);
    else if (edit.verb == "append") size += setBody(body, size, 0, edit.text);
    else size = setBody(body, 0, size, edit.text);
  }
  return FilterDataStatusValues.Continue;
}

registerRootContext((id: u32) => { return new Body(id); }, "body");
