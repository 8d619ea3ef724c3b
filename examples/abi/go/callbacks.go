package abi

import "unsafe"

// Action tells the proxy what to do with the part of the request or response that a callback has just seen.
type Action uint32

const (
	Continue Action = 0
	Pause    Action = 1 // Headers: wait for ContinueRequest or Reply. Body: keep it, and call again when more has come.
)

// Plugin is one configured plugin in one VM. NewStream is called for each request.
type Plugin interface {
	Configure(configuration string) bool
	NewStream() Stream
}

// Stream is one request with its response. Embed Passive and write only the callbacks that matter.
type Stream interface {
	OnRequestHeaders(endOfStream bool) Action
	OnRequestBody(size int, endOfStream bool) Action
	OnResponseHeaders(endOfStream bool) Action
	OnResponseBody(size int, endOfStream bool) Action
}

// Passive lets everything pass.
type Passive struct{}

func (Passive) OnRequestHeaders(bool) Action    { return Continue }
func (Passive) OnRequestBody(int, bool) Action  { return Continue }
func (Passive) OnResponseHeaders(bool) Action   { return Continue }
func (Passive) OnResponseBody(int, bool) Action { return Continue }

// Register says how a plugin is made. Call it from init: a reactor module has no main.
func Register(newPlugin func() Plugin) { makePlugin = newPlugin }

type call struct {
	context uint32
	answer  func(headers int)
}

// A VM runs one callback at a time, so plain variables will do.
var (
	makePlugin func() Plugin
	plugins    = map[uint32]Plugin{}
	streams    = map[uint32]Stream{}
	calls      = map[uint32]call{}
	lent       = map[uint32][]byte{} // Memory given to the host, by address: the collector must not take it back.
	running    uint32                // The context whose callback runs.
)

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) uint32 {
	if size == 0 {
		return 0
	}
	memory := make([]byte, size)
	address := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
	lent[address] = memory
	return address
}

//go:wasmexport proxy_on_context_create
func contextCreate(context, parent uint32) {
	if parent == 0 {
		plugins[context] = makePlugin()
		return
	}
	streams[context] = plugins[parent].NewStream()
}

//go:wasmexport proxy_on_configure
func configure(context, size uint32) uint32 {
	configuration := ""
	if size > 0 {
		configuration = string(PluginConfiguration.Get(0, int(size)))
	}
	if plugins[context].Configure(configuration) {
		return 1
	}
	return 0
}

//go:wasmexport proxy_on_request_headers
func requestHeaders(context, count, endOfStream uint32) Action {
	running = context
	return streams[context].OnRequestHeaders(endOfStream != 0)
}

//go:wasmexport proxy_on_request_body
func requestBody(context, size, endOfStream uint32) Action {
	running = context
	return streams[context].OnRequestBody(int(size), endOfStream != 0)
}

//go:wasmexport proxy_on_response_headers
func responseHeaders(context, count, endOfStream uint32) Action {
	running = context
	return streams[context].OnResponseHeaders(endOfStream != 0)
}

//go:wasmexport proxy_on_response_body
func responseBody(context, size, endOfStream uint32) Action {
	running = context
	return streams[context].OnResponseBody(int(size), endOfStream != 0)
}

// An answer arrives at the plugin, not at the stream that asked: find the stream, and act as it.
//
//go:wasmexport proxy_on_http_call_response
func callResponse(context, token, headers, bodySize, trailers uint32) {
	asked, known := calls[token]
	if !known {
		return
	}
	delete(calls, token)
	if _, alive := streams[asked.context]; !alive {
		return
	}
	running = asked.context
	hostSetContext(asked.context)
	asked.answer(int(headers))
}

//go:wasmexport proxy_on_delete
func contextDelete(context uint32) {
	delete(streams, context)
	delete(plugins, context)
}
