// body: reads, replaces, prepends to and appends to request and response bodies, as its configuration says.
//
// One rule a line: request|response prepend|append|replace TEXT. Empty lines and lines with # first are skipped.
package main

import (
	"strings"

	abi "weir/examples/abi/go"
)

func init() { abi.Register(func() abi.Plugin { return &plugin{} }) }

func main() {}

type edit struct{ verb, text string }

type plugin struct{ request, response []edit }

func (p *plugin) Configure(configuration string) bool {
	for line := range strings.Lines(configuration) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !p.add(strings.SplitN(line, " ", 3)) {
			abi.Error("not a rule: " + line)
			return false
		}
	}
	return true
}

func (p *plugin) add(words []string) bool {
	if len(words) < 3 {
		return false
	}
	next := edit{verb: words[1], text: words[2]}
	switch next.verb {
	case "prepend", "append", "replace":
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

// The length is about to change. Without content-length the proxy frames the new body itself; this is the last moment to
// say so, because headers leave before the body.
func (s stream) OnRequestHeaders(endOfStream bool) abi.Action {
	if !endOfStream && len(s.plugin.request) > 0 {
		abi.RequestHeaders.Remove("content-length")
	}
	return abi.Continue
}

func (s stream) OnRequestBody(size int, endOfStream bool) abi.Action {
	return rewrite("request", s.plugin.request, abi.RequestBody, size, endOfStream)
}

func (s stream) OnResponseHeaders(endOfStream bool) abi.Action {
	if !endOfStream && len(s.plugin.response) > 0 {
		abi.ResponseHeaders.Remove("content-length")
	}
	return abi.Continue
}

func (s stream) OnResponseBody(size int, endOfStream bool) abi.Action {
	return rewrite("response", s.plugin.response, abi.ResponseBody, size, endOfStream)
}

// The three edits are one call: what stands in [start, start+count) gives way to the text.
func rewrite(side string, edits []edit, body abi.Buffer, size int, endOfStream bool) abi.Action {
	if len(edits) == 0 {
		return abi.Continue
	}
	if !endOfStream {
		return abi.Pause // The proxy keeps what came so far; the last call sees the whole.
	}
	abi.Info(side + " body was: " + string(body.Get(0, size)))
	for _, e := range edits {
		switch e.verb {
		case "prepend":
			body.Set(0, 0, e.text)
			size += len(e.text)
		case "append":
			body.Set(size, 0, e.text)
			size += len(e.text)
		case "replace":
			body.Set(0, size, e.text)
			size = len(e.text)
		}
	}
	return abi.Continue
}
