// The two halves of the ABI behind proxy_wasm.h: host calls with their types, and exported callbacks.

#include "proxy_wasm.h"

#include <cstdlib>
#include <cstring>
#include <map>

namespace guest {
namespace {

#define HOST_CALL(name) __attribute__((import_module("env"), import_name(#name))) extern "C" uint32_t name

HOST_CALL(proxy_log)(uint32_t level, const char* text, size_t size);
HOST_CALL(proxy_get_header_map_value)(uint32_t map, const char* name, size_t name_size, char** value, size_t* size);
HOST_CALL(proxy_get_header_map_pairs)(uint32_t map, char** pairs, size_t* size);
HOST_CALL(proxy_add_header_map_value)(uint32_t map, const char* name, size_t, const char* value, size_t);
HOST_CALL(proxy_replace_header_map_value)(uint32_t map, const char* name, size_t, const char* value, size_t);
HOST_CALL(proxy_remove_header_map_value)(uint32_t map, const char* name, size_t size);
HOST_CALL(proxy_get_buffer_bytes)(uint32_t buffer, size_t start, size_t count, char** data, size_t* size);
HOST_CALL(proxy_set_buffer_bytes)(uint32_t buffer, size_t start, size_t count, const char* data, size_t size);
HOST_CALL(proxy_get_property)(const char* path, size_t path_size, char** value, size_t* size);
HOST_CALL(proxy_get_shared_data)(const char* key, size_t, char** value, size_t* size, uint32_t* version);
HOST_CALL(proxy_set_shared_data)(const char* key, size_t, const char* value, size_t size, uint32_t version);
HOST_CALL(proxy_define_metric)(uint32_t kind, const char* name, size_t size, uint32_t* metric);
HOST_CALL(proxy_increment_metric)(uint32_t metric, int64_t by);
HOST_CALL(proxy_send_local_response)(uint32_t code, const char* details, size_t, const char* body, size_t,
                                     const char* headers, size_t, int32_t grpc_status);
HOST_CALL(proxy_continue_stream)(uint32_t stream);
HOST_CALL(proxy_set_effective_context)(uint32_t context);
HOST_CALL(proxy_http_call)(const char* cluster, size_t, const char* headers, size_t, const char* body, size_t,
                           const char* trailers, size_t, uint32_t timeout_milliseconds, uint32_t* token);

constexpr uint32_t kOk = 0;

// What the host wrote into memory that it took from our malloc: ours to free.
class Returned {
 public:
  ~Returned() { std::free(data); }
  std::string_view view() const { return data == nullptr ? std::string_view() : std::string_view(data, size); }

  char* data = nullptr;
  size_t size = 0;
};

// The wire form of headers: a count, all the sizes, then every name and value with a zero byte after each.
std::string encode(const HeaderList& headers) {
  std::string out;
  const auto number = [&out](size_t value) {
    const uint32_t word = static_cast<uint32_t>(value);
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  };
  number(headers.size());
  for (const auto& [name, value] : headers) {
    number(name.size());
    number(value.size());
  }
  for (const auto& [name, value] : headers) {
    out.append(name).push_back('\0');
    out.append(value).push_back('\0');
  }
  return out;
}

HeaderList decode(std::string_view in) {
  const auto number = [in](size_t index) {
    uint32_t word = 0;
    std::memcpy(&word, in.data() + index * sizeof word, sizeof word);
    return word;
  };
  if (in.size() < sizeof(uint32_t)) return {};
  const size_t count = number(0);
  const char* at = in.data() + (1 + 2 * count) * sizeof(uint32_t);
  HeaderList headers;
  headers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t name_size = number(1 + 2 * i);
    const size_t value_size = number(2 + 2 * i);
    const char* const value = at + name_size + 1;
    headers.emplace_back(std::string(at, name_size), std::string(value, value_size));
    at = value + value_size + 1;
  }
  return headers;
}

struct Asked {
  uint32_t context;
  std::function<void(uint32_t)> answer;
};

// Made at first use, and never destroyed: a VM is dropped whole.
struct Contexts {
  std::map<uint32_t, std::unique_ptr<Plugin>> plugins;
  std::map<uint32_t, std::unique_ptr<Stream>> streams;
  std::map<uint32_t, Asked> calls;
  uint32_t running = 0;
};

Contexts& contexts() {
  static Contexts* const all = new Contexts;
  return *all;
}

Stream& enter(uint32_t context) {
  contexts().running = context;
  return *contexts().streams[context];
}

}  // namespace

void info(std::string_view text) { proxy_log(2, text.data(), text.size()); }
void error(std::string_view text) { proxy_log(4, text.data(), text.size()); }

const Headers Headers::Request{0};
const Headers Headers::Response{2};
const Headers Headers::CallResponse{6};

std::optional<std::string> Headers::get(std::string_view name) const {
  Returned value;
  if (proxy_get_header_map_value(map_, name.data(), name.size(), &value.data, &value.size) != kOk) return std::nullopt;
  return std::string(value.view());
}

HeaderList Headers::all() const {
  Returned pairs;
  if (proxy_get_header_map_pairs(map_, &pairs.data, &pairs.size) != kOk) return {};
  return decode(pairs.view());
}

void Headers::add(std::string_view name, std::string_view value) const {
  proxy_add_header_map_value(map_, name.data(), name.size(), value.data(), value.size());
}

