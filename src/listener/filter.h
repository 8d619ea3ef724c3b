// What looks at a connection's first bytes before it has a filter chain.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "net/proxy_protocol.h"

namespace weir::listener {

// What is known of a connection before it has a filter chain: filters add what they find out.
struct Findings {
  net::Address local;          // Where the client meant to go: PROXY protocol may restore it.
  net::Address remote;         // Who the client is: the same.
  net::Address direct_remote;  // The socket's other end,
  net::Address direct_local;   // and its own.
  std::string server_name;     // Lower case.
  std::string transport_protocol;
  std::vector<std::string> application_protocols;
  std::shared_ptr<const net::ProxyHeader> proxy;  // Null if there was none. Holds the TLVs that are to be kept.
  // The connection's dynamic metadata by namespace: serialized google.protobuf.Struct, and Any.
  std::map<std::string, std::string, std::less<>> metadata;
  std::map<std::string, std::string, std::less<>> typed_metadata;
};

// One per connection and configured filter, on the worker's thread.
class Filter {
 public:
  enum class Verdict : uint8_t {
    Done,      // On to the next filter.
    NeedMore,  // Again when more has come.
    Close,     // Not to be served.
  };

  virtual ~Filter() = default;
  // received: everything that has come and that no filter has taken yet, perhaps nothing. Whoever takes bytes drains
  // them; what is left is for the filters after it and for the connection. A filter needs a limit on what it waits for.
  virtual Verdict onBytes(base::BufferChain& received, Findings& findings) = 0;
};

}  // namespace weir::listener
