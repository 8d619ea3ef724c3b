// headers: adds, replaces and removes request and response headers, as its configuration says.
//
// One rule a line: request|response add|replace|remove NAME [VALUE]. Empty lines and lines with # first are skipped.

export * from "@solo-io/proxy-runtime/proxy";
import {
  Context, FilterHeadersStatusValues, log, LogLevelValues, registerRootContext, RootContext, stream_context,
} from "@solo-io/proxy-runtime";
import { configurationText } from "../../abi/assemblyscript/missing";

class Rule {
  constructor(public verb: string, public name: string, public value: string) {}
}

class Headers extends RootContext {
  request: Rule[] = [];
  response: Rule[] = [];

  /** Reads every rule once. A rule that does not parse refuses the whole configuration: half a rule set helps nobody. */
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
    if (words.length < 3 || words[2].length == 0) return false;
    const verb = words[1];
    if (verb != "add" && verb != "replace" && verb != "remove") return false;
    if (verb != "remove" && words.length < 4) return false;
    const rule = new Rule(verb, words[2], words.slice(3).join(" "));
    if (words[0] == "request") this.request.push(rule);
    else if (words[0] == "response") this.response.push(rule);
    else return false;
    return true;
  }

  createContext(id: u32): Context { return new Stream(id, this); }
}

class Stream extends Context {
  constructor(id: u32, private rules: Headers) { super(id, rules); }

  onRequestHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    for (let i = 0; i < this.rules.request.length; i++) {
      const rule = this.rules.request[i];
      if (rule.verb == "add") headers.add(rule.name, rule.value);
      else if (rule.verb == "replace") headers.replace(rule.name, rule.value);
      else headers.remove(rule.name);
    }
    return FilterHeadersStatusValues.Continue;
  }

  onResponseHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.response;
    for (let i = 0; i < this.rules.response.length; i++) {
      const rule = this.rules.response[i];
      if (rule.verb == "add") headers.add(rule.name, rule.value);
      else if (rule.verb == "replace") headers.replace(rule.name, rule.value);
      else headers.remove(rule.name);
    }
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((id: u32) => { return new Headers(id); }, "headers");
