// headers: adds, replaces and removes request and response headers, as its configuration says.
//
// One rule a line: request|response add|replace|remove NAME [VALUE]. Empty lines and lines with # first are skipped.
package main

import (
	"strings"

	abi "weir/examples/abi/go"
)

func init() { abi.Register(func() abi.Plugin { return &plugin{} }) }

func main() {}

type rule struct{ verb, name, value string }

type plugin struct{ request, response []rule }

// Configure reads every rule once. A rule that does not parse refuses the whole configuration: half a rule set helps
// nobody.
func (p *plugin) Configure(configuration string) bool {
	for line := range strings.Lines(configuration) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !p.add(strings.SplitN(line, " ", 4)) {
			abi.Error("not a rule: " + line)
			return false
		}
	}
	return true
}

func (p *plugin) add(words []string) bool {
	if len(words) < 3 || words[2] == "" {
		return false
	}
	next := rule{verb: words[1], name: words[2]}
	switch next.verb {
	case "remove":
	case "add", "replace":
		if len(words) < 4 {
			return false
		}
		next.value = words[3]
	default:
		return false
	}
	switch words[0] {
	case "request":
		p.request = append(p.request, next)
	case "response":
		p.response = append(p.response, next)
	default:
		return false
	}
	return true
}

func (p *plugin) NewStream() abi.Stream { return stream{plugin: p} }

type stream struct {
	abi.Passive
	plugin *plugin
}

func (s stream) OnRequestHeaders(bool) abi.Action {
	apply(s.plugin.request, abi.RequestHeaders)
	return abi.Continue
}

func (s stream) OnResponseHeaders(bool) abi.Action {
	apply(s.plugin.response, abi.ResponseHeaders)
	return abi.Continue
}

func apply(rules []rule, headers abi.Map) {
	for _, r := range rules {
		switch r.verb {
		case "add":
			headers.Add(r.name, r.value)
		case "replace":
			headers.Replace(r.name, r.value)
		case "remove":
			headers.Remove(r.name)
		}
	}
}