void Headers::replace(std::string_view name, std::string_view value) const {
  proxy_replace_header_map_value(map_, name.data(), name.size(), value.data(), value.size());
}

void Headers::remove(std::string_view name) const { proxy_remove_header_map_value(map_, name.data(), name.size()); }

const Buffer Buffer::RequestBody{0};
const Buffer Buffer::ResponseBody{1};
const Buffer Buffer::CallResponseBody{4};
const Buffer Buffer::PluginConfiguration{7};

std::string Buffer::get(size_t start, size_t count) const {
  Returned bytes;
  if (proxy_get_buffer_bytes(buffer_, start, count, &bytes.data, &bytes.size) != kOk) return {};
  return std::string(bytes.view());
}

void Buffer::set(size_t start, size_t count, std::string_view text) const {
  proxy_set_buffer_bytes(buffer_, start, count, text.data(), text.size());
}

std::string property(std::initializer_list<std::string_view> path) {
  std::string joined;
  for (const std::string_view element : path) {
    if (!joined.empty()) joined.push_back('\0');
    joined.append(element);
  }
  Returned value;
  if (proxy_get_property(joined.data(), joined.size(), &value.data, &value.size) != kOk) return {};
  return std::string(value.view());
}

std::optional<SharedData> sharedData(std::string_view key) {
  Returned value;
  uint32_t version = 0;
  if (proxy_get_shared_data(key.data(), key.size(), &value.data, &value.size, &version) != kOk) return std::nullopt;
  return SharedData{std::string(value.view()), version};
}

Status setSharedData(std::string_view key, std::string_view value, uint32_t version) {
  return Status{proxy_set_shared_data(key.data(), key.size(), value.data(), value.size(), version)};
}

std::optional<uint32_t> defineCounter(std::string_view name) {
  uint32_t metric = 0;
  if (proxy_define_metric(0, name.data(), name.size(), &metric) != kOk) return std::nullopt;
  return metric;
}

void incrementMetric(uint32_t metric, int64_t by) { proxy_increment_metric(metric, by); }

void reply(uint32_t code, std::string_view text, const HeaderList& headers) {
  const std::string pairs = encode(headers);
  constexpr int32_t kNotGrpc = -1;
  proxy_send_local_response(code, nullptr, 0, text.data(), text.size(), pairs.data(), pairs.size(), kNotGrpc);
}

void continueRequest() { proxy_continue_stream(0); }

Status call(std::string_view cluster, const HeaderList& headers, uint32_t timeout_milliseconds,
            std::function<void(uint32_t)> answer) {
  const std::string pairs = encode(headers);
  uint32_t token = 0;
  const uint32_t status = proxy_http_call(cluster.data(), cluster.size(), pairs.data(), pairs.size(), nullptr, 0,
                                          nullptr, 0, timeout_milliseconds, &token);
  if (status == kOk) contexts().calls[token] = Asked{contexts().running, std::move(answer)};
  return Status{status};
}

#define CALLBACK(name) extern "C" __attribute__((export_name(#name)))

CALLBACK(proxy_abi_version_0_2_0) void abiVersion() {}

CALLBACK(proxy_on_memory_allocate) void* allocate(size_t size) { return std::malloc(size); }

CALLBACK(proxy_on_context_create) void contextCreate(uint32_t context, uint32_t parent) {
  if (parent == 0) {
    contexts().plugins[context] = makePlugin();
    return;
  }
  contexts().streams[context] = contexts().plugins[parent]->newStream();
}

CALLBACK(proxy_on_configure) uint32_t configure(uint32_t context, size_t size) {
  const std::string configuration = size == 0 ? std::string() : Buffer::PluginConfiguration.get(0, size);
  return contexts().plugins[context]->configure(configuration) ? 1 : 0;
}

CALLBACK(proxy_on_request_headers) Action requestHeaders(uint32_t context, uint32_t, uint32_t end_of_stream) {
  return enter(context).onRequestHeaders(end_of_stream != 0);
}

CALLBACK(proxy_on_request_body) Action requestBody(uint32_t context, size_t size, uint32_t end_of_stream) {
  return enter(context).onRequestBody(size, end_of_stream != 0);
}

CALLBACK(proxy_on_response_headers) Action responseHeaders(uint32_t context, uint32_t, uint32_t end_of_stream) {
  return enter(context).onResponseHeaders(end_of_stream != 0);
}

CALLBACK(proxy_on_response_body) Action responseBody(uint32_t context, size_t size, uint32_t end_of_stream) {
  return enter(context).onResponseBody(size, end_of_stream != 0);
}

// An answer arrives at the plugin, not at the stream that asked: find the stream, and act as it.
CALLBACK(proxy_on_http_call_response)
void callResponse(uint32_t, uint32_t token, uint32_t headers, uint32_t, uint32_t) {
  const auto found = contexts().calls.find(token);
  if (found == contexts().calls.end()) return;
  const Asked asked = std::move(found->second);
  contexts().calls.erase(found);
  if (contexts().streams.count(asked.context) == 0) return;
  contexts().running = asked.context;
  proxy_set_effective_context(asked.context);
  asked.answer(headers);
}

CALLBACK(proxy_on_delete) void contextDelete(uint32_t context) {
  contexts().streams.erase(context);
  contexts().plugins.erase(context);
}

}  // namespace guest
