package abi

// The host functions, as the ABI names them. Every size and address is 32 bits wide.

//go:wasmimport env proxy_log
func hostLog(level uint32, text *byte, size uint32) Status

//go:wasmimport env proxy_get_header_map_value
func hostGetHeader(m Map, name *byte, nameSize uint32, value *uint32, valueSize *uint32) Status

//go:wasmimport env proxy_get_header_map_pairs
func hostGetHeaders(m Map, pairs *uint32, size *uint32) Status

//go:wasmimport env proxy_add_header_map_value
func hostAddHeader(m Map, name *byte, nameSize uint32, value *byte, valueSize uint32) Status

//go:wasmimport env proxy_replace_header_map_value
func hostReplaceHeader(m Map, name *byte, nameSize uint32, value *byte, valueSize uint32) Status

//go:wasmimport env proxy_remove_header_map_value
func hostRemoveHeader(m Map, name *byte, nameSize uint32) Status

//go:wasmimport env proxy_get_buffer_bytes
func hostGetBuffer(b Buffer, start, count uint32, data *uint32, size *uint32) Status

//go:wasmimport env proxy_set_buffer_bytes
func hostSetBuffer(b Buffer, start, count uint32, data *byte, size uint32) Status

//go:wasmimport env proxy_get_property
func hostGetProperty(path *byte, pathSize uint32, value *uint32, valueSize *uint32) Status

//go:wasmimport env proxy_get_shared_data
func hostGetSharedData(key *byte, keySize uint32, value *uint32, valueSize, version *uint32) Status

//go:wasmimport env proxy_set_shared_data
func hostSetSharedData(key *byte, keySize uint32, value *byte, valueSize, version uint32) Status

//go:wasmimport env proxy_define_metric
func hostDefineMetric(kind Metric, name *byte, size uint32, id *uint32) Status

//go:wasmimport env proxy_increment_metric
func hostIncrementMetric(id uint32, by int64) Status

//go:wasmimport env proxy_send_local_response
func hostSendReply(code uint32, details *byte, detailsSize uint32, body *byte, bodySize uint32,
	headers *byte, headersSize uint32, grpcStatus int32) Status

//go:wasmimport env proxy_continue_stream
func hostContinue(stream uint32) Status

//go:wasmimport env proxy_set_effective_context
func hostSetContext(context uint32) Status

//go:wasmimport env proxy_http_call
func hostCall(cluster *byte, clusterSize uint32, headers *byte, headersSize uint32, body *byte, bodySize uint32,
	trailers *byte, trailersSize uint32, timeoutMilliseconds uint32, token *uint32) Status
