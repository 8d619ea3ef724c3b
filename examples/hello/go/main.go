// hello: writes every request header and both bodies to the proxy's log, and changes nothing.
package main

import (
	"fmt"

	abi "weir/examples/abi/go"
)

func init() { abi.Register(func() abi.Plugin { return plugin{} }) }

func main() {} // Never called: the module is a reactor.

type plugin struct{}

func (plugin) Configure(string) bool { return true }

func (plugin) NewStream() abi.Stream { return stream{} }

type stream struct{ abi.Passive }

func (stream) OnRequestHeaders(bool) abi.Action {
	for _, header := range abi.RequestHeaders.All() {
		abi.Info(header.Name + ": " + header.Value)
	}
	return abi.Continue
}

func (stream) OnRequestBody(size int, endOfStream bool) abi.Action {
	abi.Info("OnHttpRequestBody")
	return showBody(abi.RequestBody, size, endOfStream)
}

func (stream) OnResponseBody(size int, endOfStream bool) abi.Action {
	abi.Info("OnHttpResponseBody")
	return showBody(abi.ResponseBody, size, endOfStream)
}

// A body arrives in pieces. Pausing makes the proxy keep them, so that the last call sees the whole body.
func showBody(body abi.Buffer, size int, endOfStream bool) abi.Action {
	abi.Info(fmt.Sprintf("Body size: %d", size))
	abi.Info(fmt.Sprintf("End of stream: %t", endOfStream))
	if !endOfStream {
		return abi.Pause
	}
	abi.Info("BODY CONTENT: " + string(body.Get(0, size)))
	return abi.Continue
}
