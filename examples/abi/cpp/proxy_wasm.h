// Proxy-Wasm 0.2.0 in plain C++: no SDK, only clang's import and export attributes.
//
// A plugin derives Plugin and Stream, and defines makePlugin(). proxy_wasm.cc turns the proxy's callbacks into theirs.
// A VM runs one callback at a time, so nothing here is locked. Exceptions are off: no Wasm proxy unwinds them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guest {

// The answer of a host call; zero is success.
enum class Status : uint32_t { Ok = 0, NotFound = 1, BadArgument = 2, CasMismatch = 8 };

// What the proxy shall do with the part that a callback has just seen.
// Pause of headers: wait for continueRequest() or reply(). Pause of a body: keep it, and call again when more has come.
enum class Action : uint32_t { Continue = 0, Pause = 1 };

using Header = std::pair<std::string, std::string>;
using HeaderList = std::vector<Header>;

void info(std::string_view text);
void error(std::string_view text);

// The headers of one direction, or of a callout's answer.
class Headers {
 public:
  static const Headers Request, Response, CallResponse;

  std::optional<std::string> get(std::string_view name) const;  // The first value.
  HeaderList all() const;                                       // In order, pseudo-headers first.
  void add(std::string_view name, std::string_view value) const;
  void replace(std::string_view name, std::string_view value) const;
  void remove(std::string_view name) const;

 private:
  explicit constexpr Headers(uint32_t map) : map_(map) {}
  uint32_t map_;
};

// A run of bytes held by the proxy.
class Buffer {
 public:
  static const Buffer RequestBody, ResponseBody, CallResponseBody, PluginConfiguration;

  std::string get(size_t start, size_t count) const;
  // Puts text in the place of [start, start + count).
  void set(size_t start, size_t count, std::string_view text) const;

 private:
  explicit constexpr Buffer(uint32_t buffer) : buffer_(buffer) {}
  uint32_t buffer_;
};

// What the proxy knows of the request or itself; path elements are joined by a zero byte.
std::string property(std::initializer_list<std::string_view> path);

// A value shared by all instances with this VM id. `version` goes back to setSharedData, which answers CasMismatch when
// somebody wrote in between; version 0 writes in any case.
struct SharedData {
  std::string value;
  uint32_t version = 0;
};
std::optional<SharedData> sharedData(std::string_view key);
Status setSharedData(std::string_view key, std::string_view value, uint32_t version);

// A counter, made once when the plugin is configured.
std::optional<uint32_t> defineCounter(std::string_view name);
void incrementMetric(uint32_t metric, int64_t by);

// Answers the client in the place of the upstream, when the running callback returns.
void reply(uint32_t code, std::string_view text, const HeaderList& headers = {});

// Lets a paused request go on, when the running callback returns.
void continueRequest();

// Sends an HTTP request to a cluster. `answer` runs later, as the stream that called, with the number of headers that
// came back: 0 means that no answer came. It does not run when the stream has ended.
Status call(std::string_view cluster, const HeaderList& headers, uint32_t timeout_milliseconds,
            std::function<void(uint32_t headers)> answer);

// One request with its response. Write only the callbacks that matter.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Action onRequestHeaders(bool) { return Action::Continue; }
  virtual Action onRequestBody(size_t, bool) { return Action::Continue; }
  virtual Action onResponseHeaders(bool) { return Action::Continue; }
  virtual Action onResponseBody(size_t, bool) { return Action::Continue; }
};

// One configured plugin in one VM.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual bool configure(std::string_view) { return true; }
  virtual std::unique_ptr<Stream> newStream() = 0;
};

// The plugin's own.
std::unique_ptr<Plugin> makePlugin();

}  // namespace guest
