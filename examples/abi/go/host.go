// Package abi speaks Proxy-Wasm 0.2.0 from plain Go: no SDK, only go:wasmimport and go:wasmexport.
//
// host.go holds what a plugin may ask of the proxy. callbacks.go holds what the proxy asks of a plugin.
package abi

import (
	"encoding/binary"
	"strconv"
	"time"
	"unsafe"
)

// Status is the answer of a host call. Zero is success.
type Status uint32

const (
	OK          Status = 0
	NotFound    Status = 1
	CasMismatch Status = 8
)

func (s Status) Error() string { return "proxy-wasm status " + strconv.Itoa(int(s)) }

// Map names a set of headers or trailers, Buffer a run of bytes, Metric a kind of number.
type (
	Map    uint32
	Buffer uint32
	Metric uint32
)

const (
	RequestHeaders      Map = 0
	RequestTrailers     Map = 1
	ResponseHeaders     Map = 2
	ResponseTrailers    Map = 3
	CallResponseHeaders Map = 6

	RequestBody         Buffer = 0
	ResponseBody        Buffer = 1
	CallResponseBody    Buffer = 4
	PluginConfiguration Buffer = 7

	Counter Metric = 0
	Gauge   Metric = 1
)

// Header is one name with one value.
type Header struct{ Name, Value string }

const (
	levelInfo  = 2
	levelError = 4
)

// Info and Error write one line to the proxy's log.
func Info(text string)  { hostLog(levelInfo, bytesOf(text), size(text)) }
func Error(text string) { hostLog(levelError, bytesOf(text), size(text)) }

// Get returns the first value of a header, and whether there is one.
func (m Map) Get(name string) (string, bool) {
	var out returned
	if hostGetHeader(m, bytesOf(name), size(name), &out.data, &out.size) != OK {
		return "", false
	}
	return string(out.take()), true
}

// All returns every header in order, pseudo-headers first.
func (m Map) All() []Header {
	var out returned
	if hostGetHeaders(m, &out.data, &out.size) != OK {
		return nil
	}
	return decodeHeaders(out.take())
}

func (m Map) Add(name, value string) Status {
	return hostAddHeader(m, bytesOf(name), size(name), bytesOf(value), size(value))
}

func (m Map) Replace(name, value string) Status {
	return hostReplaceHeader(m, bytesOf(name), size(name), bytesOf(value), size(value))
}

func (m Map) Remove(name string) Status {
	return hostRemoveHeader(m, bytesOf(name), size(name))
}

// Get returns at most count bytes from start on. The bytes are the caller's.
func (b Buffer) Get(start, count int) []byte {
	var out returned
	if hostGetBuffer(b, uint32(start), uint32(count), &out.data, &out.size) != OK {
		return nil
	}
	return out.take()
}

// Set puts text in the place of [start, start+count).
func (b Buffer) Set(start, count int, text string) Status {
	return hostSetBuffer(b, uint32(start), uint32(count), bytesOf(text), size(text))
}

// Property reads what the proxy knows of the request or itself; path elements are joined by a zero byte.
func Property(path ...string) ([]byte, Status) {
	joined := path[0]
	for _, element := range path[1:] {
		joined += "\x00" + element
	}
	var out returned
	status := hostGetProperty(bytesOf(joined), size(joined), &out.data, &out.size)
	if status != OK {
		return nil, status
	}
	return out.take(), OK
}

// SharedData reads a value that all instances with this VM id share, and the version to give back to SetSharedData.
func SharedData(key string) (value []byte, version uint32, status Status) {
	var out returned
	status = hostGetSharedData(bytesOf(key), size(key), &out.data, &out.size, &version)
	if status != OK {
		return nil, 0, status
	}
	return out.take(), version, OK
}

// SetSharedData stores a value. CasMismatch: somebody wrote since version was read. Version 0 writes in any case.
func SetSharedData(key string, value []byte, version uint32) Status {
	return hostSetSharedData(bytesOf(key), size(key), unsafe.SliceData(value), uint32(len(value)), version)
}

// DefineMetric returns the handle of a metric, new or old.
func DefineMetric(kind Metric, name string) (id uint32, status Status) {
	status = hostDefineMetric(kind, bytesOf(name), size(name), &id)
	return id, status
}

func IncrementMetric(id uint32, by int64) Status { return hostIncrementMetric(id, by) }

// Reply answers the client in the place of the upstream. It takes effect when the running callback returns.
func Reply(code int, text string, headers ...Header) Status {
	pairs := encodeHeaders(headers)
	const noGRPC = -1
	return hostSendReply(uint32(code), nil, 0, bytesOf(text), size(text), unsafe.SliceData(pairs), uint32(len(pairs)), noGRPC)
}

// ContinueRequest lets a paused request go on when the running callback returns.
func ContinueRequest() Status { return hostContinue(0) }

// Call sends an HTTP request to a cluster. answer runs later, as the stream that called, with the number of headers that
// came back: 0 means that no answer came.
func Call(cluster string, headers []Header, body []byte, timeout time.Duration, answer func(headers int)) Status {
	pairs := encodeHeaders(headers)
	var token uint32
	status := hostCall(bytesOf(cluster), size(cluster), unsafe.SliceData(pairs), uint32(len(pairs)),
		unsafe.SliceData(body), uint32(len(body)), nil, 0, uint32(timeout.Milliseconds()), &token)
	if status == OK {
		calls[token] = call{context: running, answer: answer}
	}
	return status
}

// The wire form of headers: a count, all the sizes, then every name and value with a zero byte after each.

func encodeHeaders(headers []Header) []byte {
	if len(headers) == 0 {
		return nil
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(headers)))
	for _, h := range headers {
		out = binary.LittleEndian.AppendUint32(out, size(h.Name))
		out = binary.LittleEndian.AppendUint32(out, size(h.Value))
	}
	for _, h := range headers {
		out = append(append(out, h.Name...), 0)
		out = append(append(out, h.Value...), 0)
	}
	return out
}

func decodeHeaders(in []byte) []Header {
	if len(in) < 4 {
		return nil
	}
	count := int(binary.LittleEndian.Uint32(in))
	sizes, rest := in[4:4+8*count], in[4+8*count:]
	next := func(n uint32) string {
		text := string(rest[:n])
		rest = rest[n+1:]
		return text
	}
	headers := make([]Header, count)
	for i := range headers {
		headers[i].Name = next(binary.LittleEndian.Uint32(sizes[8*i:]))
		headers[i].Value = next(binary.LittleEndian.Uint32(sizes[8*i+4:]))
	}
	return headers
}

// returned receives what the host wrote: it allocates through proxy_on_memory_allocate and tells where and how much.
type returned struct{ data, size uint32 }

func (r *returned) take() []byte {
	memory := lent[r.data]
	delete(lent, r.data)
	return memory[:min(int(r.size), len(memory))]
}

func bytesOf(text string) *byte { return unsafe.StringData(text) }
func size(text string) uint32   { return uint32(len(text)) }
