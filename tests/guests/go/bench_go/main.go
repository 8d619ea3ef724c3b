// bench_go: a plugin of the official Go tool chain that reads all headers, both ways, and logs none.
//
// A request with the header x-bench-count gets their number back, by which one sees that it reads them.
package main

import (
	"strconv"

	abi "weir/examples/abi/go"
)

func init() { abi.Register(func() abi.Plugin { return plugin{} }) }

func main() {}

type plugin struct{}

func (plugin) Configure(string) bool { return true }

func (plugin) NewStream() abi.Stream { return &stream{} }

type stream struct {
	abi.Passive
	asked bool
	bytes int
}

func (s *stream) OnRequestHeaders(bool) abi.Action {
	for _, header := range abi.RequestHeaders.All() {
		s.bytes += len(header.Name) + len(header.Value)
		if header.Name == "x-bench-count" {
			s.asked = true
		}
	}
	return abi.Continue
}

func (s *stream) OnResponseHeaders(bool) abi.Action {
	headers := abi.ResponseHeaders.All()
	for _, header := range headers {
		s.bytes += len(header.Name) + len(header.Value)
	}
	if s.asked {
		abi.ResponseHeaders.Add("x-bench-count", strconv.Itoa(len(headers)))
		abi.ResponseHeaders.Add("x-bench-bytes", strconv.Itoa(s.bytes))
	}
	return abi.Continue
}
